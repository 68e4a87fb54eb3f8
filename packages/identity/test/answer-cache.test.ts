// A flood of made-up credentials at methods that ask somebody else about each: an authorization server, the
// application.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { StoreError } from '@postern/core'
import { type IdentifyMethod, introspectionMethod, sessionMethod } from '../src/index.ts'
import { clock, type ExchangeOptions, exchangeOf } from './verify-harness.ts'

interface Asked {
  readonly method: IdentifyMethod
  /** Credentials that are being looked up, or were. */
  readonly looks: string[]
  /** Whether made-up credentials get no answer. */
  stalls: boolean
  sending(credential: string): ExchangeOptions
}

const METHODS: Readonly<Record<string, () => Asked>> = {
  'an introspection endpoint': () => {
    const asked: Asked = {
      looks: [],
      stalls: false,
      sending: text => ({ headers: ['authorization', `Bearer ${text}`] }),
      method: introspectionMethod({
        url: 'https://id.example/introspect',
        clientId: 'shop',
        clientSecret: 'secret',
        audience: 'shop',
        clock,
        fetch: async (_, { body }) => {
          const token = new URLSearchParams(String(body)).get('token') ?? ''
          asked.looks.push(token)
          const isGood = token.startsWith('good')
          if (!isGood && asked.stalls) await new Promise(() => undefined)
          return Response.json(isGood ? { active: true, sub: token, aud: 'shop' } : { active: false })
        },
      }),
    }
    return asked
  },
  'sessions of the application': () => {
    const asked: Asked = {
      looks: [],
      stalls: false,
      sending: text => ({ headers: ['cookie', `sid=${text}`] }),
      method: sessionMethod({
        cookie: 'sid',
        clock,
        find: async value => {
          asked.looks.push(value)
          const isGood = value.startsWith('good')
          if (!isGood && asked.stalls) await new Promise(() => undefined)
          return isGood ? { principal: { kind: 'user', id: value } } : undefined
        },
      }),
    }
    return asked
  },
}

for (const [name, make] of Object.entries(METHODS))
  describe(`made-up credentials at ${name}`, () => {
    const kindOf = async ({ method, sending }: Asked, credential: string): Promise<string> =>
      (await method.identify(exchangeOf(sending(credential)))).kind

    test('attack: asks of thousands at once are bounded, and who was known before is looked up all the same', async () => {
      const asked = make()
      assert.equal(await kindOf(asked, 'good-1'), 'known')
      clock.advance(60_000)
      asked.stalls = true
      const before = asked.looks.length
      const refused: unknown[] = []
      for (let i = 0; i < 5_000; i++)
        void Promise.resolve(asked.method.identify(exchangeOf(asked.sending(`made-up-${i}`)))).catch(
          (error: unknown) => refused.push(error),
        )
      await new Promise(resolve => setImmediate(resolve))
      assert.ok(asked.looks.length - before <= 256, `${asked.looks.length - before} at once`)
      assert.equal(refused.length, 5_000 - (asked.looks.length - before))
      assert.ok(refused.every(error => error instanceof StoreError && error.retryable))
      assert.equal(await kindOf(asked, 'good-1'), 'known')
    })

    test('attack: tens of thousands of them, one after the other, evict nobody who is known', async () => {
      const asked = make()
      assert.equal(await kindOf(asked, 'good-2'), 'known')
      for (let i = 0; i < 21_000; i++) await kindOf(asked, `made-up-${i}`)
      const before = asked.looks.length
      assert.equal(await kindOf(asked, 'good-2'), 'known')
      assert.equal(asked.looks.length, before, 'the answer was kept')
    })
  })

test('attack: one session with other cookies beside it each time evicts nobody who is known', async () => {
  const { method, looks } = METHODS['sessions of the application']?.() ?? assert.fail()
  const send = async (cookie: string): Promise<string> =>
    (await method.identify(exchangeOf({ headers: ['cookie', cookie] }))).kind
  assert.equal(await send('sid=good-1'), 'known')
  for (let i = 0; i < 21_000; i++) await send(`sid=good-2; x=${i}`)
  const before = looks.length
  assert.equal(await send('sid=good-1'), 'known')
  assert.equal(looks.length, before, 'the answer was kept')
})
