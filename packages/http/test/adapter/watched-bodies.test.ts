import assert from 'node:assert/strict'
import { createServer, connect as http2Connect } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { ALLOW, Engine, type Event, type Guard, type Mode, type Refusal } from '@postern/core'
import { node } from '../../src/index.ts'
import { express4Adapter, express5Adapter } from '../applications/express.ts'
import { fastifyAdapter } from '../applications/fastify.ts'
import { fetchAdapter } from '../applications/fetch.ts'
import { honoNodeAdapter, honoRequestAdapter } from '../applications/hono.ts'
import { koaAdapter } from '../applications/koa.ts'
import { nestAdapter } from '../applications/nest.ts'
import { connectAdapter, nodeAdapter } from '../applications/node.ts'
import { text } from '../applications/streams.ts'
import type { Adapter, Received } from '../harness.ts'

const LIMIT = 20_000
const HONEST = 'abcdefgh'.repeat(40_000)
const ATTACK = `${HONEST.slice(0, 250_000)}EVIL${HONEST.slice(0, 60_000)}`

const REFUSAL: Refusal = {
  effect: 'deny',
  guard: 'test',
  status: 403,
  reasons: [{ rule: 'test/refused', message: 'No.' }],
}

/**
 * Reads the start ahead and the rest as it goes by, as inspection does; of three pieces two are answered
 * later.
 */
function watching(seen: { length: number; text: string }, mode: Mode = 'enforce'): Guard {
  return {
    name: 'test',
    failure: 'closed',
    async decide(exchange) {
      if (!exchange.hasBody) return ALLOW
      const { bytes, complete } = await exchange.readBody()
      seen.length = bytes.length
      let pieces = 0
      if (complete) return ALLOW
      const take = (piece: Uint8Array): Refusal | undefined | Promise<Refusal | undefined> => {
        seen.length += piece.length
        seen.text = (seen.text + Buffer.from(piece).toString('latin1')).slice(-100_000)
        const refusal = seen.text.includes('EVIL') ? REFUSAL : undefined
        if (pieces++ % 3 === 1) return refusal
        return new Promise(resolve => setImmediate(resolve, refusal))
      }
      return (await exchange.watchBody({ take }, mode)) ? ALLOW : REFUSAL
    },
  }
}

interface Result {
  /** Undefined when the connection was cut. */
  readonly answer: Received | undefined
  readonly event: string
  readonly seen: number
}

async function post(adapter: Adapter, body: string, mode?: Mode): Promise<Result> {
  const seen = { length: 0, text: '' }
  const engine = new Engine({ guards: [watching(seen, mode)], bodyLimit: LIMIT })
  const settled = new Promise<Event>(resolve => engine.listen(resolve))
  const app = await adapter.start(engine)
  try {
    const answer = await app
      .send({ method: 'POST', path: '/echo', headers: { 'Content-Type': 'text/plain' }, body })
      .catch(() => undefined)
    const event = await settled
    return { answer, event: JSON.stringify(event), seen: seen.length }
  } finally {
    await app.close()
  }
}

for (const adapter of [
  nodeAdapter,
  connectAdapter,
  express4Adapter,
  express5Adapter,
  koaAdapter,
  fastifyAdapter,
  nestAdapter,
  honoRequestAdapter,
  honoNodeAdapter,
  fetchAdapter,
]) {
  test(`${adapter.name}: a guard sees every byte of a long body once, and the handler gets it whole`, async () => {
    const { answer, seen } = await post(adapter, HONEST)
    assert.equal(answer?.status, 200)
    assert.equal(answer.body, HONEST)
    assert.equal(seen, HONEST.length)
  })

  test(`${adapter.name}: what a guard refuses late never reaches the handler whole`, async () => {
    const { answer, event } = await post(adapter, ATTACK)
    assert.ok(answer?.body.includes('EVIL') !== true && answer?.status !== 200, String(answer?.status))
    assert.match(event, /test\/refused/)
  })

  test(`${adapter.name}: a guard that observes cuts nothing off`, async () => {
    const { answer, event } = await post(adapter, ATTACK, 'observe')
    assert.equal(answer?.body, ATTACK)
    assert.match(event, /test\/refused/)
  })
}

test('a body over HTTP/2 is read as it goes by too, and the handler gets it whole or never', {
  timeout: 60_000,
}, async () => {
  const seen = { length: 0, text: '' }
  const engine = new Engine({ guards: [watching(seen)], bodyLimit: LIMIT })
  const refused = new Promise<void>(resolve => {
    engine.listen(event => {
      if (JSON.stringify(event).includes('test/refused')) resolve()
    })
  })
  const server = createServer(
    node(engine, (request, response) => {
      text(request).then(
        body => response.end(body),
        () => undefined,
      )
    }),
  )
  server.listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const client = http2Connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  client.on('error', () => undefined)
  const send = async (body: string): Promise<string> => {
    const stream = client.request({ ':method': 'POST', ':path': '/x' })
    stream.end(body)
    return text(stream).catch(() => 'cut')
  }
  try {
    assert.equal(await send(HONEST), HONEST)
    assert.equal(seen.length, HONEST.length)
    const answer = await send(ATTACK)
    assert.ok(!answer.includes('EVIL'), answer.slice(0, 100))
    await refused
  } finally {
    client.destroy()
    server.close()
  }
})
