import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@postern/core'
import { connectPostgres, openSqlite } from '@postern/store'
import { freshDatabase } from '../../../test/services.ts'
import { Accounts } from '../src/account/accounts.ts'
import { parseEmail } from '../src/account/email.ts'
import { identityDatabase } from '../src/database/identity-database.ts'
import { migrateIdentity } from '../src/database/identity-migrations.sql.ts'

const HASH = '$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$WzJj5TOSzA9b4mHtBQYQ7BTPmYdMTZ8pXVGGn4gvWbE'

for (const dialect of ['SQLite', 'PostgreSQL'])
  test(`${dialect}: what takes rights from an account leaves a trace, also once they are given back`, async t => {
    const connection =
      dialect === 'SQLite'
        ? openSqlite({ path: ':memory:' })
        : connectPostgres({ url: await freshDatabase(t) })
    t.after(() => connection.close())
    await migrateIdentity(connection)
    const clock = new VirtualClock()
    const accounts = new Accounts({ database: identityDatabase(connection), clock, emit: () => {} })
    const email = parseEmail('olga@shop.example') ?? assert.fail('no address')
    const { id } = (await accounts.create({ email, emailVerified: 'yes' })) ?? assert.fail('no account')
    assert.equal(await accounts.rightsChangedAt(id), undefined)
    const account = async () => (await accounts.byId(id)) ?? assert.fail('no account')
    const changes: readonly (readonly [what: string, change: () => Promise<unknown>, counts: boolean])[] = [
      ['a role is given', () => accounts.setRoles(id, ['owner']), true],
      ['the same roles', () => accounts.setRoles(id, ['owner']), false],
      ['a role is taken', () => accounts.setRoles(id, []), true],
      ['another name', () => accounts.setName(id, 'Olga', 'en'), false],
      ['disabled', () => accounts.disable(id), true],
      ['disabled again', () => accounts.disable(id), false],
      ['enabled', () => accounts.enable(id), false],
      ['another password', async () => accounts.setPassword(await account(), HASH), true],
      ['deleted', () => accounts.remove(id), true],
      ['deleted again', () => accounts.remove(id), false],
    ]
    for (const [what, change, counts] of changes) {
      clock.advance(1_000)
      await change()
      assert.equal((await accounts.rightsChangedAt(id)) === clock.now(), counts, what)
    }
    const other = parseEmail('otto@shop.example') ?? assert.fail('no address')
    const { id: otto } =
      (await accounts.create({ email: other, emailVerified: 'yes' })) ?? assert.fail('no account')
    clock.advance(2 * 86_400_000)
    await accounts.disable(otto)
    assert.equal(await accounts.rightsChangedAt(id), undefined, 'after a day it is forgotten')
  })
