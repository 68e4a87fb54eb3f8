import assert from 'node:assert/strict'
import { request as httpRequest } from 'node:http'
import { type TestContext, test } from 'node:test'
import { ALLOW, Engine, type Guard, type Refusal } from '@postern/core'
import { start, startBackend } from '../harness.ts'
import { certificate, http2Request, http2Session } from '../tls.ts'

const LIMIT = 20_000
const HONEST = Buffer.from('abcdefgh'.repeat(60_000))

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
const watching: Guard = {
  name: 'test',
  failure: 'closed',
  async decide(exchange) {
    const { complete } = await exchange.readBody()
    let text = ''
    let pieces = 0
    const take = (piece: Uint8Array): Refusal | undefined | Promise<Refusal | undefined> => {
      text = (text + Buffer.from(piece).toString('latin1')).slice(-100_000)
      const refusal = text.includes('EVIL') ? REFUSAL : undefined
      if (pieces++ % 3 === 1) return refusal
      return new Promise(resolve => setImmediate(resolve, refusal))
    }
    return complete || (await exchange.watchBody({ take })) ? ALLOW : REFUSAL
  },
}

interface Sides {
  /** Status that the client got; 0 when the connection was cut. */
  readonly status: number
  /** What the backend read, and whether it took it for all of the body. */
  readonly read: string
  readonly isWhole: boolean
  readonly event: string
}

async function post(t: TestContext, body: Buffer, framing: 'length' | 'chunked'): Promise<Sides> {
  let read = ''
  let isWhole = false
  let closed: (() => void) | undefined
  const backendDone = new Promise<void>(resolve => {
    closed = resolve
  })
  const backend = await startBackend(t, (request, response) => {
    request.setEncoding('latin1')
    request.on('data', (chunk: string) => {
      read += chunk
    })
    request.on('end', () => {
      isWhole = true
      response.end('ok')
    })
    request.on('error', () => undefined)
    request.on('close', () => closed?.())
  })
  const engine = new Engine({ guards: [watching], bodyLimit: LIMIT })
  const { port, event } = await start(t, backend.url, { engine })
  const settled = event(({ type }) => type === 'http')
  const status = await new Promise<number>(resolve => {
    const headers = framing === 'length' ? { 'Content-Length': body.length } : {}
    const request = httpRequest({ host: '127.0.0.1', port, method: 'POST', path: '/', headers, agent: false })
    request.on('response', response => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    request.on('error', () => resolve(0))
    request.end(body)
  })
  const said = JSON.stringify(await settled)
  if (backend.seen.length > 0) await backendDone
  return { status, read, isWhole, event: said }
}

for (const framing of ['length', 'chunked'] as const) {
  test(`a body (${framing}) that a guard reads as it goes by reaches the backend whole`, async t => {
    const { status, read, isWhole } = await post(t, HONEST, framing)
    assert.equal(status, 200)
    assert.ok(isWhole)
    assert.equal(read, HONEST.toString('latin1'))
  })

  for (const [where, at] of [
    ['right behind the start', LIMIT + 10],
    ['in the middle', 240_000],
    ['in the last bytes', HONEST.length - 4],
  ] as const)
    test(`an attack ${where} of a body (${framing}) never reaches the backend`, async t => {
      const body = Buffer.from(HONEST)
      body.write('EVIL', at)
      const { status, read, isWhole, event } = await post(t, body, framing)
      assert.ok(status === 403 || status === 0, String(status))
      assert.ok(!isWhole)
      assert.ok(!read.includes('EVIL'))
      assert.match(event, /test\/refused/)
    })
}

test('a body over HTTP/2 is read as it goes by too, and reaches the backend whole or never', async t => {
  let read = ''
  const backend = await startBackend(t, (request, response) => {
    request.setEncoding('latin1')
    request.on('data', (chunk: string) => {
      read += chunk
    })
    request.on('end', () => response.end('ok'))
    request.on('error', () => undefined)
  })
  const engine = new Engine({ guards: [watching], bodyLimit: LIMIT })
  const { port, event } = await start(t, backend.url, { engine, listen: { port: 0, tls: certificate() } })
  const session = http2Session(port)
  try {
    const fields = { ':path': '/', ':method': 'POST' }
    const answer = await http2Request(session, fields, HONEST)
    assert.equal(answer.status, 200)
    assert.equal(read, HONEST.toString('latin1'))
    read = ''
    const attack = Buffer.from(HONEST)
    attack.write('EVIL', 240_000)
    const refused = event(({ outcome }) => outcome !== undefined && outcome.status !== 200)
    const status = await http2Request(session, fields, attack).then(
      ({ status: answered }) => answered,
      () => 0,
    )
    assert.ok(status === 403 || status === 0, String(status))
    assert.match(JSON.stringify(await refused), /test\/refused/)
    assert.ok(!read.includes('EVIL'))
  } finally {
    session.destroy()
  }
})
