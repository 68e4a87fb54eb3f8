import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { runInNewContext } from 'node:vm'
import {
  type Decision,
  type Exchange,
  type Guard,
  type Refusal,
  refusalAnswer,
  VirtualClock,
} from '@postern/core'
import { parseActor } from '../src/actor-text.ts'
import { CHALLENGE_WORDS } from '../src/challenge-words.ts'
import { isSolution } from '../src/proof-of-work.ts'
import { type RemediationGuardOptions, remediationGuard } from '../src/remediation-guard.ts'
import { RemediationStore } from '../src/remediation-store.ts'
import { exchangeFrom } from './support.ts'

const ADDRESS = '192.0.2.7'
const AGENT = ['User-Agent', 'Firefox'] as const

async function guardWith(
  measure: 'block' | 'throttle' | 'challenge',
  options: RemediationGuardOptions = {},
): Promise<{ guard: Guard; clock: VirtualClock; store: RemediationStore }> {
  const clock = new VirtualClock()
  const store = await RemediationStore.open({ clock })
  await store.add({
    actor: parseActor(ADDRESS),
    measure,
    for: '1d',
    reason: 'too many probes',
    origin: 'http-probing',
  })
  return { guard: remediationGuard(store, { clock, difficulty: 8, ...options }), clock, store }
}

function refusal(decision: Decision | Promise<Decision>): Refusal {
  assert.ok(!(decision instanceof Promise) && decision.effect !== 'allow')
  return decision
}

function puzzleOf(said: Refusal): string {
  const at = said.headers?.indexOf('X-Postern-Puzzle') ?? -1
  return said.headers?.[at + 1] ?? ''
}

function solve(puzzle: string, difficulty = 8): string {
  for (let i = 0; ; i++) if (isSolution(`${puzzle}:${i}`, difficulty)) return `${puzzle}:${i}`
}

const asks = (guard: Guard, headers: readonly string[] = [], peer = ADDRESS): Decision => {
  const decision = guard.decide(exchangeFrom(peer, headers))
  assert.ok(!(decision instanceof Promise))
  return decision
}

