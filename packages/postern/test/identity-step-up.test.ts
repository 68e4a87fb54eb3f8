import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, type TestContext, test } from 'node:test'
import { SoftPasskey } from '../../identity/test/soft-passkey.ts'
import { type Config, postern } from '../src/index.ts'

const ORIGIN = 'http://localhost:8080'

interface Site {
  /** Asks with Alice's session, as a script or as a browser that opens a page. */
  ask(method: string, path: string, as?: 'script' | 'browser', body?: unknown): Promise<Response>
  /** Alice signed in so long ago, in milliseconds. */
  age(ms: number): void
}

/** The layer with built-in identity, and somebody who has signed in. */
async function site(t: TestContext, config: Config): Promise<Site> {
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
  const handle = layer.fetch(() => new Response('handled'), { peer: () => '192.0.2.7' })
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
    const passkey = new SoftPasskey(ORIGIN)
    const offer = await (await ask('POST', '/.postern/passkey/register-options', 'script', {})).json()
    const made = passkey.create(offer as Parameters<SoftPasskey['create']>[0])
    assert.equal((await ask('POST', '/.postern/passkey/register?name=Key', 'script', made)).status, 200)
    const asked = await ask('DELETE', '/x/1')
    assert.equal(asked.status, 401)
    const { stepUp } = (await asked.json()) as { stepUp: string }
    const query = stepUp.slice(stepUp.indexOf('?'))
    const options = await (await ask('POST', `/.postern/confirm/options${query}`, 'script', {})).json()
    const answer = passkey.get(options as { challenge: string })
    assert.equal((await ask('POST', `/.postern/confirm/answer${query}`, 'script', answer)).status, 200)
    // The attack: the confirmation of one deletion is spent on another.
    assert.equal((await ask('DELETE', '/x/2')).status, 401)
    assert.equal(await (await ask('DELETE', '/x/1')).text(), 'handled')
    assert.equal((await ask('DELETE', '/x/1')).status, 401)
  })
})
