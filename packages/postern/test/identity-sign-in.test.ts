import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { services } from '../../../test/services.ts'
import { type Config, type Postern, postern } from '../src/index.ts'

const ORIGIN = 'http://localhost:8080'
const FORM = {
  'content-type': 'application/x-www-form-urlencoded',
  'sec-fetch-site': 'same-origin',
  accept: 'text/html',
}

interface Site {
  readonly layer: Postern
  post(
    path: string,
    fields: Readonly<Record<string, string>>,
    from?: string,
    cookie?: string,
  ): Promise<Response>
  get(path: string, cookie: string): Promise<Response>
  /** The link of the only mail. */
  link(): Promise<URL>
}

async function site(
  t: TestContext,
  identity: Partial<NonNullable<Config['identity']>> = {},
  config: Omit<Config, 'identity'> = {},
): Promise<Site> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-sign-in-'))
  const layer = await postern({ folder, config: { ...config, identity: { origin: ORIGIN, ...identity } } })
  t.after(async () => {
    await layer.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const handle = layer.fetch(() => new Response('handled'), {
    peer: request => request.headers.get('x-test-peer') ?? undefined,
  })
  return {
    layer,
    post: async (path, fields, from = '192.0.2.7', cookie = '') => {
      const answer = await handle(
        new Request(`${ORIGIN}${path}`, {
          method: 'POST',
          headers: { ...FORM, 'x-test-peer': from, ...(cookie !== '' && { cookie }) },
          body: new URLSearchParams(fields),
        }),
      )
      // To its end: only then is it known how it went.
      await answer.clone().text()
      return answer
    },
    get: async (path, cookie) =>
      handle(new Request(`${ORIGIN}${path}`, { headers: { cookie, accept: 'text/html' } })),
    link: async () => {
      await layer.identity?.close()
      const outbox = join(folder, '.postern', 'outbox')
      const [mail = ''] = readdirSync(outbox)
      const [link = ''] = /http:\/\/localhost\S+/.exec(readFileSync(join(outbox, mail), 'utf8')) ?? []
      return new URL(link)
    },
  }
}

const finish = async ({ post, link }: Site, password: string): Promise<number> => {
  await post('/.postern/sign-up', { email: 'alice@shop.example' })
  const token = (await link()).searchParams.get('token') ?? ''
  return (await post('/.postern/sign-up/finish', { token, name: 'Alice', password })).status
}

describe('built-in identity, configured', { timeout: 120_000 }, () => {
  test('sessions are kept in Redis where the configuration says so, and not in the database', async t => {
    const { redis } = await services()
    const here = await site(t, { sessions: { store: 'redis' } }, { stores: { redis, limits: 'memory' } })
    assert.equal(await finish(here, 'a quiet river'), 303)
    const { identity } = here.layer
    const account = await identity?.accounts.named('alice@shop.example')
    const sessions = (await identity?.sessions.list(account?.id ?? '')) ?? []
    assert.equal(sessions.length, 1)
    const answer = await here.post('/.postern/sign-in', {
      email: 'alice@shop.example',
      password: 'a quiet river',
    })
    const cookie = answer.headers.getSetCookie().find(line => line.startsWith('postern-session='))
    const page = await here.get('/.postern/sessions', cookie?.split(';')[0] ?? '')
    assert.equal(page.status, 200)
    assert.match(await page.text(), /127|192\.0\.2\.7/)
    await identity?.sessions.revokeAll(account?.id ?? '')
    assert.equal((await here.get('/.postern/sessions', cookie?.split(';')[0] ?? '')).status, 303)
    await assert.rejects(site(t, { sessions: { store: 'redis' } }), {
      name: 'ConfigError',
      message: /identity\.sessions\.store.*stores\.redis/s,
    })
  })

  test('a common password is not taken', async t => {
    assert.equal(await finish(await site(t), 'iloveyou1'), 422)
  })

  test('identity.keys.perOwner limits the keys of one owner', async t => {
    const { layer } = await site(t, { keys: { perOwner: 2 } })
    const keys = layer.identity?.apiKeys
    assert.ok(keys)
    const owner = { kind: 'service', id: 'billing' } as const
    await keys.create(owner, { name: 'key' })
    await keys.create(owner, { name: 'key' })
    await assert.rejects(keys.create(owner, { name: 'key' }), /2/)
  })

  test('guessing at an account is stopped, whatever the addresses, and its owner gets in', async t => {
    const shop = await site(t)
    const { post } = shop
    const password = 'a quiet river'
    assert.equal(await finish(shop, password), 303)
    const right = { email: 'alice@shop.example', password }
    const signedIn = await post('/.postern/sign-in', right, '192.0.2.7')
    assert.equal(signedIn.status, 303)
    const device = signedIn.headers
      .getSetCookie()
      .find(line => line.includes('device'))
      ?.split(';', 1)[0]
    assert.ok(device)

    const statuses: number[] = []
    for (let guess = 0; guess < 40; guess++)
      statuses.push(
        (
          await post(
            '/.postern/sign-in',
            { email: 'Alice@Shop.example', password: `guess ${guess}` },
            `198.51.${guess}.7`,
          )
        ).status,
      )
    const checked = statuses.filter(status => status === 401)
    assert.ok(checked.length <= 10, `${checked.length} guesses were checked`)
    // The right password from there is not even looked at.
    assert.equal((await post('/.postern/sign-in', right, '198.51.99.7')).status, 429)

    assert.equal((await post('/.postern/sign-in', right, '203.0.113.80', device)).status, 303)
    assert.equal((await post('/.postern/sign-in', right, '192.0.2.99')).status, 303)
  })
})
