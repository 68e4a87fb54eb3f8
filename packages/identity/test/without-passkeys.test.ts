import assert from 'node:assert/strict'
import { registerHooks } from 'node:module'
import { test } from 'node:test'
import { ConfigError } from '@postern/core'
import { openSqlite } from '@postern/store'
import { PasskeyAccounts } from '../src/passkey/passkey-accounts.ts'
import { PlainBrowser, signUp, startSite } from './site.ts'

for (const areOffered of [true, false])
  test(`pages ${areOffered ? 'offer passkeys' : 'offer no passkeys without the package that checks them'}`, async t => {
    const site = await startSite(t)
    if (!areOffered) Object.assign(site.identity.passkeys, { areOffered })
    const { text: signInPage } = await new PlainBrowser(site.origin).get('/.postern/sign-in')
    const { text: account } = await (await signUp(site, 'ann@shop.example')).get('/.postern/account')
    assert.match(signInPage, /name="password"/)
    assert.match(account, /ann@shop\.example/)
    for (const page of [signInPage, account]) assert.equal(/passkey/.test(page), areOffered)
  })

test('nobody is invited to an account with a passkey without the package', async t => {
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      if (specifier !== '@simplewebauthn/server') return next(specifier, context)
      throw Object.assign(new Error('not there'), { code: 'ERR_MODULE_NOT_FOUND' })
    },
  })
  t.after(() => hooks.deregister())
  const database = openSqlite({ path: ':memory:' })
  t.after(() => database.close())
  const accounts = await PasskeyAccounts.open({ database, name: 'a console' })
  await assert.rejects(
    accounts.invite('ann@shop.example', ['viewer']),
    (error: unknown) =>
      error instanceof ConfigError && error.message.includes('npm install @simplewebauthn/server'),
  )
  assert.deepEqual(await accounts.list(), [])
})
