import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Event } from '@postern/core'
import { until } from '../../../test/until.ts'
import { postern } from '../src/index.ts'

/** A text about code: six lines and more than 300 characters. */
const TEXT = [
  'How we found out what the old report does, for whoever comes after us and has to keep it running.',
  'It is one query, and it is made like this, which took us most of a rainy afternoon:',
  "SELECT name FROM goods WHERE id = '' UNION SELECT password FROM users --",
  'The second half is what the auditors asked about. We have moved it to a view of its own since then,',
  'and nobody but the owner of that view may read it. The report itself has not changed in any other way.',
  'Ask in the channel of the team when something is not clear.',
].join('\n')

test('a value that passes in doubt is recorded once, with the setting that ends the doubt', async t => {
  const events: Event[] = []
  const layer = await postern({
    config: { audit: false, dataDirectory: ':memory:', routes: { 'POST /posts': {} } },
    log: 'none',
    onEvent: event => void (event.type === 'inspection.doubt' && events.push(event)),
  })
  t.after(() => layer.close())
  const handler = layer.fetch(() => new Response('kept'), { peer: () => '192.0.2.7' })
  const send = async (text: string): Promise<number> => {
    const request = new Request('http://shop.example/posts', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text }),
    })
    const response = await handler(request)
    await response.text()
    return response.status
  }
  assert.equal(await send('Nothing to see here.'), 200)
  assert.deepEqual(events, [])
  for (let i = 0; i < 3; i++) assert.equal(await send(TEXT), 200)
  await until(() => events.length > 0)
  assert.deepEqual(
    events.map(({ data }) => [data?.['location'], data?.['setting']]),
    [['body.text', "routes: { 'POST /posts': { inspect: { parameters: { 'body.text': 'text' } } } }"]],
  )
})
