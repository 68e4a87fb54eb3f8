import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Config, loadConfig } from '@postern/config'
import { type PreviewResult, SqliteTraffic } from '@postern/console'
import { systemClock } from '@postern/core'
import { until } from '../../../test/until.ts'
import { type EditReach, EVERYTHING } from '../src/preview/edit-reach.ts'
import { type Gathered, joinedGathered } from '../src/preview/gathered.ts'
import { joinedResults } from '../src/preview/preview-count.ts'
import { PreviewInThread } from '../src/preview/preview-in-thread.ts'
import { type PreviewRunOptions, previewRun } from '../src/preview/preview-run.ts'

const START = Date.UTC(2026, 0, 1)
const REQUESTS = 1_200

/** The same numbers at every run (Numerical Recipes' generator). */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 4_294_967_296) * below)
  }
}

const ATTACKS = ["id=1' OR '1'='1", 'q=<script>alert(1)</script>', 'file=../../../../etc/passwd']
const PATHS = ['/', '/items', '/orders', '/reports/2025', '/admin/users', '/login']

/**
 * Readers, some of them signed in and of a tenant, a few hasty ones, and some attacks. Every now and then the
 * clock is behind, as that of another instance may be.
 */
function traffic(seed: number, clients = 40): Parameters<SqliteTraffic['write']>[0] {
  const next = numbers(seed)
  let now = START
  return Array.from({ length: REQUESTS }, (_, i) => {
    now += next(800)
    const time = next(20) === 0 ? now - next(3_000) : now
    // A few send many: half of the requests are of six clients.
    const client = next(2) === 0 ? next(6) : next(clients)
    const isAttack = next(30) === 0
    const isKnown = client % 3 === 0
    const address =
      client % 10 === 7 ? `2001:db8:${client}::${next(4)}` : `192.0.${2 + (client >> 8)}.${client & 255}`
    return {
      event: {
        type: 'http',
        time,
        actor: {
          address,
          agent: client % 5 === 0 ? 'curl/8.1' : 'Mozilla/5.0 (X11; Linux x86_64)',
          ...(isKnown && { principal: `user${client % 15}`, tenant: `tenant${client % 4}` }),
        },
        request: {
          id: `b${String(i).padStart(19, '0')}`,
          method: ['GET', 'GET', 'GET', 'POST', 'DELETE'][next(5)] ?? 'GET',
          host: 'shop.example',
          path: PATHS[next(PATHS.length)] ?? '/',
          query: isAttack ? (ATTACKS[next(3)] ?? '') : `page=${i}`,
        },
        decision: 'allow' as const,
        outcome: { status: next(8) === 0 ? 404 : 200, duration: 3, bytes: 500, aborted: false },
        ...(isKnown && client % 6 === 0 && { data: { acting: { kind: 'user', roles: ['support'] } } }),
      },
      weight: 1 + next(3),
      guardTimes: undefined,
    }
  })
}

const POLICIES = `
permit(principal, action == Action::"report.read", resource) when { principal has roles && principal.roles.contains("support") };
`

/** Each kind of edit: what is changed, and the configuration before it where there is one. */
const identify = (): undefined => undefined

