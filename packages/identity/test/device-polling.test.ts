import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { connectPostgres } from '@postern/store'
import * as openid from 'openid-client'
import { freshDatabase } from '../../../test/services.ts'
import { API, allowDevice, discover, oauthSite } from './oauth-site.ts'
import { type Site, signUp } from './site.ts'
import { VirtualClock } from './support.ts'

const STORES: Readonly<Record<string, (t: TestContext, clock: VirtualClock) => Promise<Site>>> = {
  SQLite: (t, clock) => oauthSite(t, { clock }),
  PostgreSQL: async (t, clock) => {
    const database = connectPostgres({ url: await freshDatabase(t), max: 4 })
    t.after(() => database.close())
    return oauthSite(t, { clock, database })
  },
}

/** What the token endpoint says to a poll: an error, or nothing. */
async function poll({ origin }: Site, device: string, client = 'native'): Promise<string | undefined> {
  const body = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    device_code: device,
    client_id: client,
    resource: API,
  })
  const answer = await fetch(`${origin}/.postern/oauth/token`, { method: 'POST', body })
  return ((await answer.json()) as { readonly error?: string }).error
}

for (const [name, open] of Object.entries(STORES))
  describe(`a device that polls (RFC 8628 section 3.5), on ${name}`, () => {
    test('is asked to slow down when it comes too early, and to wait five seconds longer each time', async t => {
      const clock = new VirtualClock(Date.now())
      const site = await open(t, clock)
      const config = await discover(site, 'native')
      const { device_code: device } = await openid.initiateDeviceAuthorization(config, { scope: 'openid' })
      const { device_code: other } = await openid.initiateDeviceAuthorization(config, { scope: 'openid' })
      const after = (seconds: number): Promise<string | undefined> => {
        clock.advance(seconds * 1_000)
        return poll(site, device)
      }
      assert.equal(await after(0), 'authorization_pending')
      assert.equal(await poll(site, other), 'authorization_pending', 'each device for itself')
      for (const seconds of [5, 5, 4.2]) assert.equal(await after(seconds), 'authorization_pending')
      assert.equal(await after(1), 'slow_down')
      assert.equal(await after(5), 'slow_down', 'ten seconds by now')
      assert.equal(await after(15), 'authorization_pending')
      assert.equal(await after(10), 'slow_down')
      assert.equal(await after(20), 'authorization_pending')
    })

    test('gets what it was allowed however often it came, and others make it no slower', async t => {
      const site = await open(t, new VirtualClock(Date.now()))
      const config = await discover(site, 'native')
      const started = await openid.initiateDeviceAuthorization(config, { scope: 'openid', resource: API })
      // A client that the code was not made for, and a code that there is none of, count for nobody.
      for (let i = 0; i < 3; i++) {
        assert.equal(await poll(site, started.device_code, 'tv'), 'invalid_grant')
        assert.equal(await poll(site, 'x'.repeat(43)), 'invalid_grant')
      }
      assert.equal(await poll(site, started.device_code), 'authorization_pending')
      for (let i = 0; i < 5; i++) assert.equal(await poll(site, started.device_code), 'slow_down')
      const browser = await signUp(site, 'alice@shop.example')
      assert.match(await allowDevice(browser, site, started), /connected/)
      assert.equal(await poll(site, started.device_code), undefined)
      assert.equal(await poll(site, started.device_code), 'invalid_grant', 'once')
    })
  })
