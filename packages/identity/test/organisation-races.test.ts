// Two changes of one organisation at once, on two instances over one PostgreSQL.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { connectPostgres, type PostgresDatabase } from '@postern/store'
import { freshDatabase } from '../../../test/services.ts'
import type { Account } from '../src/account/account.ts'
import { parseEmail } from '../src/account/email.ts'
import type { Organisations } from '../src/account/organisations.ts'
import { HeldStatements } from './interleaving.ts'
import { startSite } from './site.ts'

interface Shop {
  readonly database: PostgresDatabase
  readonly here: Organisations
  readonly there: Organisations
  readonly held: HeldStatements
  readonly tenant: string
  readonly alice: Account
  readonly bob: Account
  readonly carol: Account
}

/** A shop that Alice and Bob own; Carol has an account. */
async function shop(t: TestContext): Promise<Shop> {
  const url = await freshDatabase(t)
  const connect = (): PostgresDatabase => {
    const database = connectPostgres({ url, max: 8 })
    t.after(() => database.close())
    return database
  }
  const [one, two] = [connect(), connect()]
  const held = new HeldStatements(one)
  const { identity } = await startSite(t, { database: one })
  const other = await startSite(t, { database: two })
  const person = async (name: string): Promise<Account> => {
    const email = parseEmail(`${name}@shop.example`) ?? assert.fail()
    return (await identity.accounts.create({ email, emailVerified: 'yes' })) ?? assert.fail()
  }
  const [alice, bob, carol] = [await person('alice'), await person('bob'), await person('carol')]
  const { id: tenant } = await identity.organisations.create(alice, 'Shop')
  const made = { database: connect(), here: identity.organisations, there: other.identity.organisations }
  const world = { ...made, held, tenant, alice, bob, carol }
  await join(world, bob, ['owner'])
  return world
}

async function join({ here, tenant, alice }: Shop, who: Account, roles: readonly string[]): Promise<void> {
  const email = parseEmail(who.email) ?? assert.fail()
  assert.ok(await here.accept(who, await here.invite(alice, tenant, email, roles)))
}

const owners = async ({ here, tenant }: Shop): Promise<readonly string[]> =>
  (await here.members(tenant))
    .filter(({ roles }) => roles.includes('owner'))
    .map(({ accountId }) => accountId)

const leave: Readonly<
  Record<string, (organisations: Organisations, who: Account, tenant: string) => Promise<boolean>>
> = {
  'leave it': (organisations, who, tenant) => organisations.remove(who, tenant, who.id),
  'give the role up': (organisations, who, tenant) => organisations.setRoles(who, tenant, who.id, []),
}
for (const [how, go] of Object.entries(leave))
  test(`of the last two owners of an organisation who ${how} at once, one stays`, async t => {
    const made = await shop(t)
    const { database, here, there, tenant, alice, bob } = made
    const waiting = async (): Promise<number> => {
      const { rows } = await database.query<{ n: number }>(
        "SELECT count(*)::integer AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()",
      )
      return rows[0]?.n ?? 0
    }
    const both = await database.transaction(async client => {
      await client.query('SELECT * FROM membership FOR UPDATE')
      const going = Promise.all([go(here, alice, tenant), go(there, bob, tenant)])
      while ((await waiting()) < 2) await new Promise(resolve => setTimeout(resolve, 5))
      return { going }
    })
    assert.deepEqual((await both.going).toSorted(), [false, true])
    assert.equal((await owners(made)).length, 1)
  })

test('an owner who is removed does nothing as an owner any more, whatever was under way', async t => {
  const acts: readonly ((made: Shop) => Promise<unknown>)[] = [
    ({ here, bob, tenant, carol }) => here.setRoles(bob, tenant, carol.id, ['owner']),
    ({ here, bob, tenant, alice }) => here.setRoles(bob, tenant, alice.id, []),
    ({ here, bob, tenant, carol }) => here.remove(bob, tenant, carol.id),
  ]
  const made = await shop(t)
  const { held, there, tenant, alice, bob, carol } = made
  await join(made, carol, ['buyer'])
  for (const act of acts)
    for (let at = 0; at < 2; at++) {
      await held.between(
        at,
        () => act(made).catch(() => {}),
        async () => {
          assert.equal(await there.remove(alice, tenant, bob.id), true)
        },
      )
      assert.deepEqual(await owners(made), [alice.id])
      const members = await there.members(tenant)
      assert.deepEqual(members.find(({ accountId }) => accountId === carol.id)?.roles, ['buyer'])
      await join(made, bob, ['owner'])
    }
})

test('an invitation of an owner who is removed while it is taken up brings nobody in', async t => {
  const made = await shop(t)
  const { held, here, there, tenant, alice, bob, carol } = made
  const email = parseEmail(carol.email) ?? assert.fail()
  // The last statement looks up what came of it.
  for (let at = 0; at < 4; at++) {
    const token = await here.invite(bob, tenant, email, ['owner'])
    await held.between(
      at,
      () => here.accept(carol, token),
      async () => {
        assert.equal(await there.remove(alice, tenant, bob.id), true)
      },
    )
    assert.deepEqual(await owners(made), [alice.id])
    await join(made, bob, ['owner'])
  }
})
