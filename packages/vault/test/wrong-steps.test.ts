// What a newcomer does wrong, and what the error tells him to do: each line of "When something goes wrong" in
// docs/vault.md.
import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { BudgetExceeded, systemRandom } from '@postern/core'
import { listenTls } from '../src/holder/holder-listener.ts'
import { HolderStore } from '../src/holder/holder-store.ts'
import { unlockKey } from '../src/holder/unlock.ts'
import { Vault } from '../src/table/vault.ts'
import { identity } from './support/holder-processes.ts'
import { TestPerson, testHolders } from './support/holders.ts'
import { named } from './support/requests.ts'

const folder = mkdtempSync(join(tmpdir(), 'vault-wrong-steps-'))
after(() => rmSync(folder, { recursive: true }))

const TABLES = { customers: { key: ['id'], columns: { email: { mode: 'split' } } } } as const
const page = readFileSync(new URL('../../../docs/vault.md', import.meta.url), 'utf8')

function vaultOf(policy: Parameters<typeof testHolders>[0] = {}) {
  const holders = testHolders(policy)
  return { holders, vault: new Vault({ tables: TABLES, split: holders.keys }) }
}

const row = (id: number) => ({ id, email: `customer${id}@example.com` })

function keyFile(name: string, mode = 0o600): string {
  const path = join(folder, name)
  writeFileSync(path, Buffer.from(systemRandom.bytes(32)).toString('base64url'))
  chmodSync(path, mode)
  return path
}

/** The error of work that fails, held against a sentence that the page has, too. */
async function tells(work: () => unknown, sentence: RegExp, onPage: string): Promise<void> {
  await assert.rejects(async () => {
    await work()
  }, sentence)
  assert.ok(page.includes(onPage), `docs/vault.md does not say "${onPage}"`)
}

describe('an error says what to do', () => {
  it('when holders are down', async () => {
    const { holders, vault } = vaultOf()
    for (const link of holders.links.slice(0, 2)) Object.assign(link, { isUp: false, fault: 'down' })
    await tells(
      () => vault.sealRows('customers', [row(1)]),
      /1 of 3 can be reached, two are needed; start the others: `postern vault status` says which/,
      'of 3 can be reached',
    )
  })

  it('when the key file is another one, or others can read it', async () => {
    const store = HolderStore.open(join(folder, 'holder.db'))
    after(() => store.close())
    await unlockKey(store, { kind: 'file', path: keyFile('right') }, systemRandom)
    await tells(
      () => unlockKey(store, { kind: 'file', path: keyFile('wrong') }, systemRandom),
      /does not unlock with this key file; give the one that it was set up with/,
      'does not unlock with this',
    )
    await tells(
      () => unlockKey(store, { kind: 'file', path: keyFile('open', 0o644) }, systemRandom),
      /can be read by other users.*chmod 600/s,
      'can be read by other users',
    )
  })

  it('when clocks differ: the caller learns where to look, and the holder logs why', async () => {
    const { holders, vault } = vaultOf()
    const [sealed] = await vault.sealRows('customers', [row(1)])
    const { clock, enroller, recorder } = holders
    const ahead = clock.now() + 60_000
    const capability = new TestPerson('anne', enroller, clock).capability(named(1), {
      issuedAt: ahead,
      expiresAt: ahead + 60_000,
    })
    await tells(
      () => vault.openRows('customers', [sealed ?? {}], { capability }),
      /audit log of each holder says why \(vault\.refused\)/,
      'vault.refused',
    )
    const details = recorder.events.flatMap(({ type, data }) =>
      type === 'vault.refused' ? [data?.['detail'] ?? data?.['refused']] : [],
    )
    assert.ok(details.length > 0)
    assert.ok(
      recorder.events.some(({ data }) => JSON.stringify(data).includes('expired')),
      `${details}`,
    )
  })

  it('when the table is another one', async () => {
    const { vault } = vaultOf()
    await tells(
      () => vault.openRows('customer', []),
      /vault\.tables\.customer: is not declared.*declared are customers/s,
      'is not declared',
    )
  })

  it('when a budget is used up: which one, and when there is more', async () => {
    const { holders, vault } = vaultOf({
      budgets: { person: 10, service: 2, served: 10, table: 100, all: 100 },
    })
    const sealed = await vault.sealRows('customers', [row(1), row(2), row(3)])
    await tells(
      () => vault.openRows('customers', sealed),
      /budget "vault service app" has 1 left and 3 were asked for; retry at/,
      '`BudgetExceeded`',
    )
    const refused = await vault.openRows('customers', sealed).catch((error: unknown) => error)
    assert.ok(refused instanceof BudgetExceeded)
    assert.ok(refused.retryAt > holders.clock.now(), 'a page larger than the budget never fits: not "now"')
  })

  it('when the port is in use', async () => {
    const other = createServer()
    await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve))
    after(() => other.close())
    const address = other.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    await tells(
      () => listenTls({ host: '127.0.0.1', port }, identity('holder'), () => undefined),
      new RegExp(`cannot listen on 127\\.0\\.0\\.1:${port} \\(EADDRINUSE\\): another process listens there`),
      'EADDRINUSE',
    )
  })
})
