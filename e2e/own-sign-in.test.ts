// Three applications that sign people in themselves, and are not aware of Postern: express-session with
// Postern in the process, better-auth and Verdaccio behind the gateway. Who acts is in the events, limits
// are per user, and what was revoked no longer holds.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { expressSession, identifyBy, sessionMethod } from '@postern/identity'
import express from 'express'
import session from 'express-session'
import { postern } from 'postern'
import { answering, freePort, protect, root, run } from './protected.ts'
import { SECRET, sessionApplication } from './session-application.ts'

/** An application behind Postern, as a client and its operator see it. */
interface Site {
  /** Signs somebody in. @returns headers of a request of theirs */
  signIn(name: string): Promise<Readonly<Record<string, string>>>
  /** A path with a limit of three per user, and one that needs a user. */
  readonly limited: string
  readonly members: string
  /** `PATH DECISION PRINCIPAL` of every request so far. */
  events(): readonly string[]
  /** What a user is to Postern. */
  idOf(name: string): string
  revoke(id: string): Promise<void>
  get(path: string, headers: Readonly<Record<string, string>>): Promise<number>
}

/** The same settings for each, whatever their paths. */
const settings = (limited: string, members: string) =>
  ({
    limits: { mine: { limit: '3/1h', key: 'principal', routes: [limited] } },
    routes: { [members]: { require: {} } },
  }) as const

/** `postern.config.ts` beside a gateway: `identify` is an expression over `imported` names. */
function code(imported: string, identify: string, limited: string, members: string): string {
  return `import { appendFileSync } from 'node:fs'
import { ${imported} } from '@postern/identity'
export default {
  ...${JSON.stringify(settings(limited, members))},
  identify: ${identify},
  onEvent: event => {
    if (event.type === 'http')
      appendFileSync('events.txt', \`\${event.request.path} \${event.decision} \${event.actor.principal ?? '-'}\\n\`)
  },
}
`
}

async function status(url: string, headers: Readonly<Record<string, string>>): Promise<number> {
  const answer = await fetch(url, { headers, redirect: 'manual' })
  await answer.body?.cancel()
  return answer.status
}

function cookieOf(answer: Response): Readonly<Record<string, string>> {
  return {
    cookie: answer.headers
      .getSetCookie()
      .map(line => line.split(';', 1)[0])
      .join('; '),
  }
}

async function behindGateway(
  t: TestContext,
  upstream: string,
  text: string,
): Promise<Pick<Site, 'events' | 'revoke' | 'get'> & { readonly url: string }> {
  const gateway = await protect(upstream, { code: text })
  t.after(() => gateway.stop())
  return {
    url: gateway.url,
    events: () => readFileSync(join(gateway.folder, 'events.txt'), 'utf8').trim().split('\n'),
    revoke: async id => void gateway.postern('sessions', 'revoke', `principal:${id}`),
    get: (path, headers) => status(gateway.url + path, headers),
  }
}

async function expressSite(t: TestContext): Promise<Site> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-own-'))
  const store = new session.MemoryStore()
  const seen: string[] = []
  const principal = ({ user }: Readonly<Record<string, unknown>>) =>
    typeof user === 'string' ? ({ kind: 'user', id: user } as const) : undefined
  const layer = await postern({
    folder,
    log: 'none',
    config: settings('/limited', '/members'),
    identify: identifyBy([sessionMethod(expressSession({ store, secret: SECRET, principal }))]),
    onEvent: ({ type, request, decision, actor }) => {
      if (type === 'http') seen.push(`${request?.path} ${decision} ${actor.principal ?? '-'}`)
    },
  })
  const app = express()
  app.use(layer.express())
  app.use(sessionApplication(store))
  const server = createServer(app).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  t.after(async () => {
    server.closeAllConnections()
    server.close()
    await layer.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    limited: '/limited',
    members: '/members',
    signIn: async name => cookieOf(await fetch(`${url}/login?user=${name}`)),
    events: () => seen,
    idOf: name => name,
    revoke: async id => layer.revocations?.revokePrincipal(id),
    get: (path, headers) => status(url + path, headers),
  }
}

