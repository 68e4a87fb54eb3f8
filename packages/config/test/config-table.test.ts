import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { METHODS } from 'node:http'
import { describe, test } from 'node:test'
import { CidrSet, RouteTable } from '@postern/core'
import { parse } from 'yaml'
import { parseGatewayOptions } from '../../gateway/src/options/gateway-options.ts'
import { type LoadedConfig, loadConfig } from '../src/load/load-config.ts'
import { annotatedSchema, type SchemaNode } from '../src/table/json-schema.ts'
import { changedRestartKeys } from '../src/table/restart-keys.ts'
import type { Config } from '../src/table/table.ts'

const ENVIRONMENT = {
  ANCHOR_TOKEN: 't',
  APP_URL: 'postgres://127.0.0.1/shop',
  AUTH_SECRET: 'a secret of Auth.js',
  CLIENT_SECRET: 's',
  APP_SECRET: 's',
  GOOGLE_SECRET: 's',
  SMTP_URL: 'smtps://mail.shop.example',
  APPROVALS_KEY: Buffer.alloc(32).toString('base64'),
  APPROVALS_WEBHOOK_SECRET: 's',
  AUDIT_KEY: 'k',
  CLOUDFLARE_TOKEN: 't',
  APP_OWNER_URL: 'postgres://127.0.0.1/shop',
  CLAIM_KEY: `1:${'A'.repeat(43)}=`,
  CROWDSEC_KEY: 'k',
  GRANT_KEY: `1:${'A'.repeat(43)}=`,
  JOURNAL_KEY: `1:${'A'.repeat(43)}=`,
  HOOK_SECRET: 's',
  PAGERDUTY_KEY: 'k',
  POSTERN_SIGNING_KEY: Buffer.alloc(32).toString('base64'),
  POSTGRES_URL: 'postgres://127.0.0.1/postern',
  REDIS_URL: 'redis://127.0.0.1',
  SLACK_WEBHOOK: 'https://hooks.slack.test/x',
  OTLP_KEY: 'collector-key',
  TEAMS_WEBHOOK: 'https://teams.test/x',
}

const load = (config: unknown): Promise<LoadedConfig> =>
  loadConfig({ config: config as Config, folder: '/srv/shop', environment: ENVIRONMENT })

/** Entries of sections by name. */
const ENTRIES: Readonly<Record<string, string>> = {
  routes: 'POST /shops/:id/invoices/:invoice',
  limits: 'api',
}

function words(text: string): number {
  return text.split(/\s+/).length
}

/** The keys of the table with their descriptions. */
function* descriptions(
  { properties = {}, anyOf = [], items, additionalProperties: entries }: SchemaNode,
  place: string,
): Generator<readonly [place: string, description: string | undefined]> {
  for (const branch of anyOf) yield* descriptions(branch, place)
  if (items !== undefined) yield* descriptions(items, place)
  if (typeof entries === 'object') yield* descriptions(entries, place)
  for (const [name, node] of Object.entries(properties)) {
    yield [`${place}.${name}`, node.description]
    yield* descriptions(node, `${place}.${name}`)
  }
}

/** Every object of the table with all its examples, in a configuration that holds it. */
function* exampleConfigs(
  node: SchemaNode,
  name: string,
  hold: (value: unknown) => unknown,
): Generator<readonly [string, unknown]> {
  const { properties, anyOf = [], items, additionalProperties: entries } = node
  for (const branch of anyOf) yield* exampleConfigs(branch, name, hold)
  if (items !== undefined) yield* exampleConfigs(items, name, value => hold([value]))
  if (typeof entries === 'object')
    yield* exampleConfigs(entries, name, value => hold({ [ENTRIES[name] ?? 'x']: value }))
  if (properties === undefined) return
  // One of the two secrets of a webhook is enough.
  const examples = Object.entries(properties).flatMap(([key, { example }]) =>
    example === undefined || key === 'secretFile' ? [] : [[key, example]],
  )
  // A method is of one kind, a look-up by address or by query, and tokens are checked with keys or a secret.
  const isMethod = 'tailscale' in properties
  const kept = isMethod
    ? examples.filter(([key]) => key === 'name' || key === 'prefix' || key === 'tailscale')
    : examples.filter(
        ([key]) => !(key === 'url' && 'query' in properties) && !(key === 'secret' && 'jwks' in properties),
      )
  const all = Object.fromEntries(kept) as Readonly<Record<string, unknown>>
  if (examples.length > 0) yield [name, hold(all)]
  for (const [key, child] of Object.entries(properties))
    yield* exampleConfigs(child, key, value => hold(isMethod ? { [key]: value } : { ...all, [key]: value }))
}

