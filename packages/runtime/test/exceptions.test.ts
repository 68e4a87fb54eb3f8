import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { applyException, type Config, editJson, editYaml, loadConfig } from '@postern/config'
import { type Decision, type Engine, type Exchange, type RequestSource, VirtualClock } from '@postern/core'
import fc from 'fast-check'
import { parse } from 'yaml'
import { buildEngine } from '../src/engine/build-engine.ts'
import { memoryResources } from '../src/resources/open-resources.ts'

interface Sent {
  readonly method: string
  readonly target: string
  readonly headers?: readonly string[]
  readonly body?: string
  readonly peer?: string
}

/** Everything that protects, over memory: a configuration as a person would write it. */
async function engineOf(config: unknown): Promise<Engine> {
  const loaded = await loadConfig({ config: config as Config, folder: '/nowhere', environment: {} })
  // Scenarios are read from files, which is slow, and answer to no single request.
  const quick = { ...loaded, config: { ...loaded.config, scenarios: false } as const }
  return buildEngine(quick, await memoryResources(quick, new VirtualClock()), 'serve').engine
}

function sourceOf({ method, target, headers = [], body, peer = '203.0.113.9' }: Sent): RequestSource {
  const bytes = Buffer.from(body ?? '')
  const length = body === undefined ? [] : ['Content-Length', String(bytes.length)]
  return {
    method,
    target,
    headers: ['Host', 'shop.example', ...length, ...headers],
    peer,
    secure: false,
    httpVersion: '1.1',
    body:
      body === undefined
        ? undefined
        : {
            read: async limit => ({
              bytes: new Uint8Array(bytes.subarray(0, limit)),
              complete: bytes.length <= limit,
            }),
          },
    native: undefined,
  }
}

async function decide(engine: Engine, sent: Sent): Promise<Decision> {
  const exchange: Exchange = engine.open(sourceOf(sent))
  const decision = await engine.decide(exchange)
  engine.settle(exchange, { status: 200, duration: 1, bytes: 0, aborted: false })
  return decision
}

/** Decides so often that the last answer shows what a limit says. */
async function decideAfter(times: number, engine: Engine, sent: Sent): Promise<Decision> {
  for (let i = 1; i < times; i++) await decide(engine, sent)
  return decide(engine, sent)
}

function exceptionIn(decision: Decision) {
  assert.notEqual(decision.effect, 'allow')
  const exceptions = decision.effect === 'allow' ? [] : decision.reasons.flatMap(r => r.exception ?? [])
  assert.equal(exceptions.length, 1, 'one refusal prints one change')
  return exceptions[0] as NonNullable<(typeof exceptions)[0]>
}

/** The three ways in which a change reaches a file give the same configuration. */
function appliedTo(config: unknown, exception: ReturnType<typeof exceptionIn>): unknown {
  const applied: unknown = JSON.parse(JSON.stringify(applyException(config, exception)))
  const text = JSON.stringify(config, null, 2)
  assert.deepEqual(JSON.parse(editJson(text, exception)), applied)
  assert.deepEqual(parse(editYaml(text, exception)), applied)
  return applied
}

const SQL = "1' OR '1'='1"
const SCRIPT = '<script>alert(document.cookie)</script>'
/** Intricate to every rule and never the same twice: more work than a request may be, however fast. */
const COSTLY = Array.from({ length: 60_000 }, (_, i) => `(${i}=1or(;sudo -`).join('')
const path = (segment: string): string => encodeURIComponent(segment)

