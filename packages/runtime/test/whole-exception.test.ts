import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, mock, test } from 'node:test'
import { applyException, type Config, loadConfig } from '@postern/config'
import {
  type ConfigException,
  type Decision,
  type Engine,
  type Refusal,
  type RequestSource,
  VirtualClock,
} from '@postern/core'
import { parseActor, type RemediationStore } from '@postern/remediate'
import fc from 'fast-check'
import { buildEngine } from '../src/engine/build-engine.ts'
import { memoryResources } from '../src/resources/open-resources.ts'

interface Sent {
  readonly method: string
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
  readonly body: Readonly<Record<string, string>>
}

/** Something about a request that one guard refuses. */
interface Fault {
  readonly rule: string
  readonly config: Config
  readonly change: (sent: Sent) => Sent
  /** What happened before the request arrived. */
  readonly before?: (site: Site) => unknown
}

interface Site {
  readonly engine: Engine
  readonly remediations: RemediationStore
}

const CLIENT = '203.0.113.9'
const ACCOUNT = 'anne@shop.example'
/** The file that `schema.enforce` names. */
const folder = mkdtempSync(join(tmpdir(), 'postern-whole-'))
// A refusal waits for later guards so long and no longer: on a busy machine it would not wait for all.
before(() => mock.timers.enable({ apis: ['setTimeout'] }))
after(() => {
  mock.timers.reset()
  rmSync(folder, { recursive: true, force: true })
})
const SCHEMAS = join(folder, 'schema.json')
/** Parameters that other faults bring are known, so that each fault is the only one of its guard. */
const KNOWN = { types: ['string', 'number'], required: false }
const TEXTS = { website: KNOWN, page: KNOWN, q: KNOWN, title: KNOWN, text: KNOWN, email: KNOWN }
const TIME = Date.UTC(2026, 0, 1)

async function siteOf(config: Config): Promise<Site> {
  const loaded = await loadConfig({ config, folder: '/nowhere', environment: {} })
  const quick = { ...loaded, config: { ...loaded.config, scenarios: false } as const }
  const resources = await memoryResources(quick, new VirtualClock(TIME))
  return { engine: buildEngine(quick, resources, 'serve').engine, remediations: resources.remediations }
}

function sourceOf({ method, path, query, headers, body }: Sent): RequestSource {
  const text = new URLSearchParams(query).toString()
  const bytes = Buffer.from(JSON.stringify(body))
  const hasBody = Object.keys(body).length > 0
  const all = {
    Host: 'shop.example',
    ...headers,
    ...(hasBody && { 'Content-Type': 'application/json', 'Content-Length': String(bytes.length) }),
  }
  return {
    method,
    target: text === '' ? path : `${path}?${text}`,
    headers: Object.entries(all).flat(),
    peer: CLIENT,
    secure: false,
    httpVersion: '1.1',
    body: hasBody ? { read: async () => ({ bytes: new Uint8Array(bytes), complete: true }) } : undefined,
    native: undefined,
  }
}

async function decide({ engine }: Site, sent: Sent, answer = 200): Promise<Decision> {
  const exchange = engine.open(sourceOf(sent))
  const decision = await engine.decide(exchange)
  const status = decision.effect === 'allow' ? answer : decision.status
  engine.settle(exchange, { status, duration: 1, bytes: 0, aborted: false })
  return decision
}

const plain: Sent = { method: 'POST', path: '/notes', query: {}, headers: {}, body: {} }

/**
 * One for each guard whose refusals a change can lift; the ban comes last, for it stops what others do
 * before.
 */