describe('the table of configuration keys', () => {
  test('has examples that a configuration may hold', async () => {
    const configs = [...exampleConfigs(annotatedSchema(), '', value => value)]
    assert.ok(configs.length > 30)
    for (const [name, config] of configs)
      await assert.doesNotReject(load(config), `${name}: ${JSON.stringify(config)}`)
  })

  test('is shown in its reference by configurations that can be used as they are', async () => {
    const page = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8')
    const blocks = [...page.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(([, text = '']) => text)
    assert.ok(blocks.length > 60, `${blocks.length} blocks`)
    for (const text of blocks) await assert.doesNotReject(load(parse(text)), text)
  })

  test('describes every key in words that can be read alone', () => {
    const vague = [...descriptions(annotatedSchema(), '')].filter(
      ([, text]) =>
        text === undefined || /^(?:Its|Of|For|Between|The same|As in) /.test(text) || words(text) < 4,
    )
    assert.deepEqual(vague, [])
  })

  test('has the defaults of the gateway', async () => {
    const { config } = await load({})
    const { drain, ...timeouts } = config.timeouts
    const settings = parseGatewayOptions({
      engine: () => assert.fail('no request is made'),
      upstream: 'http://127.0.0.1:1',
      listen: { port: 0 },
    })
    assert.deepEqual({ ...timeouts }, { ...settings.timeouts })
    assert.deepEqual({ ...config.caps }, { ...settings.limits })
    assert.equal(drain, 10_000)
  })

  test('is compiled: milliseconds, bytes, ranges, routes and rules', async () => {
    const { config } = await load({
      trustProxies: ['10.0.0.0/8'],
      bodyLimit: '64kb',
      routes: { 'POST /login': { throttle: '5/1m', maxBody: '1kb' }, '/trap': { honey: true } },
      identify: 'application',
      limits: { busy: false, tenant: { limit: '10/1s burst 50', key: 'tenant', overrides: true } },
      audit: { retention: '90d' },
      honey: { for: '2h' },
      admin: { listen: 9_000 },
    })
    assert.ok(config.trustProxies instanceof CidrSet)
    assert.ok(config.routes.table instanceof RouteTable)
    assert.equal(config.bodyLimit, 65_536)
    assert.deepEqual(config.routes.traps, ['/trap'])
    assert.equal(config.routes.table.match('POST', '/login')?.settings.maxBody, 1_024)
    assert.equal(config.routes.limits.get('POST /login')?.limit.kind, 'window')
    assert.deepEqual(
      config.limits.map(({ name, keyName, overrides }) => [name, keyName, overrides]),
      [
        ['address', 'address', false],
        ['login', 'address', false],
        ['static', 'address', false],
        ['tenant', 'tenant', true],
      ],
    )
    assert.equal(config.audit === false ? undefined : config.audit.retention, 90 * 86_400_000)
    assert.equal(config.honey.for, 7_200_000)
    assert.deepEqual(config.admin, { listen: { host: '127.0.0.1', port: 9_000 } })
    assert.equal(config.dataDirectory, '/srv/shop/.postern')
  })

  test('changes a part of a default limit, and keeps the rest', async () => {
    const { config } = await load({ limits: { login: { key: 'network' } } })
    const login = config.limits.find(({ name }) => name === 'login')
    assert.equal(login?.keyName, 'network')
    assert.ok((login?.routes?.length ?? 0) > 10)
  })

  test('takes every method that Node knows, for a route and in its pattern', async () => {
    for (const name of METHODS) {
      const { config } = await load({ routes: { '/a': { methods: [name] }, [`${name} /b`]: {} } })
      assert.deepEqual(config.routes.table.match(name, '/a')?.settings.methods, [name])
      assert.equal(config.routes.table.match(name, '/b')?.pattern, `${name} /b`)
    }
  })

  test('takes a list of one key for that key', async () => {
    const { config } = await load({ limits: { a: { limit: '5/1m', key: ['network'] } } })
    assert.equal(config.limits.find(({ name }) => name === 'a')?.keyName, 'network')
  })

  test('takes a key that is undefined as absent', async () => {
    const { config } = await load({ audit: { retention: undefined }, admin: undefined })
    assert.equal(config.audit !== false && Object.hasOwn(config.audit, 'retention'), false)
    assert.notEqual(config.admin, false)
  })
})

describe('the keys that need a restart', () => {
  const CASES: readonly (readonly [Config, Config, readonly string[]])[] = [
    [{}, { mode: 'observe', bodyLimit: '2mb', trustProxies: ['loopback'] }, []],
    [{}, { listen: 9_000 }, ['listen']],
    [{ audit: { retention: '1d' } }, { audit: { retention: '2d' } }, ['audit']],
    [{}, { remediations: { never: ['192.0.2.1'] } }, []],
    [{}, { remediations: { nftables: true } }, ['remediations.nftables']],
    [{ stores: { redis: 'redis://a' } }, { stores: { redis: 'redis://b' } }, ['stores']],
  ]
  for (const [before, after, keys] of CASES)
    test(`of ${JSON.stringify(after)} are ${keys.join(', ') || 'none'}`, () =>
      assert.deepEqual(changedRestartKeys(before, after), keys))
})

test('nothing behind the configuration writes the default port of the admin listener again', () => {
  for (const file of ['server/src/serve.ts', 'server/src/doctor/check-network.ts'])
    assert.doesNotMatch(readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8'), /9464/)
})
