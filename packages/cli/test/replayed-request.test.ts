import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { LogRecord } from '@postern/access-log'
import { ALLOW, Engine, type Guard, VirtualClock } from '@postern/core'
import { rememberingGuard } from '../../runtime/src/guards/remembering-guard.ts'
import { ReplayedRequests } from '../src/replay/replayed-request.ts'

function entry(changes: Partial<LogRecord> = {}): LogRecord {
  return {
    time: 0,
    address: '192.0.2.1',
    method: 'GET',
    target: '/a',
    httpVersion: '1.1',
    status: 200,
    bytes: 1,
    agent: 'Mozilla/5.0',
    referer: 'https://shop.example/',
    ...changes,
  }
}

describe('a log line as a request', () => {
  test('says what the log keeps and nothing else', () => {
    const request = new ReplayedRequests().of(entry({ host: 'shop.example' }))
    assert.deepEqual(request?.headers, [
      'host',
      'shop.example',
      'user-agent',
      'Mozilla/5.0',
      'referer',
      'https://shop.example/',
    ])
    assert.equal(request?.body, undefined)
  })

  test('has the same headers as others of that agent, referer and host, and as no others', () => {
    const requests = new ReplayedRequests()
    const first = requests.of(entry())
    assert.equal(requests.of(entry({ target: '/b' }))?.headers, first?.headers)
    for (const other of [{ agent: 'curl/8' }, { referer: 'https://x.example/' }, { host: 'y.example' }])
      assert.notDeepEqual(requests.of(entry(other))?.headers, first?.headers)
  })

  test('does not keep headers without end, nor long ones', () => {
    const requests = new ReplayedRequests()
    const first = requests.of(entry())
    for (let i = 0; i < 8_192; i++) requests.of(entry({ agent: `agent ${i}` }))
    const again = requests.of(entry())
    assert.notEqual(again?.headers, first?.headers)
    assert.deepEqual(again?.headers, first?.headers)
    const long = entry({ agent: 'a'.repeat(600) })
    assert.notEqual(requests.of(long)?.headers, requests.of(long)?.headers)
  })

  test('is undefined where the address is invalid', () => {
    assert.equal(new ReplayedRequests().of(entry({ address: 'not-an-address' })), undefined)
  })
})

describe('a guard that remembers', () => {
  test('is asked once about the same request, and again about one that differs in anything', () => {
    let asked = 0
    const guard: Guard = {
      name: 'count',
      failure: 'open',
      decide() {
        asked++
        return ALLOW
      },
    }
    const requests = new ReplayedRequests()
    const engine = new Engine({ guards: [rememberingGuard(guard)], clock: new VirtualClock(0) })
    const ask = (changes: Partial<LogRecord>): number => {
      const request = requests.of(entry(changes))
      assert.ok(request !== undefined)
      void engine.decide(engine.open(request))
      return asked
    }
    assert.equal(ask({}), 1)
    assert.equal(ask({}), 1)
    assert.equal(ask({ address: '192.0.2.2' }), 1, 'the address is not part of what is inspected')
    assert.equal(ask({ target: '/b' }), 2)
    assert.equal(ask({ method: 'POST' }), 3)
    assert.equal(ask({ agent: 'curl/8' }), 4)
    assert.equal(ask({ referer: 'https://x.example/' }), 5)
    assert.equal(ask({}), 5)
  })
})