const EDITS: Readonly<Record<string, readonly [Config, Config, expected: 'changes' | 'nothing']>> = {
  'a limit that is tightened': [{}, { limits: { address: '12/1m' } }, 'changes'],
  'a limit that is loosened': [{ limits: { address: '8/1m' } }, { limits: { address: '20/1m' } }, 'changes'],
  'a limit that is taken away': [{ limits: { calm: '6/30s' } }, {}, 'changes'],
  'a limit with a burst': [{}, { limits: { calm: '1/10s burst 5' } }, 'changes'],
  'a limit of principals': [
    { identify },
    { identify, limits: { own: { limit: '9/1m', key: 'principal' } } },
    'changes',
  ],
  'a limit of some routes': [{}, { limits: { orders: { limit: '3/1m', routes: ['/orders'] } } }, 'changes'],
  'a limit of tenants': [
    { identify },
    { identify, limits: { shared: { limit: '12/1m', key: 'tenant' } } },
    'changes',
  ],
  'a limit of networks': [{}, { limits: { wide: { limit: '40/1m', key: 'network' } } }, 'changes'],
  'a limit that nobody reaches': [{}, { limits: { address: '5000/1m' } }, 'nothing'],
  'a limit of a route': [{}, { routes: { '/orders': { throttle: '3/1m' } } }, 'changes'],
  'a route that is freed of limits': [
    { limits: { address: '8/1m' } },
    { limits: { address: '8/1m' }, routes: { '/items': { throttle: false } } },
    'changes',
  ],
  'a rule that is switched off': [
    {},
    { inspect: { except: [{ rule: 'sqli/*' }, { rule: 'xss/*' }] } },
    'changes',
  ],
  'inspection that is switched off': [{}, { inspect: false }, 'changes'],
  'inspection of a higher level': [{}, { inspect: { level: 3 } }, 'nothing'],
  'inspection that is switched off on a route': [{}, { routes: { '/items': { inspect: false } } }, 'changes'],
  'clients that are blocked': [
    {},
    { block: ['192.0.2.0/29', { network: 'all', userAgent: 'curl' }] },
    'changes',
  ],
  'methods that are refused': [{}, { protocol: { methods: ['GET', 'POST'] } }, 'changes'],
  'a role that a route asks for': [
    { identify },
    { identify, routes: { '/admin/**': { require: { role: 'support' } } } },
    'changes',
  ],
  'a policy of a route': [
    { policies: 'policies.cedar' },
    {
      policies: 'policies.cedar',
      routes: { '/reports/:id': { policy: { action: 'report.read', type: 'Report' } } },
    },
    'changes',
  ],
  'a route within another': [
    { routes: { '/**': { throttle: '20/1m' } } },
    { routes: { '/**': { throttle: '20/1m' }, '/items': { record: 'none' } } },
    'changes',
  ],
  'several at once: a limit, a rule, a role and whom to block': [
    { identify },
    {
      identify,
      limits: { address: '10/1m' },
      inspect: { except: [{ rule: 'sqli/*' }] },
      block: ['192.0.2.3'],
      routes: { '/admin/**': { require: { role: 'support' } }, '/items': { throttle: '4/1m' } },
    },
    'changes',
  ],
  'a rule and a route, under a limit that some reach': [
    { limits: { address: '12/1m' } },
    { limits: { address: '12/1m' }, inspect: { level: 2 }, routes: { '/orders': { methods: ['GET'] } } },
    'changes',
  ],
  'two sections: a limit of principals and a rule': [
    { identify, limits: { own: { limit: '15/1m', key: 'principal' } } },
    {
      identify,
      limits: { own: { limit: '9/1m', key: 'principal' } },
      inspect: { except: [{ rule: 'xss/*' }] },
    },
    'changes',
  ],
  'two sections: a policy of a route and whom to block': [
    { policies: 'policies.cedar' },
    {
      policies: 'policies.cedar',
      block: ['192.0.2.4/31'],
      routes: { '/reports/:id': { policy: { action: 'report.read', type: 'Report' } } },
    },
    'changes',
  ],
  'two sections: methods, and a limit of tenants that they free': [
    { identify, limits: { shared: { limit: '12/1m', key: 'tenant' } } },
    { identify, protocol: { methods: ['GET', 'POST'] } },
    'changes',
  ],
  'two sections: a limit over everybody and a rule': [
    {},
    { limits: { all: { limit: '60/1m', key: 'route' } }, inspect: { except: [{ rule: 'sqli/*' }] } },
    'changes',
  ],
  'two sections: scenarios and a limit': [{}, { scenarios: false, limits: { address: '12/1m' } }, 'changes'],
  'a role that nearly everybody lacks': [
    { identify },
    { identify, routes: { '/**': { require: { role: 'support' } } } },
    'changes',
  ],
  'a route that is only watched': [
    {},
    { routes: { '/items': { mode: 'observe', methods: ['GET'] } } },
    'changes',
  ],
  'the mode': [{}, { mode: 'observe' }, 'nothing'],
  'scenarios that are switched off': [{}, { scenarios: false }, 'nothing'],
  'where the gateway listens': [{}, { listen: 9090, console: {} }, 'nothing'],
}

/** Those that are tried in parts too, one for each way in which actors are counted. */
const IN_PARTS: ReadonlySet<string> = new Set([
  'a limit that is tightened',
  'a limit of tenants',
  'a limit of networks',
  'a rule that is switched off',
  'a role that a route asks for',
  'two sections: a policy of a route and whom to block',
  'two sections: methods, and a limit of tenants that they free',
  'several at once: a limit, a rule, a role and whom to block',
])

/** Where so many parts of a preview tell each other what they gathered. */
function meeting(parts: number): (own: Gathered) => Promise<Gathered> {
  const gathered: Gathered[] = []
  const { promise, resolve } = Promise.withResolvers<Gathered>()
  return own => {
    gathered.push(own)
    if (gathered.length === parts) resolve(joinedGathered(gathered))
    return promise
  }
}

