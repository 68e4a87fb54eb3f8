import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HeaderListHead } from '@postern/core'

test('a header of an answer is found in any case, and several lines of it are joined', () => {
  const head = new HeaderListHead(200, [
    'Content-Type',
    'text/html',
    'vary',
    'Origin',
    'Etag',
    '"1"',
    'VARY',
    'Cookie',
  ])
  assert.equal(head.get('content-type'), 'text/html')
  assert.equal(head.get('Vary'), 'Origin, Cookie')
  assert.equal(head.get('Date'), undefined, 'of the length of another name')
  assert.deepEqual(head.getAll('VARY'), ['Origin', 'Cookie'])
})
