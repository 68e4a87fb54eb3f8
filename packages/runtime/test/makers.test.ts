import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Config, type LoadedConfig, loadConfig } from '@postern/config'
import { ConfigError, StoreError } from '@postern/core'
import { makerNotes } from '../src/access/machines-without-maker.ts'
import { openAccess } from '../src/access/open-access.ts'

type Keys = NonNullable<Parameters<typeof makerNotes>[1]>
type ListedKey = Awaited<ReturnType<Keys['apiKeys']['listAll']>>[number]

async function loaded(t: TestContext, config: Config): Promise<LoadedConfig> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-makers-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return loadConfig({ config, folder, environment: {} })
}

function keysOf(...keys: readonly Partial<ListedKey>[]): Keys {
  return { apiKeys: { listAll: async () => keys as readonly ListedKey[] } as unknown as Keys['apiKeys'] }
}

const CONFIG: Config = {
  identify: [{ mtls: {} }],
  identity: {
    origin: 'https://shop.example',
    oauth: {
      clients: [
        { id: 'billing', name: 'Billing', secret: 'x'.repeat(40), grants: ['credentials'] },
        { id: 'app', name: 'App', redirectUris: ['https://app.example/callback'] },
      ],
    },
  },
  routes: { 'POST /purge': { approve: { by: 'user:ann' } } },
}
const OWNER = { kind: 'service', id: 'nightly' } as const

test('a start names the machines of which nobody is the maker', async t => {
  const { config } = await loaded(t, CONFIG)
  const identity = keysOf(
    { owner: OWNER },
    { owner: { kind: 'service', id: 'known' }, createdBy: 'user:ann' },
  )
  const [note = '', ...more] = await makerNotes(config, identity)
  assert.match(note, /of service:nightly, service:billing, client certificates with another name may approve/)
  assert.deepEqual(more, [])
})

test('a start names no machine that has a maker, nor any where nothing takes a consent', async t => {
  const approvals = { makers: { 'service:*': 'user:ben' } }
  const { config } = await loaded(t, { ...CONFIG, approvals })
  assert.deepEqual(await makerNotes(config, keysOf({ owner: OWNER })), [])
  const without = await loaded(t, { ...CONFIG, routes: {} })
  assert.deepEqual(await makerNotes(without.config, keysOf({ owner: OWNER })), [])
})

test('a start says where all who may approve are the makers of a machine', async t => {
  const approvals = { makers: { 'service:*': ['user:ann', 'user:ben'] } }
  const { config } = await loaded(t, { ...CONFIG, approvals })
  const notes = await makerNotes(config, undefined)
  assert.deepEqual(notes, [
    'approvals: nobody can approve "POST /purge" for service:*: all who may are its makers',
  ])
})

test('a start says of ten routes that nobody can approve, and how many more there are', async t => {
  const routes = Object.fromEntries(
    Array.from({ length: 25 }, (_, at) => [`POST /purge/${at}`, { approve: { by: 'user:ann' } }]),
  )
  const { config } = await loaded(t, { approvals: { makers: { 'service:*': 'user:ann' } }, routes })
  const notes = await makerNotes(config, undefined)
  assert.equal(notes.length, 11)
  assert.equal(notes.at(-1), 'approvals: 15 more routes that nobody can approve for a machine')
})

test('a start does not wait for a store of keys that is away', async t => {
  const { config } = await loaded(t, CONFIG)
  const away = {
    listAll: () => Promise.reject(new StoreError('is away', { store: 'keys', retryable: true })),
  }
  const notes = await makerNotes(config, { apiKeys: away as unknown as Keys['apiKeys'] })
  assert.match(notes.join(), /service:billing/)
})

test('a maker who is named by the address of an account, which can be changed, is refused with its id', async t => {
  const approvals = { makers: { 'service:billing': 'user:ann@shop.example' } }
  const open = async (accountNamed: (name: string) => Promise<{ id: string } | undefined>): Promise<void> => {
    const opened = await openAccess({
      loaded: await loaded(t, { ...CONFIG, approvals }),
      connections: undefined,
      notices: 'leave',
      accountNamed,
    })
    await opened.close()
  }
  await open(async () => undefined)
  await assert.rejects(
    open(async name => (name === 'ann@shop.example' ? { id: 'u1' } : undefined)),
    (error: unknown) => error instanceof ConfigError && error.message.includes('user:u1'),
  )
})
