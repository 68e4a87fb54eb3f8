import assert from 'node:assert/strict'
import { Agent, request as httpRequest } from 'node:http'
import { test } from 'node:test'
import { ALLOW, type Decision, Engine, type Guard, type Refusal } from '@postern/core'
import { express4Adapter, express5Adapter } from '../applications/express.ts'
import { fastifyAdapter } from '../applications/fastify.ts'
import { honoNodeAdapter } from '../applications/hono.ts'
import { koaAdapter } from '../applications/koa.ts'
import { nestAdapter } from '../applications/nest.ts'
import { connectAdapter, nodeAdapter } from '../applications/node.ts'
import type { Adapter } from '../harness.ts'

const LARGE = Buffer.alloc(3_000_000, 0x61)

const REFUSAL: Refusal = {
  effect: 'deny',
  guard: 'test',
  status: 403,
  reasons: [{ rule: 'test/refused', message: 'No.' }],
}

/** Reads the body ahead, as inspection does, and then lets it pass or refuses. */
function reading(decision: Decision): Guard {
  return {
    name: 'test',
    failure: 'closed',
    decide: exchange => (exchange.hasBody ? exchange.readBody().then(() => decision) : ALLOW),
  }
}

interface Answered {
  readonly status: number
  readonly connection: number | undefined
}

function ask(agent: Agent, port: number, method: string, path: string, body?: Buffer): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'Content-Length': body.length, 'Content-Type': 'text/plain' }
    const request = httpRequest({ host: '127.0.0.1', port, method, path, headers, agent })
    request.on('error', reject)
    request.on('response', response => {
      const connection = request.socket?.localPort
      response.resume().on('end', () => resolve({ status: response.statusCode ?? 0, connection }))
    })
    request.end(body)
  })
}

/** So long `@hono/node-server` waits for the rest of a body nobody reads; then it ends the connection. */
const HONO_WAITS = 500

/** On a machine so busy that a body takes longer than hono's server waits for it, tries again. */
async function unlessHonoEndsIt(adapter: Adapter, work: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries++) {
    const started = performance.now()
    try {
      return await work()
    } catch (error) {
      const isEnded = error instanceof Error && 'code' in error && error.code === 'ECONNRESET'
      const mayBeHono = adapter === honoNodeAdapter && performance.now() - started >= HONO_WAITS
      if (!isEnded || !mayBeHono || tries === 5) throw error
    }
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
  honoNodeAdapter,
])
  for (const [what, guards] of [
    ['without a guard', []],
    ['read ahead and let through', [reading(ALLOW)]],
    ['read ahead and refused', [reading(REFUSAL)]],
    ['refused unread', [{ ...reading(REFUSAL), decide: exchange => (exchange.hasBody ? REFUSAL : ALLOW) }]],
  ] as readonly (readonly [string, readonly Guard[]])[])
    test(`${adapter.name}: a long body that nobody reads, ${what}, leaves the connection usable`, async () => {
      const engine = new Engine({ guards, bodyLimit: 100_000 })
      const app = await adapter.start(engine)
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      try {
        const { port = 0 } = app
        for (const body of [LARGE, LARGE, LARGE.subarray(0, 50_000), LARGE]) {
          await unlessHonoEndsIt(adapter, async () => {
            const first = await ask(agent, port, 'POST', '/nowhere', body)
            assert.ok(first.status >= 400, String(first.status))
            const second = await ask(agent, port, 'GET', '/hello')
            assert.equal(second.status, 200)
            assert.equal(second.connection, first.connection)
          })
        }
      } finally {
        agent.destroy()
        await app.close()
      }
    })