/** Names of parameters and segments of paths that are hard to write down. */
const name = fc.oneof(
  fc.constantFrom(
    'q',
    'user name',
    "o'clock",
    'a"b',
    'naïve',
    'a.b',
    'x[0]',
    '日本',
    'q*',
    ':id',
    '**',
    'a#b',
    '{}',
    'yes',
    '1',
  ),
  fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' }),
)
const segment = fc.oneof(
  fc.constantFrom(
    'items',
    'café',
    'a b',
    "it's",
    'a"b',
    '*',
    '**',
    ':id',
    'a*b',
    'x?y',
    'a#b',
    'ÄÖ',
    '日本',
    'A',
    'routes',
    '1.2',
  ),
  fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' }),
)
const target = fc
  .array(segment, { maxLength: 4 })
  // Paths that are refused for themselves are another case.
  .filter(segments => segments.every(one => /^[^/\\;%\p{C}\s]+$|^a b$/u.test(one) && !/^\.+$/.test(one)))
  .map(segments => `/${segments.map(path).join('/')}`)
const method = fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE')

/** Configurations with something standing wherever an exception may go. */
const config: fc.Arbitrary<Config> = fc.record(
  {
    inspect: fc.constantFrom<NonNullable<Config['inspect']>>(
      {},
      { level: 2 },
      { except: [{ rule: 'sqli/union', parameter: 'query.other' }] },
    ),
    routes: fc.constantFrom<NonNullable<Config['routes']>>(
      {},
      { '/**': { inspect: { level: 2 } } },
      { '/items': { methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] }, 'POST /**': { maxBody: '10mb' } },
    ),
    protocol: fc.constantFrom<NonNullable<Config['protocol']>>({}, { maxHeaders: 90 }),
    limits: fc.constantFrom<NonNullable<Config['limits']>>({}, { login: false }, { address: '1000/1m' }),
  },
  { requiredKeys: [] },
)

async function holds(written: Config, refused: Sent, neighbours: readonly Sent[], times = 1): Promise<void> {
  const before = await engineOf(written)
  const exception = exceptionIn(await decideAfter(times, before, refused))
  const after = await engineOf(appliedTo(written, exception))
  const last = await decideAfter(times, after, refused)
  assert.equal(last.effect, 'allow', JSON.stringify([exception, last]))
  for (const neighbour of neighbours)
    assert.notEqual((await decideAfter(times, after, neighbour)).effect, 'allow', JSON.stringify(neighbour))
}