const FAULTS: readonly Fault[] = [
  {
    rule: 'clients/block',
    config: { block: [{ userAgent: 'EvilBot' }] },
    change: sent => ({ ...sent, headers: { ...sent.headers, 'User-Agent': 'EvilBot/1' } }),
  },
  {
    rule: 'protocol/headers',
    config: { protocol: { maxHeaderValue: '200b' } },
    change: sent => ({ ...sent, headers: { ...sent.headers, 'X-Long': 'a'.repeat(300) } }),
  },
  {
    rule: 'honey/field',
    config: { honey: { fields: ['website'] } },
    change: sent => ({ ...sent, query: { ...sent.query, website: 'me' } }),
  },
  {
    rule: 'limit/few',
    config: { limits: { few: { limit: '1/1m', key: { header: 'x-client' } } } },
    change: sent => ({ ...sent, headers: { ...sent.headers, 'X-Client': 'one' } }),
    before: site => decide(site, { ...plain, headers: { 'X-Client': 'one' } }),
  },
  {
    rule: 'csrf/cross-site',
    config: { csrf: true },
    change: sent => ({
      ...sent,
      headers: { ...sent.headers, Cookie: 'sid=1', 'Sec-Fetch-Site': 'cross-site' },
    }),
  },
  {
    rule: 'inspect/sqli/union',
    config: {},
    change: sent => ({ ...sent, query: { ...sent.query, q: "1' UNION SELECT password FROM users--" } }),
  },
  {
    rule: 'inspect/xss',
    config: {},
    change: sent => ({ ...sent, body: { ...sent.body, text: '<script>alert(document.cookie)</script>' } }),
  },
  {
    rule: 'schema/parameter',
    config: { schema: { enforce: SCHEMAS }, routes: { '/**': {} } },
    change: sent => ({
      ...sent,
      query: { ...sent.query, unexpected: '1' },
      body: { ...sent.body, other: 'x' },
    }),
  },
  {
    rule: 'login/',
    config: { routes: { '/**': { login: { account: 'email' } } } },
    change: sent => ({ ...sent, body: { ...sent.body, email: ACCOUNT } }),
    before: async site => {
      const wrong = { ...plain, body: { email: ACCOUNT } }
      for (let i = 0; i < 30; i++) if ((await decide(site, wrong, 401)).effect !== 'allow') return
    },
  },
  {
    rule: 'remediation/block',
    config: {},
    change: sent => sent,
    before: ({ remediations }) =>
      remediations.apply({
        scenario: 'manual',
        title: 'test',
        severity: 'critical',
        actor: { kind: 'address', value: CLIENT },
        count: 1,
        requests: [],
        respond: { measure: 'block', duration: 60_000 },
      }),
  },
]

function merged(config: Config, faults: readonly Fault[]): Config {
  return Object.assign({}, config, ...faults.map(fault => fault.config)) as Config
}

async function prepared(config: Config, faults: readonly Fault[]): Promise<Site> {
  const site = await siteOf(config)
  for (const { before } of faults) await before?.(site)
  return site
}

function exceptionOf(decision: Decision): ConfigException {
  assert.notEqual(decision.effect, 'allow')
  const exceptions = (decision as Refusal).reasons.flatMap(({ exception }) => exception ?? [])
  assert.equal(exceptions.length, 1, 'one refusal prints one change')
  return exceptions[0] as ConfigException
}

/** A schema for every route, of the parameters that are not at fault. */
function writeSchemas({ method }: Sent): void {
  const schema = { query: TEXTS, body: TEXTS, samples: 100, closed: true }
  writeFileSync(SCHEMAS, JSON.stringify({ [`${method} /**`]: schema }))
}

/** Does to the schemas what the note of an exception says. */
function followNote(note: string): void {
  const [, route = '', places = ''] = /under ("(?:[^"\\]|\\.)*"): add or widen ([^;]+)/.exec(note) ?? []
  assert.notEqual(places, '', note)
  const schemas = JSON.parse(readFileSync(SCHEMAS, 'utf8')) as Record<string, Record<string, object>>
  for (const place of places.split(', ')) {
    const [part = '', name = ''] = place.split('.')
    const schema = schemas[JSON.parse(route) as string]
    assert.ok(schema, route)
    schema[part] = { ...schema[part], [name]: KNOWN }
  }
  writeFileSync(SCHEMAS, JSON.stringify(schemas))
}

/** Lifts what the command of an exception lifts: the ban by a trap as well, which this site may not have. */
async function runCommand({ remediations }: Site, command: string): Promise<void> {
  const [, actor = ''] = /^postern unban (\S+)$/.exec(command) ?? []
  assert.notEqual(actor, '', command)
  await remediations.remove(parseActor(actor))
}

