import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspectLines } from '../src/inspect-record.ts'

test('one verdict a line, in order; a line that is not a request is an error and does not stop the rest', async () => {
  const lines = [
    JSON.stringify({ id: 'a', method: 'GET', path: "/?id=1'--", headers: {}, body: '' }),
    'not json',
    '',
    JSON.stringify({ id: 'b', method: 'GET', path: '/items', headers: { host: 'x' }, body: '' }),
  ]
  const verdicts: string[] = []
  for await (const { id, verdict } of inspectLines(lines)) verdicts.push(`${id} ${verdict}`)
  assert.deepEqual(verdicts, ['a block', 'line 2 error', 'b pass'])
})
