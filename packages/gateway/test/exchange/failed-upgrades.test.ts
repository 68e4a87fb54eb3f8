import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { Engine } from '@postern/core'
import { until } from '../../../../test/until.ts'
import { exchangeBytes, RawClient, start, startRawBackend } from '../harness.ts'

const KEY = 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'
const UPGRADE = `GET /socket HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${KEY}\r\n`
const EVIL = 'GET /evil HTTP/1.1\r\nHost: a\r\n\r\n'

/**
 * What a backend says to an upgrade that it does not make. A client that goes on as if the connection had
 * left HTTP would speak to the backend past the gateway's rules.
 */
const NOT_SWITCHED: Readonly<Record<string, string>> = {
  'a version it does not know': 'HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n',
  'an ordinary page': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  'no right to it': 'HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n',
  'an answer that does not end': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n',
  'a hint, then no':
    'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n',
  'nothing that is HTTP': 'hello\r\n\r\n',
}

describe('an upgrade that the backend does not make', { timeout: 60_000 }, () => {
  for (const [name, answer] of Object.entries(NOT_SWITCHED))
    test(`carries no second request past the rules: ${name}`, async t => {
      let heard = ''
      const backend = await startRawBackend(t, socket => {
        socket.on('data', data => {
          heard += data.toString('latin1')
          socket.write(answer)
          if (name === 'an answer that does not end') socket.end()
        })
      })
      const { port, gateway } = await start(t, backend.url, { timeouts: { idle: '500ms' } })
      const received = await exchangeBytes(port, UPGRADE + EVIL)
      assert.doesNotMatch(heard, /evil/)
      assert.doesNotMatch(received, /^HTTP\/1\.1 101/)
      assert.equal(received.match(/^HTTP\/1\.1 [2-5]\d\d/gm)?.length, 1, received)
      await until(() => gateway.inFlight === 0)
    })

  test('carries none when the gateway refuses it', async t => {
    let heard = ''
    const backend = await startRawBackend(t, socket => {
      socket.on('data', data => {
        heard += data.toString('latin1')
      })
    })
    const engine = new Engine({
      guards: [
        {
          name: 'no',
          failure: 'closed',
          decide: () => ({
            effect: 'deny',
            guard: 'no',
            status: 403,
            reasons: [{ rule: 'no/sockets', message: 'No.' }],
          }),
        },
      ],
    })
    const { port } = await start(t, backend.url, { engine })
    const received = await exchangeBytes(port, UPGRADE + EVIL)
    assert.match(received, /^HTTP\/1\.1 403 /)
    assert.equal(heard, '')
  })
})

describe('a request that asks for another protocol without being a WebSocket', { timeout: 60_000 }, () => {
  for (const upgrade of ['h2c', 'TLS/1.0', 'websocket, h2c', 'h2c, websocket', 'WebSocket/13', 'connect-udp'])
    test(`opens no tunnel and hides no second request: Upgrade: ${upgrade}`, async t => {
      const heard: string[] = []
      const backend = await startRawBackend(t, socket => {
        socket.on('data', data => {
          heard.push(data.toString('latin1'))
          // A backend that would switch if it were asked to.
          const asks = /^upgrade:/im.test(heard.at(-1) ?? '')
          socket.write(
            asks
              ? 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n'
              : 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
          )
        })
      })
      const { port, events } = await start(t, backend.url)
      const first = `GET / HTTP/1.1\r\nHost: a\r\nUpgrade: ${upgrade}\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n`
      const last = 'GET /second HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
      // One after the other, as clients do that offer HTTP/2 in the clear (Java, curl) and go on in HTTP/1.1.
      const client = new RawClient(port)
      client.write(first)
      await client.until('ok')
      client.write(last)
      const received = await client.untilClosed()
      assert.equal(received.match(/HTTP\/1\.1 200 /g)?.length, 2)
      assert.doesNotMatch(received, / 101 /)
      // Whatever reached the backend was decided first, one by one.
      assert.ok(heard.every(text => !/^(upgrade|http2-settings):/im.test(text)))
      const decided = events.filter(({ type }) => type === 'http')
      const begun = heard.join('').match(/^GET /gm)?.length ?? 0
      assert.ok(begun <= decided.length, `${begun} reached the backend, ${decided.length} were decided`)
    })
})

const ACCEPT = 'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo='

/** What stands in a 101 that does not agree to the WebSocket of this client. */
const OTHER_SWITCHES: Readonly<Record<string, string>> = {
  h2c: `Upgrade: h2c\r\n${ACCEPT}`,
  'TLS/1.0': `Upgrade: TLS/1.0\r\n${ACCEPT}`,
  websocket2: `Upgrade: websocket2\r\n${ACCEPT}`,
  'h2c, websocket': `Upgrade: h2c, websocket\r\n${ACCEPT}`,
  // A page that passes on the status of an address that the client names: its connection still is HTTP.
  'a status alone': 'Upgrade: websocket',
  'the accept value of another key':
    'Upgrade: websocket\r\nSec-WebSocket-Accept: HSmrc0sMlYUkAGmm5OPpG2HaGWk=',
  'two accept values': `Upgrade: websocket\r\n${ACCEPT}\r\n${ACCEPT}`,
}

describe('a backend that changes to another protocol than the WebSocket it was asked for', () => {
  const refusesSwitch = async (t: TestContext, headers: string, request: string): Promise<void> => {
    let heard = ''
    const backend = await startRawBackend(t, socket => {
      socket.on('data', data => {
        if (heard === '')
          socket.write(`HTTP/1.1 101 Switching Protocols\r\n${headers}\r\nConnection: Upgrade\r\n\r\nsecret`)
        heard += data.toString('latin1')
      })
    })
    const { port, event } = await start(t, backend.url)
    const received = await exchangeBytes(port, request + EVIL)
    assert.match(received, /^HTTP\/1\.1 502 /)
    assert.doesNotMatch(received, /secret| 101 /)
    assert.equal(heard.match(/^GET /gm)?.length, 1)
    const { outcome } = await event(({ type }) => type === 'http')
    assert.equal(outcome?.status, 502)
  }
  for (const [name, headers] of Object.entries(OTHER_SWITCHES))
    test(`is a backend that failed, and nothing passes: ${name}`, { timeout: 30_000 }, t =>
      refusesSwitch(t, headers, UPGRADE),
    )

  test('is one as well for a client that names no key', { timeout: 30_000 }, t =>
    refusesSwitch(t, `Upgrade: websocket\r\n${ACCEPT}`, UPGRADE.replace(/Sec-WebSocket-Key: .*\r\n/, '')),
  )
})