describe('remediation guard', () => {
  test('block refuses with the reason for the operator and a way out', async () => {
    const { guard, store } = await guardWith('block')
    const said = refusal(asks(guard))
    assert.equal(said.status, 403)
    assert.equal(said.reasons[0].rule, 'remediation/block')
    assert.equal(said.reasons[0].exception?.command, `postern unban ${ADDRESS}`)
    assert.equal(said.reasons[0].evidence?.facts?.['why'], 'too many probes')
    assert.doesNotMatch(said.reasons[0].message, /probes/)
    assert.equal(asks(guard, [], '192.0.2.8').effect, 'allow')
    await store.close()
  })

  test('throttle lets a trickle through and says when to come back', async () => {
    const { guard, clock, store } = await guardWith('throttle', {
      throttle: { count: 6, per: '1m', burst: 2 },
    })
    assert.equal(asks(guard).effect, 'allow')
    assert.equal(asks(guard).effect, 'allow')
    const said = refusal(asks(guard))
    assert.equal(said.status, 429)
    assert.equal(said.retryAfter, 10)
    clock.advance(10_000)
    assert.equal(asks(guard).effect, 'allow')
    assert.equal(refusal(asks(guard)).effect, 'throttle')
    await store.close()
  })

  test('challenge gives a browser a page that stands alone, and an API client words and a puzzle', async () => {
    const { guard, store } = await guardWith('challenge')
    const browser = exchangeFrom(ADDRESS, ['Accept', 'text/html', ...AGENT])
    const page = refusalAnswer(refusal(guard.decide(browser)), browser)
    assert.equal(page.status, 403)
    assert.match(page.body, /<!doctype html>/)
    assert.doesNotMatch(page.body, /src=|href=|https?:\/\//)
    assert.match(page.headers.join('\n'), /script-src 'nonce-/)
    const api = exchangeFrom(ADDRESS, ['Accept', 'application/json'])
    const answer = refusalAnswer(refusal(guard.decide(api)), api)
    assert.match(answer.body, /X-Postern-Solution/)
    assert.match(answer.headers.join('\n'), /X-Postern-Puzzle/)
    await store.close()
  })

  test('the page solves its own puzzle, and the solution is accepted', async () => {
    const { guard, store } = await guardWith('challenge')
    const exchange = exchangeFrom(ADDRESS, ['Accept', 'text/html', ...AGENT])
    const html = refusal(guard.decide(exchange)).content?.text ?? ''
    const script = /<script nonce="[^"]+">(.*)<\/script>/s.exec(html)?.[1] ?? ''
    const cookie = await new Promise<string>(resolve => {
      const document = { cookie: '' }
      runInNewContext(script, {
        document,
        location: { protocol: 'http:', reload: () => resolve(document.cookie) },
        setTimeout: setImmediate,
      })
    })
    const [pair = ''] = cookie.split(';')
    assert.equal(asks(guard, ['Cookie', `a=b; ${pair}`, ...AGENT]).effect, 'allow')
    await store.close()
  })

  test('the page speaks the language of its reader, and says when a form has to be sent again', async () => {
    const { guard, store } = await guardWith('challenge')
    const titles = new Set<string>()
    for (const [language, words] of Object.entries(CHALLENGE_WORDS)) {
      const headers = ['Accept', 'text/html', 'Accept-Language', `${language}-XX,en;q=0.5`, ...AGENT]
      const exchange = exchangeFrom(ADDRESS, headers, {}, 'POST')
      const html = refusal(guard.decide(exchange)).content?.text ?? ''
      assert.ok(html.includes(`<html lang="${language}" dir="${language === 'ar' ? 'rtl' : 'ltr'}">`))
      assert.ok(html.includes(`<title>${words.title}</title>`))
      assert.ok(html.includes(exchange.id))
      titles.add(words.title)
      const script = /<script nonce="[^"]+">(.*)<\/script>/s.exec(html)?.[1] ?? ''
      const said = await new Promise<string>(resolve => {
        const status = { textContent: '' }
        runInNewContext(script, {
          document: { cookie: '', querySelector: () => status },
          location: { protocol: 'http:' },
          history: { back: () => resolve(status.textContent) },
          setTimeout: setImmediate,
        })
      })
      assert.equal(said, words.goBack)
    }
    assert.equal(titles.size, 6)
    await store.close()
  })

  test('cookies of the same names that a subdomain planted keep nobody in the challenge', async () => {
    const { guard, store } = await guardWith('challenge')
    const solution = solve(puzzleOf(refusal(asks(guard, AGENT))))
    const both = ['Cookie', `postern_solution=x; postern_solution=${solution}`, ...AGENT]
    const solved = exchangeFrom(ADDRESS, both)
    assert.equal((guard.decide(solved) as Decision).effect, 'allow')
    const clearance = /postern_clearance=[^;]+/.exec(solved.replyHeaders?.join('\n') ?? '')?.[0] ?? ''
    for (const planted of ['x', '', '9999999999999.x', '1'.repeat(60)])
      assert.equal(
        asks(guard, ['Cookie', `postern_clearance=${planted}; ${clearance}`, ...AGENT]).effect,
        'allow',
        planted,
      )
    await store.close()
  })

  test('a solution is taken once, and buys a clearance for the same client only', async () => {
    const { guard, clock, store } = await guardWith('challenge', { clearance: '30m' })
    const solution = solve(puzzleOf(refusal(asks(guard, AGENT))))
    const redeem = (peer: string, agent: readonly string[]): Exchange =>
      exchangeFrom(peer, ['X-Postern-Solution', solution, ...agent])

    await store.add({ actor: parseActor('192.0.2.8'), measure: 'challenge', for: '1d', reason: '' })
    assert.equal(refusal(guard.decide(redeem('192.0.2.8', AGENT))).effect, 'challenge')
    assert.equal(refusal(guard.decide(redeem(ADDRESS, ['User-Agent', 'other']))).effect, 'challenge')

    const first = redeem(ADDRESS, AGENT)
    assert.equal((guard.decide(first) as Decision).effect, 'allow')
    const cookies = first.replyHeaders?.join('\n') ?? ''
    assert.match(cookies, /postern_clearance=.*Max-Age=1800; HttpOnly; SameSite=Lax/)
    assert.match(cookies, /postern_solution=; Path=\/; Max-Age=0/, 'the browser forgets the solution')
    assert.doesNotMatch(cookies, /Secure/, 'which plain HTTP would not send back')
    assert.equal(refusal(guard.decide(redeem(ADDRESS, AGENT))).effect, 'challenge', 'used up')

    const clearance = /postern_clearance=([^;]+)/.exec(cookies)?.[0] ?? ''
    assert.equal(asks(guard, ['Cookie', clearance, ...AGENT]).effect, 'allow')
    assert.equal(asks(guard, ['Cookie', clearance, ...AGENT], '192.0.2.8').effect, 'challenge', 'stolen')
    clock.advance(31 * 60_000)
    assert.equal(asks(guard, ['Cookie', clearance, ...AGENT]).effect, 'challenge', 'ended')
    await store.close()
  })

  test('refuses solutions that are forged, stale, of another secret or of an easier puzzle', async () => {
    const { guard, clock, store } = await guardWith('challenge', {
      difficulty: 12,
      secret: new Uint8Array(32).fill(1),
    })
    const other = await guardWith('challenge', { difficulty: 8, secret: new Uint8Array(32).fill(2) })
    const easier = await guardWith('challenge', { difficulty: 8, secret: new Uint8Array(32).fill(1) })
    const puzzle = puzzleOf(refusal(asks(guard, AGENT)))
    const attempts = [
      solve(puzzleOf(refusal(asks(other.guard, AGENT)))),
      solve(puzzleOf(refusal(asks(easier.guard, AGENT)))),
      solve(puzzle.replace(/^12/, '8')),
      `${puzzle}:0x1`,
      `${puzzle}:-1`,
      puzzle,
      ':',
      '',
      'x'.repeat(10_000),
    ]
    for (const attempt of attempts)
      assert.equal(
        asks(guard, ['X-Postern-Solution', attempt, ...AGENT]).effect,
        'challenge',
        attempt.slice(0, 40),
      )
    const late = solve(puzzle, 12)
    clock.advance(121_000)
    assert.equal(asks(guard, ['X-Postern-Solution', late, ...AGENT]).effect, 'challenge')
    for (const one of [store, other.store, easier.store]) await one.close()
  })

  test('refuses a short secret and an absurd difficulty', async () => {
    const store = await RemediationStore.open()
    assert.throws(() => remediationGuard(store, { secret: new Uint8Array(8) }), { code: 'POSTERN_CONFIG' })
    assert.throws(() => remediationGuard(store, { difficulty: 60 }), { code: 'POSTERN_CONFIG' })
    await store.close()
  })

  test('a ban says how many seconds are left, and never none', async () => {
    const { guard, clock, store } = await guardWith('block')
    assert.equal(refusal(asks(guard)).retryAfter, 86_400)
    clock.advance(86_400_000 - 1_500)
    assert.equal(refusal(asks(guard)).retryAfter, 2)
    clock.advance(1_499)
    assert.equal(refusal(asks(guard)).retryAfter, 1)
    await store.close()
  })

  test('preflights of a browser use up nothing of what a throttled actor may send', async () => {
    const { guard, store } = await guardWith('throttle', { throttle: { count: 6, per: '1m', burst: 1 } })
    const preflight = ['Origin', 'https://other.example', 'Access-Control-Request-Method', 'PUT']
    for (let i = 0; i < 3; i++)
      assert.equal(
        (guard.decide(exchangeFrom(ADDRESS, preflight, {}, 'OPTIONS')) as Decision).effect,
        'allow',
      )
    assert.equal(asks(guard).effect, 'allow')
    assert.equal(asks(guard).effect, 'throttle')
    assert.equal(
      (guard.decide(exchangeFrom(ADDRESS, preflight, {}, 'OPTIONS')) as Decision).effect,
      'allow',
      'also when it is used up',
    )
    await store.close()
  })

  test('a ban by hand names no change of the configuration, a found one protects the address', async () => {
    const clock = new VirtualClock()
    const store = await RemediationStore.open({ clock })
    const changesFor = async (origin: string, actor: string, peer = ADDRESS): Promise<unknown> => {
      const { id } = await store.add({ actor: parseActor(actor), for: '1h', reason: '', origin })
      const said = refusal(asks(remediationGuard(store, { clock }), [], peer))
      await store.remove(id)
      return said.reasons[0].exception?.changes
    }
    assert.deepEqual(await changesFor('manual', ADDRESS), [])
    assert.deepEqual(await changesFor('crowdsec', ADDRESS), [
      { at: ['remediations', 'never'], add: [ADDRESS] },
    ])
    assert.deepEqual(await changesFor('crowdsec', '192.0.2.0/24'), [
      { at: ['remediations', 'never'], add: ['192.0.2.0/24'] },
    ])
    await store.close()
  })

  test('a command is one that a shell takes as it is, whatever the name of the actor', async () => {
    const store = await RemediationStore.open()
    await store.add({ actor: { kind: 'principal', value: "o'brien; rm -rf" }, for: '1h', reason: '' })
    const exchange = exchangeFrom(ADDRESS)
    exchange.principal = { kind: 'user', id: "o'brien; rm -rf" }
    assert.equal(
      refusal(remediationGuard(store).decide(exchange)).reasons[0].exception?.command,
      "postern unban 'principal:o'\\''brien; rm -rf'",
    )
    await store.close()
  })

  test('of two guards one holds addresses and devices, the other principals, tenants and keys', async () => {
    const store = await RemediationStore.open({ device: () => 'laptop' })
    const effects = (): readonly string[] => {
      const exchange = exchangeFrom(ADDRESS)
      exchange.principal = { kind: 'apiKey', id: 'k1', tenant: 'acme' }
      return (['arrival', 'identified', 'all'] as const).map(
        actors => (remediationGuard(store, { actors }).decide(exchange) as Decision).effect,
      )
    }
    assert.deepEqual(effects(), ['allow', 'allow', 'allow'])
    for (const [actor, wanted] of [
      [ADDRESS, ['deny', 'allow', 'deny']],
      ['device:laptop', ['deny', 'allow', 'deny']],
      ['principal:k1', ['allow', 'deny', 'deny']],
      ['tenant:acme', ['allow', 'deny', 'deny']],
      ['key:k1', ['allow', 'deny', 'deny']],
    ] as const) {
      const { id } = await store.add({ actor: parseActor(actor), for: '1h', reason: '' })
      assert.deepEqual(effects(), wanted, actor)
      await store.remove(id)
    }
    await store.close()
  })

  test('a solution needs every zero bit that the puzzle asks for', () => {
    const texts = [
      ...Array.from({ length: 200 }, (_, i) => `puzzle:${i}`),
      solve('puzzle'),
      solve('puzzle', 10),
    ]
    for (const text of texts) {
      const [first = 0, second = 0] = createHash('sha256').update(text).digest()
      const zeros = first === 0 ? 8 + Math.min(8, Math.clz32(second) - 24) : Math.clz32(first) - 24
      for (let difficulty = 0; difficulty <= 12; difficulty++)
        assert.equal(isSolution(text, difficulty), zeros >= difficulty, `${text} for ${difficulty} bits`)
    }
  })
})
