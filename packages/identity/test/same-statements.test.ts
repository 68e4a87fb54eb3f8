import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { connectPostgres } from '@postern/store'
import { freshDatabase } from '../../../test/services.ts'
import { parseEmail } from '../src/account/email.ts'
import { PlainBrowser, startSite } from './site.ts'

describe('what a refused sign-in asks the database', () => {
  test('attack: is the same whether there is such an account, disabled or without a password, or none', async t => {
    const database = connectPostgres({ url: await freshDatabase(t), max: 4 })
    t.after(() => database.close())
    const site = await startSite(t, { database })
    const { accounts, passwords } = site.identity
    const passwordHash = await passwords.hash('a quiet river')
    for (const [name, options] of Object.entries({
      alice: { passwordHash },
      disabled: { passwordHash },
      passkeys: {},
    })) {
      const email = parseEmail(`${name}@shop.example`) ?? assert.fail()
      const made = await accounts.create({ email, emailVerified: 'yes', ...options })
      if (name === 'disabled') await accounts.disable(made?.id ?? '')
    }
    const asked: string[] = []
    const query = database.query.bind(database)
    database.query = (text, values, timeout) => {
      asked.push(text)
      return query(text, values, timeout)
    }
    const transaction = database.transaction.bind(database)
    database.transaction = work => {
      asked.push('a transaction')
      return transaction(work)
    }
    const refused = async (name: string): Promise<readonly string[]> => {
      asked.length = 0
      const fields = { email: `${name}@shop.example`, password: 'another river' }
      const answer = await new PlainBrowser(site.origin).post('/.postern/sign-in', fields)
      assert.equal(answer.status, 401)
      return [...asked]
    }
    const ofNobody = await refused('nobody')
    assert.equal(ofNobody.length, 1)
    for (const name of ['alice', 'disabled', 'passkeys'])
      assert.deepEqual(await refused(name), ofNobody, name)
  })
})
