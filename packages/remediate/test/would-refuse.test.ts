import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  type BodySource,
  type Decision,
  Engine,
  type Exchange,
  type Remediations,
  VirtualClock,
} from '@postern/core'
import { ActorRate } from '../src/actor-rate.ts'
import { formatActor, parseActor } from '../src/actor-text.ts'
import { honeyGuard, remediationGuard } from '../src/index.ts'
import { isSolution } from '../src/proof-of-work.ts'
import { RemediationStore } from '../src/remediation-store.ts'
import { exchangeFrom } from './support.ts'

const ADDRESS = '192.0.2.7'

async function guardOf(measure: 'block' | 'throttle' | 'challenge') {
  const clock = new VirtualClock()
  const store = await RemediationStore.open({ clock })
  await store.add({
    actor: parseActor(ADDRESS),
    measure,
    for: '1d',
    reason: 'probes',
    origin: 'http-probing',
  })
  const guard = remediationGuard(store, {
    clock,
    difficulty: 8,
    throttle: { count: 1, per: '1m', burst: 2 },
    fileOf: origin => (origin === 'http-probing' ? 'http-probing.yaml' : undefined),
  })
  const would = (headers: readonly string[] = [], method = 'GET', peer = ADDRESS): Decision =>
    guard.wouldRefuse?.(exchangeFrom(peer, headers, {}, method)) as Decision
  return { guard, store, would, clock }
}

const PREFLIGHT = ['Origin', 'https://other.example', 'Access-Control-Request-Method', 'PUT']

describe('what a ban would say behind another refusal', () => {
  test('is its refusal, with the command and the change that lift it', async () => {
    const { would, store } = await guardOf('block')
    const said = would()
    assert.equal(said.effect, 'deny')
    assert.deepEqual(said.effect === 'deny' && said.reasons[0].exception, {
      changes: [{ at: ['scenarios', 'without'], add: ['http-probing.yaml'] }],
      command: `postern unban ${ADDRESS}`,
    })
    assert.equal(would([], 'GET', '192.0.2.8').effect, 'allow')
    await store.close()
  })

  test('takes none of what a throttled actor may still send', async () => {
    const { guard, would, store, clock } = await guardOf('throttle')
    for (let i = 0; i < 5; i++) assert.equal(would().effect, 'allow')
    const asks = (): string => (guard.decide(exchangeFrom(ADDRESS)) as Decision).effect
    assert.deepEqual([asks(), asks(), asks()], ['allow', 'allow', 'throttle'])
    assert.notEqual(would().effect, 'allow')
    assert.equal(would(PREFLIGHT, 'OPTIONS').effect, 'allow')
    clock.advance(60_000)
    assert.equal(would().effect, 'allow')
    await store.close()
  })

  test('redeems no solution, and lets a clearance count', async () => {
    const { guard, would, store } = await guardOf('challenge')
    assert.notEqual(would().effect, 'allow')
    const challenged = guard.decide(exchangeFrom(ADDRESS)) as Decision
    const headers = challenged.effect === 'challenge' ? (challenged.headers ?? []) : []
    const puzzle = headers[headers.indexOf('X-Postern-Puzzle') + 1]
    let counter = 0
    while (!isSolution(`${puzzle}:${counter}`, 8)) counter++
    const solution = ['X-Postern-Solution', `${puzzle}:${counter}`]
    assert.notEqual(would(solution).effect, 'allow')
    const redeemed = exchangeFrom(ADDRESS, solution)
    assert.equal((guard.decide(redeemed) as Decision).effect, 'allow')
    const clearance = /postern_clearance=([^;]+)/.exec(redeemed.replyHeaders?.join('\n') ?? '')?.[1] ?? ''
    assert.equal(would(['X-Postern-Clearance', clearance]).effect, 'allow')
    assert.equal(would(['Cookie', `a=b; postern_clearance=${clearance}`]).effect, 'allow')
    assert.notEqual(would(['X-Postern-Clearance', clearance, 'User-Agent', 'other']).effect, 'allow')
    await store.close()
  })
})

describe('what a trap would say behind another refusal', () => {
  const read = (text: string): BodySource => ({
    read: async () => ({ bytes: new TextEncoder().encode(text), complete: true }),
  })
  const posted = (target: string, body?: string): Exchange =>
    new Engine().open({
      method: 'POST',
      target,
      headers: ['Content-Type', 'application/json'],
      peer: ADDRESS,
      secure: false,
      httpVersion: '1.1',
      body: body === undefined ? undefined : read(body),
      native: undefined,
    })

  test('is its refusal, in head and body, and bans nobody', async () => {
    const applied: unknown[] = []
    const remediations: Pick<Remediations, 'apply'> = {
      apply: finding => {
        applied.push(finding)
        return undefined
      },
    }
    const guard = honeyGuard({
      routes: ['/backup.zip'],
      fields: ['website'],
      remediations: remediations as Remediations,
    })
    const effectOf = async (exchange: Exchange): Promise<unknown> =>
      (await guard.wouldRefuse?.(exchange))?.effect
    assert.equal(await effectOf(posted('/backup.zip')), 'deny')
    assert.equal(await effectOf(posted('/', '{"website":"me"}')), 'deny')
    assert.equal(await effectOf(posted('/', '{"website":""}')), 'allow')
    assert.deepEqual(applied, [])
    await guard.decide(posted('/backup.zip'))
    assert.equal(applied.length, 1)
  })
})

test('a rate is spent until it has earned one unit again, and keeps at most its burst', () => {
  const clock = new VirtualClock()
  const rate = new ActorRate(2, 1_000, 2, clock)
  assert.equal(rate.isSpent('one'), false)
  assert.equal(rate.take('one'), 0)
  assert.equal(rate.isSpent('one'), false)
  assert.equal(rate.take('one'), 0)
  assert.equal(rate.isSpent('one'), true)
  assert.equal(rate.take('one'), 500)
  assert.equal(rate.isSpent('two'), false)
  clock.advance(499)
  assert.equal(rate.isSpent('one'), true)
  clock.advance(1)
  assert.equal(rate.isSpent('one'), false)
  clock.advance(60_000)
  assert.deepEqual([rate.take('one'), rate.take('one'), rate.take('one')], [0, 0, 500])
})

test('rates are kept for the 50,000 newest actors', () => {
  const rate = new ActorRate(1, 60_000, 1, new VirtualClock())
  assert.equal(rate.take('oldest'), 0)
  assert.equal(rate.take('second'), 0)
  for (let i = 2; i < 50_000; i++) rate.take(`actor ${i}`)
  assert.deepEqual([rate.isSpent('oldest'), rate.isSpent('second')], [true, true])
  rate.take('one more')
  assert.deepEqual([rate.isSpent('oldest'), rate.isSpent('second')], [false, true])
})

test('a network of one address is that address, and of more it keeps its width', () => {
  for (const [written, actor] of [
    ['network:192.0.2.7/32', '192.0.2.7'],
    ['network:192.0.2.0/24', '192.0.2.0/24'],
    ['network:2001:db8::1/128', '2001:db8::1'],
    ['network:2001:db8::/32', '2001:db8::/32'],
  ] as const)
    assert.match(formatActor(parseActor(written)), new RegExp(`${actor}$`), written)
  assert.throws(() => parseActor('network:192.0.2.7/24'), /bits beyond its prefix/)
  assert.throws(() => parseActor(`principal:${'x'.repeat(257)}`), /1 to 256 characters/)
})
