import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, type TestContext, test } from 'node:test'
import { AccessRefused, guard } from '@postern/access'
import { SoftPasskey } from '../../identity/test/soft-passkey.ts'
import { type Config, callerOf, type Postern, postern } from '../src/index.ts'

const ORIGIN = 'http://localhost:8080'

interface Site {
  /** Asks with Alice's session, as a script or as a browser that opens a page. */
  ask(method: string, path: string, as?: 'script' | 'browser', body?: unknown): Promise<Response>
  /** Alice signed in so long ago, in milliseconds. */
  age(ms: number): void
}

/** What the application of a site answers. */
type Handle = (request: Request) => Promise<Response> | Response

/**
 * The layer with built-in identity, and somebody who has signed in.
 * @param handleIn makes the application
 */
async function site(
  t: TestContext,
  config: Config,
  handleIn: (layer: Postern) => Handle = () => () => new Response('handled'),
): Promise<Site> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-step-up-'))
  const layer = await postern({ folder, config: { ...config, identity: { origin: ORIGIN } } })
  t.after(async () => {
    await layer.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const { identity } = layer
  assert.ok(identity)
  await identity.importAccounts('email,email_verified\nalice@shop.example,true\n')
  const [account] = await identity.accounts.list()
  const context = { address: '192.0.2.7', agent: 'test' }
  const session = await identity.sessions.begin({ accountId: account?.id ?? '', amr: ['pwd'], ...context })
  let cookie = `postern-session=${session.token}`
  const handle = layer.fetch(handleIn(layer), { peer: () => '192.0.2.7' })
  return {
    ask: async (method, path, as = 'script', body) => {
      const answer = await handle(
        new Request(`${ORIGIN}${path}`, {
          method,
          headers: {
            cookie,
            'sec-fetch-site': 'same-origin',
            'sec-fetch-mode': as === 'browser' ? 'navigate' : 'cors',
            accept: as === 'browser' ? 'text/html,*/*;q=0.8' : 'application/json',
            ...(body !== undefined && { 'content-type': 'application/json' }),
          },
          ...(body !== undefined && { body: JSON.stringify(body) }),
        }),
      )
      for (const line of answer.headers.getSetCookie())
        if (line.startsWith('postern-session=')) cookie = line.slice(0, line.indexOf(';'))
      return answer
    },
    age: ms => {
      const database = new DatabaseSync(join(folder, '.postern', 'postern.db'))
      database.prepare('UPDATE session SET authenticated_at = authenticated_at - ?').run(ms)
      database.close()
    },
  }
}

async function registered(ask: Site['ask']): Promise<SoftPasskey> {
  const passkey = new SoftPasskey(ORIGIN)
  const offer = await (await ask('POST', '/.postern/passkey/register-options', 'script', {})).json()
  const made = passkey.create(offer as Parameters<SoftPasskey['create']>[0])
  assert.equal((await ask('POST', '/.postern/passkey/register?name=Key', 'script', made)).status, 200)
  return passkey
}

/** Proves who is there for the act that a refusal is about. */
async function confirm(ask: Site['ask'], passkey: SoftPasskey, refusal: unknown): Promise<void> {
  const { stepUp } = refusal as { readonly stepUp: string }
  const query = stepUp.slice(stepUp.indexOf('?'))
  const options = await (await ask('POST', `/.postern/confirm/options${query}`, 'script', {})).json()
  const answer = passkey.get(options as { challenge: string })
  assert.equal((await ask('POST', `/.postern/confirm/answer${query}`, 'script', answer)).status, 200)
}

describe('step-up of built-in identity on routes', { timeout: 120_000 }, () => {
  test('a sign-in that is too old sends a browser to the step-up page, and tells a script by RFC 9470', async t => {
    const { ask, age } = await site(t, { routes: { '/x/:id': { require: { stepUp: '10m' } } } })
    assert.equal(await (await ask('DELETE', '/x/1')).text(), 'handled')
    age(3_600_000)
    const script = await ask('DELETE', '/x/1')
    assert.equal(script.status, 401)
    assert.match(
      script.headers.get('www-authenticate') ?? '',
      /^Bearer error="insufficient_user_authentication".*max_age="600"/,
    )
    assert.equal(((await script.json()) as { stepUp: string }).stepUp, '/.postern/step-up?back=%2F')
    const browser = await ask('GET', '/x/1', 'browser')
    assert.equal(browser.status, 401)
    const page = await browser.text()
    assert.match(page, /http-equiv="refresh" content="0;url=\/\.postern\/step-up\?back=%2Fx%2F1"/)
    assert.equal((await ask('GET', '/.postern/step-up?back=%2Fx%2F1', 'browser')).status, 200)
  })

  test('an act bound to a passkey is done once, and no other act by it', async t => {
    const { ask } = await site(t, { routes: { 'DELETE /x/:id': { require: { stepUp: 'act' } } } })
    const passkey = await registered(ask)
    const asked = await ask('DELETE', '/x/1')
    assert.equal(asked.status, 401)
    await confirm(ask, passkey, await asked.json())
    // The attack: the confirmation of one deletion is spent on another.
    assert.equal((await ask('DELETE', '/x/2')).status, 401)
    assert.equal(await (await ask('DELETE', '/x/1')).text(), 'handled')
    assert.equal((await ask('DELETE', '/x/1')).status, 401)
  })
})

test('a function that is guarded takes the proof for its act from the request, once', async t => {
  const { ask } = await site(t, {}, layer => {
    const purge = guard(layer.access, 'year.purge', { require: { stepUp: 'act' } }, () => 'purged')
    return async request => {
      const { pathname, searchParams } = new URL(request.url)
      const caller = callerOf(request)
      try {
        // Without the request there is nothing that a proof could have come with.
        const given = pathname === '/without' ? { principal: caller.principal } : caller
        return new Response(await purge({ year: searchParams.get('year') }, given))
      } catch (error) {
        if (!(error instanceof AccessRefused)) throw error
        return Response.json(error.extensions, { status: error.refusal.status })
      }
    }
  })
  const passkey = await registered(ask)
  const asked = await ask('POST', '/purge?year=2019')
  assert.equal(asked.status, 401)
  await confirm(ask, passkey, await asked.json())
  // The attack: the proof for one year is spent on another, or twice.
  assert.equal((await ask('POST', '/purge?year=2020')).status, 401)
  assert.equal((await ask('POST', '/without?year=2019')).status, 401)
  assert.equal(await (await ask('POST', '/purge?year=2019')).text(), 'purged')
  assert.equal((await ask('POST', '/purge?year=2019')).status, 401)
})