async function betterAuthSite(t: TestContext): Promise<Site> {
  const port = await freePort()
  const upstream = `http://127.0.0.1:${port}`
  const application = run(process.execPath, [join(root, 'e2e/better-auth-application.mjs')], {
    env: { ...process.env, PORT: String(port), TRUSTED: upstream },
  })
  t.after(() => application.stop())
  await answering(upstream)
  const identify = `identifyBy([sessionMethod(betterAuth({ url: '${upstream}/api/auth' }))])`
  const gateway = await behindGateway(
    t,
    upstream,
    code('betterAuth, identifyBy, sessionMethod', identify, '/limited', '/members'),
  )
  const ids = new Map<string, string>()
  return {
    ...gateway,
    limited: '/limited',
    members: '/members',
    signIn: async name => {
      const answer = await fetch(`${gateway.url}/api/auth/sign-up/email`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: upstream },
        body: JSON.stringify({ name, email: `${name}@shop.example`, password: 'a quiet river' }),
      })
      assert.equal(answer.status, 200)
      const { user } = (await answer.json()) as { readonly user: { readonly id: string } }
      ids.set(name, user.id)
      return cookieOf(answer)
    },
    idOf: name => ids.get(name) ?? '',
  }
}

async function verdaccioSite(t: TestContext): Promise<Site> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-verdaccio-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const lines = [
    `storage: ${join(folder, 'storage')}`,
    'auth: { htpasswd: { file: ./htpasswd } }',
    'uplinks: {}',
    "packages: { '**': { access: $all, publish: $authenticated } }",
    'log: { type: stdout, format: json, level: warn }',
  ]
  writeFileSync(join(folder, 'config.yaml'), `${lines.join('\n')}\n`)
  const port = await freePort()
  const upstream = `http://127.0.0.1:${port}`
  const registry = run(
    process.execPath,
    [
      join(root, 'e2e/node_modules/verdaccio/bin/verdaccio'),
      ...['--config', join(folder, 'config.yaml'), '--listen', `127.0.0.1:${port}`],
    ],
    { cwd: folder },
  )
  t.after(() => registry.stop())
  await answering(`${upstream}/-/ping`)
  // Its tokens are its own, so it is asked whose one is.
  const identify = `async exchange => {
    const authorization = exchange.header('authorization')
    if (authorization === undefined) return undefined
    const answer = await fetch('${upstream}/-/whoami', { headers: { authorization } })
    const { username } = answer.ok ? await answer.json() : {}
    return typeof username === 'string' ? { kind: 'user', id: username } : undefined
  }`
  const gateway = await behindGateway(
    t,
    upstream,
    code('identifyBy', identify, '/-/whoami', '/-/npm/v1/user'),
  )
  return {
    ...gateway,
    limited: '/-/whoami',
    members: '/-/npm/v1/user',
    signIn: async name => {
      const answer = await fetch(`${gateway.url}/-/user/org.couchdb.user:${name}`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name, password: 'correct horse battery staple' }),
      })
      assert.equal(answer.status, 201)
      return { authorization: `Bearer ${((await answer.json()) as { token: string }).token}` }
    },
    idOf: name => name,
  }
}

describe('an application with a sign-in of its own', { timeout: 300_000 }, () => {
  for (const [name, start] of [
    ['express-session, in its process', expressSite],
    ['better-auth, behind the gateway', betterAuthSite],
    ['Verdaccio, behind the gateway', verdaccioSite],
  ] as const)
    test(`${name}: users in events, limits per user, revocation`, async t => {
      const site = await start(t)
      const [ada, bob, cem] = [await site.signIn('ada'), await site.signIn('bob'), await site.signIn('cem')]
      const answers: number[] = []
      for (let i = 0; i < 4; i++) answers.push(await site.get(site.limited, ada))
      assert.deepEqual(
        answers.map(code => code === 429),
        [false, false, false, true],
        String(answers),
      )
      assert.notEqual(await site.get(site.limited, bob), 429, 'another user from the same address')
      const wanted = [
        `${site.limited} throttle ${site.idOf('ada')}`,
        `${site.limited} allow ${site.idOf('bob')}`,
      ]
      // An event follows its answer.
      await until(() => wanted.every(line => site.events().includes(line)))
      assert.ok(
        wanted.every(line => site.events().includes(line)),
        site.events().join('\n'),
      )

      assert.equal(await site.get(site.members, {}), 401)
      assert.notEqual(await site.get(site.members, cem), 401)
      await site.revoke(site.idOf('cem'))
      await until(async () => (await site.get(site.members, cem)) === 401)
      assert.equal(await site.get(site.members, cem), 401)
      assert.notEqual(await site.get(site.members, bob), 401)
    })
})

/** Waits for something, five seconds at most; what it was is asserted afterwards. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 100 && !(await holds()); i++) await new Promise(resolve => setTimeout(resolve, 50))
}