describe('the exception of a refusal, applied, lets that request pass and not its neighbour', {
  timeout: 120_000,
}, () => {
  const runs = { numRuns: 60 }

  test('inspection of a query, whatever the path and parameter are called', () =>
    fc.assert(
      fc.asyncProperty(
        config,
        method,
        target,
        name,
        fc.constantFrom(SQL, SCRIPT),
        async (written, m, t, n, attack) => {
          const sent = (parameter: string, value: string): Sent => ({
            method: m,
            target: `${t}?${path(parameter)}=${path(value)}`,
          })
          const other = n.toLowerCase() === 'other' ? 'another' : 'other'
          // A name that is itself a wildcard of exceptions may be wider than one parameter.
          const isWild = /^[*:]|\./.test(n)
          await holds(written, sent(n, attack), [
            ...(isWild ? [] : [sent(other, attack)]),
            { method: m, target: `${t}/elsewhere/x/y?${path(n)}=${path(attack)}` },
            sent(n, attack === SQL ? SCRIPT : SQL),
          ])
        },
      ),
      runs,
    ))

  test('inspection of several values that match several rules: one change for all', () =>
    fc.assert(
      fc.asyncProperty(
        config,
        fc.uniqueArray(name, { minLength: 1, maxLength: 24, selector: n => n.toLowerCase() }),
        async (written, names) => {
          const values = Object.fromEntries(
            names.map((n, i) => [
              `k${i}${n}`,
              `${SQL} UNION SELECT password FROM users-- ${SCRIPT} ; cat /etc/passwd`,
            ]),
          )
          const body = JSON.stringify(values)
          const sent: Sent = {
            method: 'POST',
            target: '/posts',
            headers: ['Content-Type', 'application/json'],
            body,
          }
          await holds(written, sent, [{ ...sent, target: '/comments' }])
        },
      ),
      { numRuns: 30 },
    ))

  test('a body that is too long to be read, with and without a route', () =>
    fc.assert(
      fc.asyncProperty(config, target, fc.constantFrom('POST', 'PUT'), async (written, t, m) => {
        const body = `{"a":"${'x'.repeat(60)}","b":"<script>"}${'y'.repeat(4_000)}`
        const sent: Sent = { method: m, target: t, headers: ['Content-Type', 'application/json'], body }
        await holds({ ...written, bodyLimit: '64b' }, sent, [{ ...sent, target: `${t}/elsewhere/x/y` }])
      }),
      runs,
    ))

  const json = (target: string, value: Record<string, string>): Sent => ({
    method: 'POST',
    target,
    headers: ['Content-Type', 'application/json'],
    body: JSON.stringify(value),
  })

  test('inspection of a long text: the type of its parameter, beside what the route says already', () =>
    fc.assert(
      fc.asyncProperty(config, target, fc.constantFrom('text', 'note.de', 'a b'), async (written, t, n) => {
        const text = `${'A line of a letter that is long enough to be a document.\n'.repeat(9)}rO0ABXNyABFqYXZhLnV0aWw=`
        await holds(written, json(t, { [n]: text }), [
          json(t, { other: text }),
          json(t, { [n]: '<img src=x onerror=alert(1)>' }),
          json(`${t}/elsewhere/x/y`, { [n]: text }),
        ])
      }),
      runs,
    ))

  test('inspection of a parameter that does not have its type', () =>
    fc.assert(
      fc.asyncProperty(target, fc.constantFrom('2;id;', 'x', SQL), async (t, value) => {
        const written: Config = {
          inspect: { parameters: { 'query.*': 'number' } },
          routes: { '/**': { inspect: { parameters: { 'query.name': 'word' } } } },
        }
        const sent = (parameter: string): Sent => ({
          method: 'GET',
          target: `${t}?${parameter}=${path(value)}`,
        })
        await holds(written, sent('id'), [sent('page'), { ...sent('id'), target: `${t}?id=${path(SCRIPT)}` }])
      }),
      runs,
    ))

  test('inspection that would cost more than one request may', () =>
    holds(
      { inspect: { except: [{ rule: 'sqli/*', parameter: 'body.text' }] } },
      json('/a', { text: COSTLY }),
      [json('/b', { text: COSTLY }), json('/a', { other: SCRIPT })],
    ))

  const protocol: readonly (readonly [string, Config, (target: string) => Sent, Sent])[] = [
    [
      'a method',
      { protocol: { methods: ['GET'] } },
      t => ({ method: 'DELETE', target: t }),
      { method: 'DELETE', target: '/elsewhere/x/y/z/0' },
    ],
    [
      'a method and a long target and many headers at once',
      { protocol: { methods: ['GET'], maxTarget: '1b', maxHeaders: 2, maxHeaderValue: '4b' } },
      t => ({ method: 'PURGE', target: t, headers: ['X-A', '12345678', 'X-B', '1', 'X-C', '1'] }),
      { method: 'PURGE', target: '/elsewhere/x/y/z/0' },
    ],
    [
      'a wish for another method',
      { protocol: { methodOverride: false } },
      t => ({ method: 'POST', target: t, headers: ['X-HTTP-Method-Override', 'DELETE'] }),
      { method: 'POST', target: '/elsewhere/x/y/z/0', headers: ['X-HTTP-Method-Override', 'DELETE'] },
    ],
    [
      'a wish for another method that is not available',
      { protocol: { methods: ['GET', 'POST'] } },
      t => ({ method: 'POST', target: t, headers: ['X-HTTP-Method-Override', 'DELETE'] }),
      { method: 'POST', target: '/elsewhere/x/y/z/0', headers: ['X-HTTP-Method-Override', 'DELETE'] },
    ],
    [
      'an overriding header',
      {},
      () => ({ method: 'POST', target: '/', headers: ['X-Original-URL', '/admin'] }),
      { method: 'POST', target: '/', headers: ['X-Rewrite-URL', '/admin'] },
    ],
    [
      'a size and a media type at once',
      { protocol: { maxBody: '4b', contentTypes: ['text/plain'] } },
      t => ({ method: 'POST', target: t, headers: ['Content-Type', 'application/json'], body: '{"a":1}' }),
      {
        method: 'POST',
        target: '/elsewhere/x/y/z/0',
        headers: ['Content-Type', 'application/json'],
        body: '{"a":1}',
      },
    ],
  ]
  for (const [what, more, sent, neighbour] of protocol) {
    test(`HTTP itself: ${what}`, () =>
      fc.assert(
        fc.asyncProperty(config, target, async (written, t) => {
          const { routes: _, ...rest } = written
          // Odd segments of a path are for inspection to judge, which has an exception of its own.
          await holds({ ...rest, inspect: false, ...more }, sent(t), [neighbour])
        }),
        runs,
      ))
  }

  for (const [risk, t] of [
    ['a dot segment', '/a/../b'],
    ['a double encoding', '/a/%252e'],
    ['a backslash', '/a%5c/b/c'],
    ['a control character', '/a%00b'],
    ['a bad percent', '/a%zz'],
  ] as const) {
    test(`a path with ${risk}`, () =>
      holds({ inspect: false }, { method: 'GET', target: t }, [
        { method: 'GET', target: '/elsewhere/x/%00/%zz/..%5cz/%252e' },
      ]))
  }

  const limits: readonly (readonly [string, Config])[] = [
    ['a default limit', { limits: { address: { limit: '2/1m' } } }],
    ['a limit written as text', { limits: { address: '2/1m' } }],
    [
      'a limit with keys exempt already',
      { limits: { address: { limit: '2/1m', exempt: ['198.51.100.1'] } } },
    ],
    ['a limit per header', { limits: { mine: { limit: '2/1m', key: { header: 'x-client' } } } }],
    ['a limit of a route, as text', { routes: { '/**': { throttle: '2/1m' } } }],
    [
      'a limit of a route with a key',
      { routes: { 'GET /a': { throttle: { limit: '2/1m', key: { header: 'x-client' } } } } },
    ],
    [
      'two limits at once',
      {
        limits: { address: '2/1m', mine: { limit: '2/1m', key: 'network' } },
        routes: { '/a': { throttle: '2/1m' } },
      },
    ],
    [
      'a route whose name needs quotes',
      { routes: { "/a'b": { throttle: '2/1m' }, '/a': { throttle: '2/1m' } } },
    ],
  ]
  for (const [what, written] of limits) {
    test(`limits: ${what}`, () => {
      const sent = (peer: string, client: string): Sent => ({
        method: 'GET',
        target: '/a',
        peer,
        headers: ['X-Client', client],
      })
      return holds(written, sent('203.0.113.9', 'one'), [sent('192.0.2.77', 'two')], 3)
    })
  }

  test('a trap of a route, a field or a record', async () => {
    const honey = { fields: ['website', 'fax'], records: ['canary-1', 'canary-2'] }
    const routes = { '/backup.zip': { honey: true }, '/old': { honey: true } }
    for (const [refused, neighbour] of [
      ['/backup.zip', '/old'],
      ['/?website=x', '/?fax=x'],
      ['/users/canary-1', '/users/canary-2'],
    ] as const) {
      // The trap also bans who touched it: that ends by a command, or, in memory, with the engine.
      await holds({ inspect: false, honey, routes }, { method: 'GET', target: refused }, [
        { method: 'GET', target: neighbour, peer: '192.0.2.77' },
      ])
    }
  })

  test('what cannot be let pass has no exception', async () => {
    const engine = await engineOf({})
    for (const sent of [
      { method: 'TRACE', target: '/' },
      { method: 'GET', target: '/', headers: ['Host', 'other.example'] },
      { method: 'GET', target: '/%00', headers: ['Host', 'other.example'] },
    ]) {
      const decision = await decide(engine, sent)
      assert.equal(decision.effect === 'deny' && decision.reasons[0].exception, undefined)
    }
  })
})
