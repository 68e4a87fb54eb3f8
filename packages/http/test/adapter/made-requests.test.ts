import assert from 'node:assert/strict'
import { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { describe, test } from 'node:test'
import { ALLOW, Engine, type Event, type Guard } from '@postern/core'
import express5 from 'express'
import { until } from '../../../../test/until.ts'
import { express } from '../../src/index.ts'

interface Made {
  readonly method: string
  readonly headers: Record<string, string | number | readonly string[]>
  readonly body: string
}

/** A request as serverless-http makes it of an event of AWS Lambda: no `rawHeaders`, and complete at once. */
function madeRequest({ method, headers, body }: Made): IncomingMessage {
  const socket = Object.assign(new PassThrough(), { encrypted: true, remoteAddress: '203.0.113.9' })
  const request = new IncomingMessage(socket as unknown as Socket)
  Object.assign(request, {
    ...{ method, url: '/notes', httpVersion: '1.1', complete: true },
    headers: { 'content-length': Buffer.byteLength(body), ...headers },
  })
  request._read = () => {
    request.push(body)
    request.push(null)
  }
  return request
}

/** What the application answers. */
function answered(application: express5.Express, made: Made): Promise<string> {
  const request = madeRequest(made)
  const response = new ServerResponse(request)
  const wire = new PassThrough()
  response.assignSocket(wire as unknown as Socket)
  const { promise, resolve } = Promise.withResolvers<string>()
  response.on('finish', () => {
    response.destroy()
    resolve(`${response.statusCode} ${String(wire.read()).split('\r\n\r\n')[1] ?? ''}`)
  })
  application(request, response)
  return promise
}

describe('a request that was made from an event of a platform', { timeout: 60_000 }, () => {
  const seen: string[] = []
  const events: Event[] = []
  const reading: Guard = {
    name: 'reading',
    failure: 'closed',
    async decide(exchange) {
      const { bytes, complete } = await exchange.readBody()
      const text = Buffer.from(bytes).toString()
      seen.push(`${exchange.headers.join(' ')} ${complete} ${text}`)
      if (!text.includes('attack')) return ALLOW
      return { effect: 'deny', guard: 'reading', status: 403, reasons: [{ rule: 'test', message: 'No.' }] }
    },
  }
  const engine = new Engine({ guards: [reading], bodyLimit: 1_000 })
  engine.listen(event => events.push(event))
  const application = express5()
  application.use(express(engine))
  application.use(express5.json())
  application.use((request, response) => void response.send(request.body))
  const headers = { host: 'shop.example', 'content-type': 'application/json', 'x-tag': ['a', 'b'] }

  test('is decided with its headers and its body, which the handler still receives', async () => {
    const body = '{"note":"hello"}'
    assert.equal(await answered(application, { method: 'POST', headers, body }), `200 ${body}`)
    assert.equal(
      seen.at(-1),
      `content-length 16 host shop.example content-type application/json x-tag a x-tag b true ${body}`,
    )
    const attack = await answered(application, { method: 'POST', headers, body: '{"note":"attack"}' })
    assert.match(attack, /^403 /)
  })

  test('is seen up to the limit when its body is longer, and the handler receives all of it', async () => {
    const body = JSON.stringify({ note: 'n'.repeat(5_000) })
    assert.equal(await answered(application, { method: 'POST', headers, body }), `200 ${body}`)
    assert.ok(seen.at(-1)?.endsWith(`false ${body.slice(0, 1_000)}`))
  })

  test('settles once', async () => {
    await until(() => events.length === 3)
    await answered(application, { method: 'GET', headers, body: '' })
    await until(() => events.length === 4)
    assert.deepEqual(
      events.map(({ outcome }) => outcome?.status),
      [200, 403, 200, 200],
    )
  })
})