/** Refused, changed once, and sent again: it passes, and each of the faults is still refused elsewhere. */
async function holds(faults: readonly Fault[], sent: Sent): Promise<void> {
  const config = merged({}, faults)
  const request = faults.reduce((so, { change }) => change(so), sent)
  writeSchemas(request)
  const exception = exceptionOf(await decide(await prepared(config, faults), request))
  const applied = applyException(config, exception) as Config
  if (exception.note?.includes('schema.enforce') === true) followNote(exception.note)
  const after = await prepared(applied, faults)
  if (exception.command !== undefined) await runCommand(after, exception.command)
  const last = await decide(after, request)
  assert.equal(
    last.effect,
    'allow',
    `${faults.map(({ rule }) => rule).join(' and ')}: ${JSON.stringify([exception, last])}`,
  )
  for (const fault of faults.filter(({ rule }) => rule.startsWith('inspect'))) {
    const elsewhere = fault.change({ ...sent, path: `${sent.path}/elsewhere` })
    writeSchemas(elsewhere)
    assert.equal((await decide(await siteOf(applied), elsewhere)).effect, 'deny', fault.rule)
  }
}

const segment = fc.constantFrom('notes', 'a', 'b-c', 'd.e', 'café', '7', 'x y')
const sent: fc.Arbitrary<Sent> = fc.record({
  method: fc.constantFrom('POST', 'PUT', 'PATCH', 'DELETE'),
  path: fc
    .array(segment, { minLength: 1, maxLength: 3 })
    .map(parts => `/${parts.map(encodeURIComponent).join('/')}`),
  query: fc.constantFrom<Sent['query']>({}, { page: '2' }),
  headers: fc.constantFrom<Sent['headers']>({}, { Accept: 'application/json' }),
  body: fc.constantFrom<Sent['body']>({}, { title: 'Bread' }),
})

describe('one change for a request that several guards refuse', { timeout: 120_000 }, () => {
  for (const [i, first] of FAULTS.entries())
    for (const second of FAULTS.slice(i + 1))
      test(`${first.rule} and ${second.rule}`, () =>
        fc.assert(
          fc.asyncProperty(sent, request => holds([first, second], request)),
          { numRuns: 3 },
        ))

  test('any number of guards', () =>
    fc.assert(
      fc.asyncProperty(fc.subarray([...FAULTS], { minLength: 2 }), sent, (faults, request) =>
        holds(faults, request),
      ),
      { numRuns: 40 },
    ))

  test('names the rules of the later guards, and the refusal stays that of the first', async () => {
    const faults = FAULTS.filter(({ rule }) => /^(?:protocol|honey|inspect.sqli)/.test(rule))
    const decision = await decide(
      await prepared(merged({}, faults), faults),
      faults.reduce((so, { change }) => change(so), plain),
    )
    assert.deepEqual(
      (decision as Refusal).reasons.map(({ rule }) => rule),
      ['protocol/headers'],
    )
    const covers = exceptionOf(decision).covers ?? []
    assert.equal(covers[0], 'honey/field')
    assert.ok(
      covers.some(rule => rule.startsWith('inspect/sqli/')),
      covers.join(),
    )
  })

  test('in observe mode the change answers all that would have refused', async () => {
    const faults = FAULTS.filter(({ rule }) => /^(?:protocol|csrf|inspect.sqli)/.test(rule))
    const request = faults.reduce((so, { change }) => change(so), plain)
    const { engine } = await siteOf({ ...merged({}, faults), mode: 'observe' })
    const exchange = engine.open(sourceOf(request))
    assert.equal((await engine.decide(exchange)).effect, 'allow')
    assert.ok(exchange.observed !== undefined)
    const applied = applyException(merged({}, faults), exceptionOf(exchange.observed)) as Config
    assert.equal((await decide(await siteOf(applied), request)).effect, 'allow')
  })

  test('asking a trap whether it would refuse bans nobody', async () => {
    const faults = FAULTS.filter(({ rule }) => /^(?:protocol|honey)/.test(rule))
    const site = await siteOf(merged({}, faults))
    await decide(
      site,
      faults.reduce((so, { change }) => change(so), plain),
    )
    assert.deepEqual(site.remediations.list(), [])
  })

  test('asking a limit whether it would refuse takes nothing', async () => {
    const faults = FAULTS.filter(({ rule }) => /^(?:protocol|limit)/.test(rule))
    const site = await siteOf(merged({}, faults))
    const request = faults.reduce((so, { change }) => change(so), plain)
    for (let i = 0; i < 3; i++) await decide(site, request)
    assert.equal((await decide(site, { ...plain, headers: { 'X-Client': 'one' } })).effect, 'allow')
  })
})
