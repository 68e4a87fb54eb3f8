import assert from 'node:assert/strict'
import { test } from 'node:test'
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
