import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from '../src/inspect.ts'

function rulesOf(method: string, target: string, type: string, body: string | Buffer): readonly string[] {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  return inspect({ method, target, headers: ['content-type', type], body: bytes }).matches.map(
    match => match.rule,
  )
}

const DUMP =
  "-- dump\nDROP TABLE IF EXISTS users;\nINSERT INTO users VALUES (1, 'a', 'x''; drop table b; --');\nSELECT * FROM users WHERE 1=1 OR 2=2;\n"
const PHP = '<?php echo shell_exec($_GET["c"]);'

/** A tar archive (POSIX.1-1988) of one PHP file, as the layer of an image holds it. */
function tar(content: string): Buffer {
  const header = Buffer.alloc(512)
  header.write('app/index.php')
  header.write('ustar', 257)
  return Buffer.concat([header, Buffer.from(content), Buffer.alloc(512)])
}

function zip(content: string): Buffer {
  const header = Buffer.from('504b03041400000000000000000000000000000000000000000000000900', 'hex')
  return Buffer.concat([header, Buffer.from('index.php'), Buffer.from(content)])
}

describe('files that a protocol of uploads stores', () => {
  test('a part of a text file is not read as a form: tus, resumable uploads, chunks of a sync client', () => {
    assert.deepEqual(rulesOf('PATCH', '/files/24e5', 'application/offset+octet-stream', DUMP), [])
    assert.deepEqual(rulesOf('POST', '/files', 'application/partial-upload', DUMP), [])
    assert.deepEqual(rulesOf('PUT', '/dav/uploads/ann/12/00001', 'application/octet-stream', DUMP), [])
  })

  test('a document or a form under such a type is read all the same, for a backend that reads it', () => {
    const type = 'application/offset+octet-stream'
    assert.notDeepEqual(rulesOf('PATCH', '/files/24e5', type, '{"id":"1\' OR 1=1 --"}'), [])
    assert.notDeepEqual(rulesOf('PATCH', '/files/24e5', type, "id=1' OR 1=1 --"), [])
    assert.notDeepEqual(rulesOf('POST', '/x', 'application/octet-stream', DUMP), [])
  })

  test('an archive without a name may hold scripts: no server runs them in it', () => {
    assert.deepEqual(rulesOf('PATCH', '/v2/a/blobs/uploads/3f', 'application/octet-stream', tar(PHP)), [])
    assert.deepEqual(rulesOf('POST', '/api/plugins', 'application/zip', zip(PHP)), [])
  })

  test('a script is found under a name that runs, whatever its bytes begin like, and without an archive', () => {
    assert.deepEqual(rulesOf('PUT', '/up/x.php', 'application/octet-stream', zip(PHP)), ['code/php-tag'])
    assert.ok(rulesOf('PUT', '/files/24e5', 'application/octet-stream', PHP).includes('code/php-tag'))
  })
})

describe('GraphQL that declares variables named like operators', () => {
  const query = 'query P($where: PostFilter!, $in: [ID!], $set: set_input = {}) { p(where: $where) { id } }'
  test('in JSON, in a query and as a document of its own', () => {
    assert.deepEqual(rulesOf('POST', '/graphql', 'application/json', JSON.stringify({ query })), [])
    assert.deepEqual(rulesOf('GET', `/graphql?query=${encodeURIComponent(query)}`, '', ''), [])
    assert.deepEqual(rulesOf('POST', '/graphql', 'application/graphql', query), [])
  })
})
