import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { exchangeBytes, start, startRawBackend } from '../harness.ts'

const BODY = 'x'.repeat(900_000)
const UPLOAD = `POST /upload HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`
const CHUNKED = `POST /upload HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`

/** Answers at the first bytes of a request, and closes with the rest unread: the kernel sends a reset. */
const refusing =
  (answer: string) =>
  (socket: Socket): void => {
    socket.once('data', () => {
      socket.write(answer)
      socket.destroy()
    })
  }

for (const [what, upload] of Object.entries({ 'a length': UPLOAD, chunks: CHUNKED }))
  for (const status of [401, 413])
    test(`the answer ${status} of a backend that closes in the middle of an upload with ${what} reaches the client`, async t => {
      const answer = `HTTP/1.1 ${status} No\r\nConnection: close\r\nContent-Length: 4\r\n\r\nwhy.`
      const backend = await startRawBackend(t, refusing(answer))
      const { port, events } = await start(t, backend.url)
      const expected = new RegExp(`^HTTP/1.1 ${status} No\r\n.*why[.]$`, 's')
      for (let i = 0; i < 25; i++) assert.match(await exchangeBytes(port, upload), expected)
      assert.deepEqual(
        events.filter(({ type }) => type === 'gateway.backend-failed'),
        [],
      )
    })

test('a backend that closes in the middle of an upload without an answer is answered 502', async t => {
  const backend = await startRawBackend(t, socket => socket.once('data', () => socket.destroy()))
  const { port, event } = await start(t, backend.url)
  for (let i = 0; i < 5; i++) assert.match(await exchangeBytes(port, UPLOAD), /^HTTP\/1\.1 502 /)
  const { data } = await event(({ type }) => type === 'gateway.backend-failed')
  assert.equal(data?.['failure'], 'closed')
})

test('a backend that begins an answer, and closes without its end, has the client see that', async t => {
  const backend = await startRawBackend(
    t,
    refusing('HTTP/1.1 413 No\r\nConnection: close\r\nContent-Length: 400\r\n\r\nwhy.'),
  )
  const { port } = await start(t, backend.url)
  for (let i = 0; i < 5; i++)
    assert.match(
      await exchangeBytes(port, UPLOAD),
      /^HTTP\/1\.1 (413 No\r\n[\s\S]*Length: 400[\s\S]*why\.|502 [\s\S]*)$/,
    )
})
