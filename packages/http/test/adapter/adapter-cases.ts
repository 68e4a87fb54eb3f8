import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  ALLOW,
  CidrSet,
  Engine,
  type EngineOptions,
  type Event,
  type Exchange,
  type Guard,
  type Outcome,
  type Refusal,
} from '@postern/core'
import type { EngineSource } from '../../src/index.ts'
import type { Adapter, Running, Sent } from '../harness.ts'

interface Setting {
  readonly app: Running
  /** The next event of the engine, past or to come. */
  nextEvent(): Promise<Event>
  readonly events: readonly Event[]
}

const DENIAL: Refusal = {
  effect: 'deny',
  guard: 'test',
  status: 403,
  reasons: [
    {
      rule: 'test/forbidden-word',
      message: 'This request is not accepted.',
      evidence: { location: 'query.q', span: 'the-very-secret-span' },
      exception: { changes: [{ at: ['inspect'], set: 'the-exception' }] },
    },
  ],
  headers: ['X-Refused-By', 'test'],
}

function guard(decide: Guard['decide'], more: Partial<Guard> = {}): Guard {
  return { name: 'test', failure: 'closed', ...more, decide }
}

/** Reads the body, and denies what holds the word `evil`. */
const bodyGuard: Guard = guard(async exchange => {
  const { bytes } = await exchange.readBody()
  return Buffer.from(bytes).includes('evil') ? DENIAL : ALLOW
})

async function withApp(
  adapter: Adapter,
  options: EngineOptions,
  run: (setting: Setting) => Promise<void>,
): Promise<void> {
  const engine = new Engine({ onError: () => {}, ...options })
  await withSource(adapter, engine, engine, run)
}

async function withSource(
  adapter: Adapter,
  source: EngineSource,
  watched: Engine,
  run: (setting: Setting) => Promise<void>,
): Promise<void> {
  const events: Event[] = []
  let taken = 0
  let wake: () => void = () => {}
  watched.listen(event => {
    events.push(event)
    wake()
  })
  const app = await adapter.start(source)
  try {
    await run({
      app,
      events,
      async nextEvent() {
        while (events.length <= taken) {
          await new Promise<void>(resolve => {
            wake = resolve
          })
        }
        return events[taken++] as Event
      },
    })
  } finally {
    await app.close()
  }
}