const changesOf = ({ newlyRefused, newlyAllowed }: PreviewResult): readonly object[] =>
  [newlyRefused, newlyAllowed].map(groups =>
    groups
      .map(({ kind, value, requests, rules }) => ({ kind, value, requests, rules: [...rules].sort() }))
      .sort((a, b) => (a.kind + a.value < b.kind + b.value ? -1 : 1)),
  )

/** Whose requests are kept: few clients, most of whom get a measure; and many, most of whom get none. */
const CROWDS = { 'few who send much': 40, 'many who send little': 400 } as const

for (const [crowd, clients] of Object.entries(CROWDS))
  describe(`a preview of the requests of ${crowd}`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-preview-'))
    let store = SqliteTraffic.open({ directory: folder, keep: 1e15, maxSize: 1e15 })
    before(async () => {
      writeFileSync(join(folder, 'policies.cedar'), POLICIES)
      const events = traffic(1, clients)
      for (let at = 0; at < events.length; at += 200) await store.write(events.slice(at, at + 200), [])
      // One page is there, and the rest is on none, as a process that was killed leaves it.
      await store.close()
      store = SqliteTraffic.open({ directory: folder, keep: 1e15, maxSize: 1e15 })
      const since = (events.at(-1)?.event.time ?? START) - START
      const late = traffic(7, clients)
        .slice(0, 100)
        .map(one => ({ ...one, event: { ...one.event, time: one.event.time + since } }))
      await store.write(late, [])
    })
    after(async () => {
      await store.close()
      rmSync(folder, { recursive: true })
    })
    const load = (config: Config): ReturnType<typeof loadConfig> =>
      loadConfig({ path: undefined, config, folder, environment: {} })

    for (const [name, [was, will, expected]] of Object.entries(EDITS))
      if (crowd === 'few who send much' || IN_PARTS.has(name))
        test(`finds what a plain replay of everything finds: ${name}`, async () => {
          const sides = { before: await load(was), after: await load(will) }
          const run = (
            reach?: EditReach,
            part: Pick<PreviewRunOptions, 'share' | 'meet'> = {},
          ): Promise<PreviewResult> =>
            previewRun({ traffic: store, ...sides, from: 0, reach, ...part, onProgress: () => undefined })
          const plain = await run(EVERYTHING)
          const preview = await run()
          assert.deepEqual(changesOf(preview), changesOf(plain))
          assert.equal(preview.requests, plain.requests)
          assert.equal(changesOf(plain).flat().length > 0, expected === 'changes')
          if (!IN_PARTS.has(name)) return
          const meet = meeting(2)
          const parts = await Promise.all(
            [0, 1].map(index => run(undefined, { share: { index, of: 2 }, meet })),
          )
          assert.deepEqual(changesOf(joinedResults(parts)), changesOf(plain))
          assert.equal(joinedResults(parts).requests, plain.requests)
        })

    test('decides only the requests again whose senders the change can reach', async () => {
      const replayed = async (will: Config): Promise<number> => {
        const sides = { before: await load({}), after: await load(will) }
        const result = await previewRun({ traffic: store, ...sides, from: 0, onProgress: () => undefined })
        return result.replayed / result.requests
      }
      assert.equal(await replayed({ limits: { address: '5000/1m' } }), 0)
      assert.equal(await replayed({ listen: 9090 }), 0)
      assert.equal(await replayed({ scenarios: false }), 1)
      const few = await replayed({ block: ['192.0.2.1'] })
      assert.ok(few > 0 && few < 0.3, String(few))
    })
  })

test('a preview runs in a thread, says how far it is, and ends when it is cancelled or cannot be read', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-preview-'))
  const store = SqliteTraffic.open({ directory: folder, keep: 1e15, maxSize: 1e15 })
  const events = traffic(2)
  await store.write(events, [])
  await store.close()
  const job = new PreviewInThread(
    () => ({
      file: undefined,
      folder,
      overrides: {},
      traffic: { directory: folder },
      path: join(folder, 'postern.config.yaml'),
    }),
    systemClock,
    1,
  )
  t.after(() => {
    job.cancel()
    rmSync(folder, { recursive: true })
  })
  job.start('block: [192.0.2.0/28]\n', 0)
  assert.equal(job.state().state, 'running')
  await until(() => job.state().state !== 'running')
  const state = job.state()
  assert.equal(state.state, 'done', JSON.stringify(state))
  const weight = events.reduce((sum, event) => sum + event.weight, 0)
  assert.equal(state.state === 'done' && state.result.requests, weight)
  job.start('block: [nonsense]\n', 0)
  await until(() => job.state().state !== 'running')
  assert.equal(job.state().state, 'failed')
  job.start('mode: enforce\n', 0)
  job.cancel()
  assert.deepEqual(job.state(), { state: 'none' })
})
