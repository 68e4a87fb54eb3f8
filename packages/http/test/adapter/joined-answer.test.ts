import assert from 'node:assert/strict'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { ALLOW, type Decision, Engine, type Guard } from '@postern/core'
import { node } from '../../src/index.ts'
import { listening, raw } from '../node/node-client.ts'

const EVERY_BYTE = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))

/** Ways in which handlers end an answer with bytes. */
const ENDINGS: Readonly<Record<string, (response: ServerResponse) => void>> = {
  'every byte': response => response.end(EVERY_BYTE),
  'a length of its own': response => response.setHeader('Content-Length', 256).end(EVERY_BYTE),
  nothing: response => response.end(Buffer.alloc(0)),
  'as much as is joined': response => response.end(Buffer.alloc(4_096, EVERY_BYTE)),
  'a byte more': response => response.end(Buffer.alloc(4_097, EVERY_BYTE)),
  'an encoding that does not count': response => response.end(EVERY_BYTE, 'base64'),
  'plain bytes': response => response.end(Uint8Array.from(EVERY_BYTE)),
  'a text': response => response.end('Größe', 'utf8'),
  'a head of its own': response => response.writeHead(201, { 'X-Own': 'yes' }).end(EVERY_BYTE),
  'bytes behind others': response => {
    response.write(EVERY_BYTE)
    response.end(EVERY_BYTE)
  },
  'a head that is out': response => {
    response.flushHeaders()
    response.end(EVERY_BYTE)
  },
  'a status without a body': response => response.writeHead(204).end(EVERY_BYTE),
  'a head beyond ASCII': response => response.setHeader('X-Name', 'caf\u00e9').end(EVERY_BYTE),
}

const GUARD: Guard = {
  name: 'test',
  failure: 'closed',
  decide: (): Decision => ALLOW,
  onAnswer: (_, head) => head.set('X-Guard', 'yes'),
}

/** All bytes that the server answers with, as Latin-1, without the date and the guard's header. */
async function answerOf(listener: RequestListener, method: string): Promise<string> {
  let answer = ''
  await listening(createServer(listener), async port => {
    answer = await raw(port, `${method} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
  })
  return answer.replace(/^date:.*\r\n/im, '').replace(/^x-guard:.*\r\n/im, '')
}

/** How many pieces node hands to the sockets of answers. */
function pieces(t: TestContext): () => readonly number[] {
  const counts: number[] = []
  const isAnswer = (chunk: unknown): boolean => String(chunk).startsWith('HTTP/1.1 ')
  const sockets = Socket.prototype as Socket & { _writev: NonNullable<Socket['_writev']> }
  const { _write: write, _writev: writev } = sockets
  t.mock.method(sockets, '_write', function (this: Socket, ...rest: Parameters<typeof write>) {
    if (isAnswer(rest[0])) counts.push(1)
    return write.apply(this, rest)
  })
  t.mock.method(sockets, '_writev', function (this: Socket, ...rest: Parameters<typeof writev>) {
    if (isAnswer(rest[0][0]?.chunk)) counts.push(rest[0].length)
    return writev.apply(this, rest)
  })
  return () => counts
}

describe('an answer that ends with bytes', { timeout: 60_000 }, () => {
  for (const [name, end] of Object.entries(ENDINGS))
    for (const method of ['GET', 'HEAD'])
      test(`${method}, ${name}: the client gets what it gets without the layer, and the handler is called back`, async () => {
        let calledBack = 0
        const listener: RequestListener = (_request, response) => {
          response.on('finish', () => calledBack++)
          end(response)
        }
        const engine = new Engine({ guards: [GUARD] })
        assert.equal(await answerOf(node(engine, listener), method), await answerOf(listener, method))
        assert.equal(calledBack, 2)
      })

  test('the callback of `end` is called, with an encoding and without', async () => {
    const called: string[] = []
    const answer = await answerOf(
      node(new Engine({ guards: [GUARD] }), (_request, response) => {
        response.end(EVERY_BYTE, () => called.push('one'))
      }),
      'GET',
    )
    await answerOf(
      node(new Engine({ guards: [GUARD] }), (_request, response) => {
        response.end(EVERY_BYTE, 'utf8', () => called.push('two'))
      }),
      'GET',
    )
    assert.match(answer, /^HTTP\/1.1 200 /)
    assert.deepEqual(called, ['one', 'two'])
  })

  test('goes out in one piece with its head, if it is short', async t => {
    const seen = pieces(t)
    const engine = new Engine({ guards: [GUARD] })
    const ending =
      (size: number): RequestListener =>
      (_request, response) => {
        response.end(Buffer.alloc(size, 0xe9))
      }
    await answerOf(node(engine, ending(4_096)), 'GET')
    await answerOf(node(engine, ending(4_097)), 'GET')
    assert.deepEqual(seen(), [1, 2])
  })
})
