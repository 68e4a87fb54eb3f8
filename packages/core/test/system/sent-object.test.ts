import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { sentObject, sentText } from '../../src/index.ts'

test('a client that sends too much gets an answer, on a connection that stays open', async t => {
  const server = createServer(async (request, response) => {
    const object = await sentObject(request, 1_000)
    response.writeHead(object === undefined ? 400 : 200).end(JSON.stringify(object ?? 'too much'))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const send = async (body: string) => {
    const response = await fetch(url, { method: 'POST', body })
    return [response.status, await response.json()]
  }
  assert.deepEqual(await send(JSON.stringify({ text: 'x'.repeat(4_000_000) })), [400, 'too much'])
  assert.deepEqual(await send('{"id":7}'), [200, { id: 7 }])
})

test('anything but a JSON object in UTF-8 is refused, and an empty body is an empty object', async () => {
  const read = (...pieces: (string | Uint8Array)[]) =>
    sentObject(Readable.from(pieces.map(piece => Buffer.from(piece))), 1_000)
  for (const text of ['[]', 'null', '"x"', '7', '{', '{"a":1}{'])
    assert.equal(await read(text), undefined, text)
  assert.equal(await read(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)), undefined)
  assert.deepEqual(await read(), {})
  assert.deepEqual(await read('{"a"', ':[1]}'), { a: [1] })
})

test('a connection that breaks is an error, not an empty command', async () => {
  const broken = new Readable({
    read() {
      this.push('{"all":')
      this.destroy(new Error('aborted'))
    },
  })
  await assert.rejects(sentObject(broken, 1_000), /aborted/)
})

test('a text is read up to its limit, and refused beyond it or in another encoding', async () => {
  const read = (bytes: Uint8Array): Promise<string> => sentText(Readable.from([bytes]), 4)
  assert.equal(await read(Buffer.from('déa')), 'déa')
  await assert.rejects(read(Buffer.from('déab')), RangeError)
  await assert.rejects(read(Uint8Array.of(0xff)), TypeError)
})