/** The suite: what every adapter must do, and in the same way. */
export function adapterCases(adapter: Adapter): void {
  const seen = (status: number): number => (adapter.seesOutcome ? status : 0)

  describe(`the layer in ${adapter.name}`, { timeout: 60_000 }, () => {
    test('lets a request pass and reports how it ended', async () => {
      const settled: Outcome[] = []
      const passing = guard(() => ALLOW, { settle: (_, outcome) => void settled.push(outcome) })
      await withApp(adapter, { guards: [passing] }, async ({ app, nextEvent, events }) => {
        const reply = await app.send({ path: '/hello?x=1', headers: { 'User-Agent': 'suite' } })
        assert.equal(reply.status, 200)
        assert.equal(reply.body, 'hello')
        const event = await nextEvent()
        assert.equal(event.decision, 'allow')
        assert.equal(event.actor.address, '127.0.0.1')
        assert.equal(event.actor.agent, 'suite')
        assert.equal(event.request?.method, 'GET')
        assert.equal(event.request?.path, '/hello')
        assert.equal(event.request?.query, 'x=1')
        assert.match(event.request?.host ?? '', /^(127\.0\.0\.1|localhost)/)
        assert.equal(event.outcome?.status, seen(200))
        assert.equal(event.outcome?.aborted, false)
        assert.ok((event.outcome?.duration ?? -1) >= 0)
        if (adapter.seesOutcome) assert.equal(event.outcome?.bytes, 5)
        assert.equal(settled.length, 1)
        assert.equal(events.length, 1)
      })
    })

    test('answers a throttled request with 429 and when to come back', async () => {
      const throttling = guard(() => ({
        effect: 'throttle',
        guard: 'test',
        status: 429,
        retryAfter: 7,
        reasons: [{ rule: 'limit/test', message: 'Slow down, please.' }],
      }))
      await withApp(adapter, { guards: [throttling] }, async ({ app, nextEvent }) => {
        const reply = await app.send({ path: '/hello' })
        const event = await nextEvent()
        assert.equal(reply.status, 429)
        assert.equal(reply.headers['retry-after'], '7')
        assert.equal(reply.headers['content-type'], 'application/problem+json')
        assert.equal(reply.headers['cache-control'], 'no-store')
        assert.equal(reply.headers['content-length'] ?? `${reply.body.length}`, `${reply.body.length}`)
        assert.equal(reply.headers['x-request-id'], event.request?.id)
        assert.deepEqual(JSON.parse(reply.body), {
          type: 'urn:postern:refusal:throttle',
          title: 'Too many requests',
          status: 429,
          detail: 'Slow down, please.',
          instance: `urn:postern:request:${event.request?.id}`,
          retryAfter: 7,
        })
        assert.equal(app.handled(), 0)
        assert.equal(event.outcome?.status, 429)
        assert.equal(event.outcome?.bytes, reply.body.length)
      })
    })

    test('gives the evidence of a refusal to the operator alone', async () => {
      await withApp(adapter, { guards: [guard(() => DENIAL)] }, async ({ app, nextEvent }) => {
        const reply = await app.send({ path: '/hello' })
        const event = await nextEvent()
        assert.equal(reply.status, 403)
        assert.equal(reply.headers['x-refused-by'], 'test')
        const told = JSON.stringify(reply)
        for (const hidden of ['the-very-secret-span', 'forbidden-word', 'the-exception', 'query.q']) {
          assert.ok(!told.includes(hidden), hidden)
        }
        assert.equal(event.reasons?.[0]?.evidence?.span, 'the-very-secret-span')
        assert.equal(event.guard, 'test')
      })
    })

    test('explains itself to a browser in HTML', async () => {
      await withApp(adapter, { guards: [guard(() => DENIAL)] }, async ({ app }) => {
        const reply = await app.send({ path: '/hello', headers: { Accept: 'text/html,*/*' } })
        assert.equal(reply.headers['content-type'], 'text/html; charset=utf-8')
        assert.match(reply.body, /^<!doctype html>/)
        assert.match(reply.body, /This request is not accepted\./)
      })
    })

    test('only notes what an observing guard would refuse', async () => {
      const observing = guard(() => DENIAL, { mode: 'observe' })
      await withApp(adapter, { guards: [observing] }, async ({ app, nextEvent }) => {
        assert.equal((await app.send({ path: '/hello' })).body, 'hello')
        const event = await nextEvent()
        assert.equal(event.decision, 'allow')
        assert.equal(event.observed, 'deny')
      })
    })

    test('waits for a guard that has to', async () => {
      const slow = guard(async exchange => {
        await new Promise(setImmediate)
        return exchange.path.query === 'q=bad' ? DENIAL : ALLOW
      })
      await withApp(adapter, { guards: [slow] }, async ({ app }) => {
        assert.equal((await app.send({ path: '/hello' })).body, 'hello')
        assert.equal((await app.send({ path: '/hello?q=bad' })).status, 403)
        assert.equal(app.handled(), 1)
      })
    })

    for (const kind of ['throws', 'rejects']) {
      test(`answers by its failure policy for a guard that ${kind}`, async () => {
        const decide = (): never | Promise<never> => {
          if (kind === 'throws') throw new Error('broken')
          return Promise.reject(new Error('broken'))
        }
        await withApp(adapter, { guards: [guard(decide, { failure: 'open' })] }, async ({ app }) => {
          assert.equal((await app.send({ path: '/hello' })).status, 200)
        })
        await withApp(adapter, { guards: [guard(decide)] }, async ({ app }) => {
          const reply = await app.send({ path: '/hello' })
          assert.equal(reply.status, 503)
          assert.equal(reply.headers['retry-after'], '5')
          assert.ok(!reply.body.includes('broken'))
        })
      })
    }

    test('reads a body ahead and refuses what it finds there', async () => {
      await withApp(adapter, { guards: [bodyGuard] }, async ({ app }) => {
        const reply = await app.send({ method: 'POST', path: '/echo', body: 'this is evil' })
        assert.equal(reply.status, 403)
        assert.equal(app.handled(), 0)
      })
    })

    const limit = 4_096
    const bodies: readonly (readonly [string, Partial<Sent>])[] = [
      ['with a length', { body: 'a short one' }],
      ['in chunks', { body: 'one that arrives in pieces', pieces: 5 }],
      ['that is empty', { body: '' }],
      ['that is empty and chunked', { body: '', pieces: 1 }],
      ['of one byte less than the limit', { body: 'x'.repeat(limit - 1) }],
      ['of exactly the limit', { body: 'x'.repeat(limit) }],
      ['of exactly the limit in chunks', { body: 'x'.repeat(limit), pieces: 1_000 }],
      ['of one byte more than the limit', { body: 'x'.repeat(limit + 1) }],
      ['far beyond the limit', { body: 'abcdefgh'.repeat(100_000) }],
      ['far beyond the limit in chunks', { body: 'abcdefgh'.repeat(100_000), pieces: 10_000 }],
    ]
    for (const [what, sent] of bodies) {
      test(`leaves a body ${what} whole for the handler after reading ahead`, async () => {
        let prefix = { length: -1, complete: false }
        const reading = guard(async exchange => {
          const { bytes, complete } = await exchange.readBody()
          prefix = { length: bytes.length, complete }
          return ALLOW
        })
        await withApp(adapter, { guards: [reading], bodyLimit: limit }, async ({ app }) => {
          const reply = await app.send({ method: 'POST', path: '/echo', ...sent })
          assert.equal(reply.status, 200)
          assert.ok(reply.body === sent.body, `${reply.body.length} bytes came back`)
          const length = sent.body?.length ?? 0
          assert.deepEqual(prefix, { length: Math.min(length, limit), complete: length <= limit })
        })
      })
    }

    test('leaves a body whole for a body parser', async () => {
      await withApp(adapter, { guards: [bodyGuard] }, async ({ app }) => {
        for (const pieces of [undefined, 3]) {
          const reply = await app.send({
            method: 'POST',
            path: '/json',
            headers: { 'Content-Type': 'application/json' },
            body: '{"a":[1,2,3]}',
            ...(pieces !== undefined && { pieces }),
          })
          assert.equal(reply.body, '{"got":{"a":[1,2,3]}}')
        }
      })
    })

    test('puts the headers that guards want on the answer', async () => {
      const replying = guard(exchange => {
        exchange.reply('RateLimit', '"default";r=5;t=30')
        exchange.reply('Set-Cookie', 'a=1')
        exchange.reply('Set-Cookie', 'b=2')
        return exchange.path.query === '' ? ALLOW : DENIAL
      })
      await withApp(adapter, { guards: [replying] }, async ({ app }) => {
        for (const path of ['/hello', '/hello?refused']) {
          const reply = await app.send({ path })
          assert.equal(reply.headers['ratelimit'], '"default";r=5;t=30')
          assert.deepEqual(reply.headers['set-cookie'], ['a=1', 'b=2'])
        }
      })
    })

    test('lets a guard change request headers for the handler, and still sees what arrived', async () => {
      const changing = guard(exchange => {
        exchange.setRequestHeader('cookie', 'inner=42')
        exchange.setRequestHeader('x-secret', undefined)
        exchange.setRequestHeader('x-added', 'by-guard')
        return ALLOW
      })
      const later = guard(async exchange => {
        await exchange.readBody()
        return exchange.header('cookie') === 'sealed=abc' ? ALLOW : DENIAL
      })
      for (const guards of [[changing], [changing, later]]) {
        await withApp(adapter, { guards }, async ({ app, nextEvent }) => {
          const headers = { Cookie: 'sealed=abc', 'X-Secret': 'out', 'User-Agent': 'suite' }
          const reply = await app.send({ path: '/seen', headers })
          assert.deepEqual(JSON.parse(reply.body), { cookie: 'inner=42', secret: null, added: 'by-guard' })
          assert.equal((await nextEvent()).actor.agent, 'suite')
        })
      }
    })

    test('keeps a body whole when a guard changes request headers', async () => {
      const changing = guard(exchange => {
        exchange.setRequestHeader('x-added', 'by-guard')
        return ALLOW
      })
      await withApp(adapter, { guards: [changing, bodyGuard] }, async ({ app }) => {
        assert.equal((await app.send({ method: 'POST', path: '/echo', body: 'whole' })).body, 'whole')
      })
    })

    test('serves what a guard answers itself, and nothing behind it is asked', async () => {
      let later = 0
      const settled: number[] = []
      const serving = guard(
        exchange => {
          if (exchange.path.canonical !== '/.postern/sign-in') return ALLOW
          exchange.reply('X-Replied', 'yes')
          const headers = [
            'Content-Type',
            'text/html; charset=utf-8',
            'Set-Cookie',
            'a=1',
            'Set-Cookie',
            'b=2',
          ]
          return { effect: 'allow', answer: { status: 401, headers, body: Buffer.from('<p>h\u00e9llo</p>') } }
        },
        { settle: (_, outcome) => void settled.push(outcome.status) },
      )
      const counting = guard(() => {
        later++
        return ALLOW
      })
      await withApp(adapter, { guards: [serving, counting] }, async ({ app, nextEvent }) => {
        const reply = await app.send({ path: '/.postern/sign-in' })
        const event = await nextEvent()
        assert.equal(reply.status, 401)
        assert.equal(reply.body, '<p>h\u00e9llo</p>')
        assert.equal(reply.headers['content-type'], 'text/html; charset=utf-8')
        assert.equal(reply.headers['x-replied'], 'yes')
        assert.equal(reply.headers['x-request-id'], event.request?.id)
        assert.deepEqual(reply.headers['set-cookie'], ['a=1', 'b=2'])
        assert.equal(event.decision, 'allow')
        assert.equal(event.outcome?.status, 401)
        assert.equal(app.handled(), 0)
        assert.equal(later, 0)
        assert.deepEqual(settled, [401])
        assert.equal((await app.send({ path: '/hello' })).body, 'hello')
        assert.equal(later, 1)
      })
    })

    test('serves an answer after a guard that had to wait, to HEAD without its body, and 204 without any', async () => {
      const serving = guard(async exchange => {
        await new Promise(setImmediate)
        const status = exchange.path.query === 'none' ? 204 : 200
        return { effect: 'allow', answer: { status, headers: [], body: 'page' } }
      })
      await withApp(adapter, { guards: [serving] }, async ({ app }) => {
        assert.equal((await app.send({ path: '/hello' })).body, 'page')
        const head = await app.send({ method: 'HEAD', path: '/hello' })
        assert.deepEqual([head.status, head.body], [200, ''])
        const none = await app.send({ path: '/hello?none' })
        assert.deepEqual([none.status, none.body], [204, ''])
        assert.equal(app.handled(), 0)
      })
    })

    test('serves the answer of an observing guard too', async () => {
      const serving = guard(() => ({ effect: 'allow', answer: { status: 200, headers: [], body: 'page' } }), {
        mode: 'observe',
      })
      await withApp(adapter, { guards: [serving], mode: 'observe' }, async ({ app }) => {
        assert.equal((await app.send({ path: '/hello' })).body, 'page')
      })
    })

    describe('shows guards the head of the answer', () => {
      const heads: [number, string | undefined][] = []
      const hooked = (onAnswer: NonNullable<Guard['onAnswer']>): Guard => guard(() => ALLOW, { onAnswer })
      const sealing = hooked((_exchange, head) => {
        heads.push([head.status, head.get('x-handler')])
        const cookies = head.getAll('Set-Cookie').map(cookie => `sealed-${cookie}`)
        if (cookies.length > 0) head.set('set-cookie', cookies)
        head.append('Set-Cookie', 'added=1')
        head.remove('x-handler')
        head.set('X-Guarded', 'yes')
      })
      if (!adapter.showsAnswer) return

      test('which they change before it is sent, once', async () => {
        heads.length = 0
        await withApp(adapter, { guards: [sealing] }, async ({ app }) => {
          const reply = await app.send({ path: '/cookies' })
          assert.equal(reply.body, 'cookies')
          assert.deepEqual(reply.headers['set-cookie'], ['sealed-inner=1', 'sealed-theme=dark', 'added=1'])
          assert.equal(reply.headers['x-handler'], undefined)
          assert.equal(reply.headers['x-guarded'], 'yes')
          assert.deepEqual(heads, [[200, 'yes']])
        })
      })

      for (const [path, status] of [
        ['/empty', 204],
        ['/stream', 200],
        ['/seen', 200],
        ['/error', 500],
      ] as const) {
        test(`of ${path}`, async () => {
          heads.length = 0
          await withApp(adapter, { guards: [sealing] }, async ({ app, nextEvent }) => {
            const reply = await app.send({ path })
            assert.equal(reply.status, status)
            // An error that escapes a fetch handler is answered by the runtime, outside of any handler's
            // answer.
            if (adapter.name === 'fetch' && path === '/error') assert.deepEqual(heads, [])
            else {
              assert.deepEqual(heads, [[status, undefined]])
              assert.equal(reply.headers['x-guarded'], 'yes')
            }
            assert.equal((await nextEvent()).outcome?.status, status)
          })
        })
      }

      test('but not of answers that Postern makes itself, and only those guards that were asked', async () => {
        heads.length = 0
        const late = hooked(() => assert.fail('was never asked'))
        await withApp(adapter, { guards: [sealing, guard(() => DENIAL), late] }, async ({ app }) => {
          const reply = await app.send({ path: '/cookies' })
          assert.equal(reply.status, 403)
          assert.equal(reply.headers['x-guarded'], undefined)
          assert.deepEqual(heads, [])
        })
      })

      test('and sends it all the same when one of them fails or asks for what cannot be sent', async () => {
        const told: string[] = []
        const failing = hooked((_exchange, head) => {
          head.set('X-Guarded', 'split\r\nX-Smuggled: yes')
        })
        const framing = hooked((_exchange, head) => head.set('Content-Length', '1'))
        const options = {
          guards: [failing, framing, sealing],
          onError: (_part: string, error: unknown) => void told.push(String(error)),
        }
        await withApp(adapter, options, async ({ app }) => {
          const reply = await app.send({ path: '/cookies' })
          assert.equal(reply.body, 'cookies')
          assert.equal(reply.headers['x-guarded'], 'yes')
          assert.equal(reply.headers['x-smuggled'], undefined)
          assert.equal(told.length, 2)
          assert.ok(!told.join().includes('Smuggled'))
        })
      })
    })

    test('ignores what an untrusted peer says of the client', async () => {
      await withApp(adapter, {}, async ({ app, nextEvent }) => {
        const headers = { 'X-Forwarded-For': '203.0.113.9', Forwarded: 'for=203.0.113.9' }
        await app.send({ path: '/hello', headers })
        assert.equal((await nextEvent()).actor.address, '127.0.0.1')
      })
    })

    test('finds the client behind trusted proxies, not the one it claims to be', async () => {
      const trustedProxies = CidrSet.parse(['loopback', '10.0.0.0/8'])
      await withApp(adapter, { trustedProxies }, async ({ app, nextEvent }) => {
        const headers = {
          'X-Forwarded-For': '203.0.113.9, 198.51.100.7, 10.1.2.3',
          Forwarded: 'for=203.0.113.9',
        }
        await app.send({ path: '/hello', headers })
        assert.equal((await nextEvent()).actor.address, '198.51.100.7')
      })
    })

    test('refuses a HEAD request with the head of the refusal and no body', async () => {
      await withApp(adapter, { guards: [guard(() => DENIAL)] }, async ({ app, nextEvent }) => {
        const reply = await app.send({ method: 'HEAD', path: '/hello' })
        assert.equal(reply.status, 403)
        assert.equal(reply.body, '')
        assert.equal(reply.headers['content-type'], 'application/problem+json')
        const event = await nextEvent()
        assert.equal(event.outcome?.bytes, 0)
      })
    })

    test('lets a HEAD request pass', async () => {
      await withApp(adapter, {}, async ({ app, nextEvent }) => {
        const reply = await app.send({ method: 'HEAD', path: '/hello' })
        assert.equal(reply.status, 200)
        assert.equal(reply.body, '')
        assert.equal((await nextEvent()).outcome?.status, seen(200))
      })
    })

    test('settles when a stream has ended, with its bytes', async () => {
      await withApp(adapter, {}, async ({ app, nextEvent, events }) => {
        const reply = await app.send({ path: '/stream' })
        assert.equal(reply.body, 'one two three')
        const { outcome } = await nextEvent()
        assert.equal(outcome?.status, seen(200))
        assert.equal(outcome?.aborted, false)
        if (adapter.seesOutcome) assert.ok((outcome?.bytes ?? 0) >= 'one two three'.length)
        assert.equal(events.length, 1)
      })
    })

    test('tells of an error in the handler as a 500', async () => {
      await withApp(adapter, {}, async ({ app, nextEvent, events }) => {
        assert.equal((await app.send({ path: '/error' })).status, 500)
        assert.equal((await nextEvent()).outcome?.status, seen(500))
        assert.equal(events.length, 1)
      })
    })

    if (adapter.seesOutcome)
      test('settles once, as aborted, when the client leaves in the middle of the answer', async () => {
        const settled: Exchange[] = []
        const passing = guard(() => ALLOW, { settle: exchange => void settled.push(exchange) })
        await withApp(adapter, { guards: [passing] }, async ({ app, nextEvent, events }) => {
          const begun = await app.begin({ path: '/endless' })
          await begun.abort()
          const { outcome } = await nextEvent()
          assert.equal(outcome?.aborted, true)
          assert.equal(outcome?.status, 200)
          assert.equal(settled.length, 1)
          assert.equal(events.length, 1)
        })
      })

    test('owes a guard its settle also when the client left while it was deciding', async () => {
      const asked = Promise.withResolvers<void>()
      const answer = Promise.withResolvers<typeof ALLOW>()
      const order: string[] = []
      const waiting = guard(
        () => {
          asked.resolve()
          return answer.promise
        },
        { settle: () => void order.push('settled') },
      )
      await withApp(adapter, { guards: [waiting] }, async ({ app, nextEvent }) => {
        const begun = app.dispatch({ path: '/hello' })
        await asked.promise
        await begun.abort()
        order.push('answered')
        answer.resolve(ALLOW)
        const { outcome } = await nextEvent()
        assert.equal(outcome?.status, 0)
        assert.equal(outcome?.aborted, true)
        assert.equal(app.handled(), 0)
        assert.deepEqual(order, ['answered', 'settled'])
      })
    })

    if (adapter.seesOutcome)
      test('settles an exchange on the engine that opened it when a reload swapped engines', async () => {
        const first = new Engine()
        const second = new Engine({ guards: [guard(() => DENIAL)] })
        let current = first
        await withSource(
          adapter,
          () => current,
          first,
          async ({ app, nextEvent, events }) => {
            const begun = await app.begin({ path: '/endless' })
            current = second
            assert.equal((await app.send({ path: '/hello' })).status, 403)
            assert.equal(events.length, 0)
            await begun.abort()
            assert.equal((await nextEvent()).outcome?.aborted, true)
          },
        )
      })
  })
}
