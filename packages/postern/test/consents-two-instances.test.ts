import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { freshDatabase, services } from '../../../test/services.ts'
import { freePort } from '../../identity/test/site.ts'
import { SoftPasskey } from '../../identity/test/soft-passkey.ts'
import { type Config, type Postern, postern } from '../src/index.ts'

const SECRET = 'a secret that both instances have, which is long enough'
const ROUTES: Config['routes'] = {
  'DELETE /orders/:id': { approve: { by: 'role:owner' } },
  'DELETE /x/:id': { require: { stepUp: 'act' } },
  'POST /x/:id': { require: { stepUp: 'act' } },
  'GET /recent': { require: { stepUp: '10m' } },
  'GET /owners': { require: { role: 'owner' } },
  'GET /members': { require: { kind: ['user', 'apiKey'] } },
}

interface Instance {
  readonly layer: Postern
  readonly at: string
}

interface Said {
  readonly status: number
  readonly text: string
  readonly cookies: readonly string[]
}

type Headers = Readonly<Record<string, string>>

/** Instances of one site over one PostgreSQL, as behind a load balancer. */
class Site {
  /** What came through to the application. */
  readonly done: string[] = []
  readonly #t: TestContext
  readonly #origin: string
  readonly #stores: Config['stores']
  readonly #sessions: 'database' | 'redis'
  readonly #secretFile: string

  private constructor(
    t: TestContext,
    origin: string,
    stores: Config['stores'],
    sessions: 'database' | 'redis',
  ) {
    this.#t = t
    this.#sessions = sessions
    this.#origin = origin
    this.#stores = stores
    const folder = mkdtempSync(join(tmpdir(), 'postern-secret-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    this.#secretFile = join(folder, 'secret')
    writeFileSync(this.#secretFile, SECRET, { mode: 0o600 })
  }

  static async open(t: TestContext, sessions: 'database' | 'redis' = 'database'): Promise<Site> {
    const url = await freshDatabase(t)
    const redis = sessions === 'redis' ? { redis: (await services()).redis } : {}
    return new Site(t, `http://localhost:${await freePort()}`, { postgres: url, ...redis }, sessions)
  }

  /** One more instance, with a data directory of its own. */
  async start(): Promise<Instance> {
    const folder = mkdtempSync(join(tmpdir(), 'postern-consents-'))
    const layer = await postern({
      folder,
      config: {
        ...(this.#stores !== undefined && { stores: this.#stores }),
        identity: {
          origin: this.#origin,
          secretFile: this.#secretFile,
          sessions: { store: this.#sessions },
        },
        approvals: { origin: this.#origin },
        limits: { address: false, busy: false },
        ...(ROUTES !== undefined && { routes: ROUTES }),
      },
    })
    const server = createServer(
      layer.node((message, response) => {
        this.done.push(`${message.method} ${message.url}`)
        response.end('done')
      }),
    ).listen(0, '127.0.0.1')
    await new Promise<void>(resolve => server.once('listening', () => resolve()))
    this.#t.after(async () => {
      server.closeAllConnections()
      server.close()
      await layer.close()
      rmSync(folder, { recursive: true, force: true })
    })
    return { layer, at: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
  }

  send({ at }: Instance, line: string, headers: Headers, body?: unknown): Promise<Said> {
    const [method, path] = line.split(' ')
    const { promise, resolve, reject } = Promise.withResolvers<Said>()
    const sent = request(
      `${at}${path}`,
      {
        method,
        agent: false,
        headers: {
          host: new URL(this.#origin).host,
          'sec-fetch-site': 'same-origin',
          accept: 'application/json',
          ...(body !== undefined && {
            'content-type':
              typeof body === 'string' ? 'application/x-www-form-urlencoded' : 'application/json',
          }),
          ...headers,
        },
      },
      answer => {
        const parts: Buffer[] = []
        answer.on('data', (part: Buffer) => parts.push(part))
        answer.on('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            text: Buffer.concat(parts).toString(),
            cookies: answer.headers['set-cookie'] ?? [],
          }),
        )
      },
    )
    sent.on('error', reject)
    sent.end(body === undefined || typeof body === 'string' ? body : JSON.stringify(body))
    return promise
  }

  /** The statuses of one request, sent to each of these at once. */
  async raced(
    instances: readonly Instance[],
    line: string,
    headers: Headers,
    body?: unknown,
  ): Promise<readonly number[]> {
    const said = await Promise.all(instances.map(instance => this.send(instance, line, headers, body)))
    return said.map(({ status }) => status)
  }

  /** Asks for consent. @returns the id of the request */
  async ask(instance: Instance, line: string, headers: Headers): Promise<string> {
    const { status, text } = await this.send(instance, line, headers)
    assert.equal(status, 403, text)
    return (JSON.parse(text) as { approval: { id: string } }).approval.id
  }

  async decide(
    instance: Instance,
    id: string,
    headers: Headers,
    decision: 'approve' | 'deny' = 'approve',
  ): Promise<number> {
    return (await this.send(instance, `POST /.postern/approvals/${id}`, headers, { decision })).status
  }

  get passkey(): SoftPasskey {
    return new SoftPasskey(this.#origin)
  }
}

async function account({ layer }: Instance, name: string, roles: readonly string[] = []): Promise<string> {
  const email = `${name}@shop.example`
  await layer.identity?.importAccounts(`email,email_verified\n${email},true\n`)
  const { id } = (await layer.identity?.accounts.named(email)) ?? assert.fail(name)
  if (roles.length > 0) await layer.identity?.accounts.setRoles(id, roles)
  return id
}

async function signedIn({ layer }: Instance, accountId: string, ago = 0): Promise<{ cookie: string }> {
  const session = await layer.identity?.sessions.begin({
    ...{ accountId, amr: ['pwd'], address: '127.0.0.1', agent: 'test' },
    authenticatedAt: Date.now() - ago,
  })
  return { cookie: `postern-session=${session?.token}` }
}

/** A session cookie that an answer sets. */
function newCookie({ cookies }: Said): { cookie: string } | undefined {
  const line = cookies.find(one => /^postern-session=[^;]/.test(one))
  return line === undefined ? undefined : { cookie: line.slice(0, line.indexOf(';')) }
}

const ROUNDS = 5

describe('consents on two instances with one PostgreSQL', { timeout: 240_000 }, () => {
  test('attack: two approvers decide at once, and a consent is used on both at once', async t => {
    const site = await Site.open(t)
    const [one, two] = [await site.start(), await site.start()]
    const alice = await signedIn(one, await account(one, 'alice'))
    const bob = await signedIn(one, await account(one, 'bob', ['owner']))
    const carol = await signedIn(two, await account(two, 'carol', ['owner']))
    for (let round = 1; round <= ROUNDS; round++) {
      const line = `DELETE /orders/${round}`
      const ids = await Promise.all([one, two, one, two].map(instance => site.ask(instance, line, alice)))
      assert.equal(new Set(ids).size, 1, 'they are one request')
      const [id = ''] = ids
      const decided = await Promise.all([site.decide(one, id, bob), site.decide(two, id, carol)])
      assert.deepEqual([...decided].sort(), [200, 409])
      const used = await site.raced([one, two, one, two, one, two], line, alice)
      assert.equal(used.filter(status => status === 200).length, 1)
      assert.equal(site.done.filter(entry => entry === line).length, 1)
      // An instance that has never heard of it, as after a restart with another data directory.
      if (round === ROUNDS) assert.equal((await site.send(await site.start(), line, alice)).status, 403)
    }
  })

  test('attack: of a denial and an approval at once, a denial stands', async t => {
    const site = await Site.open(t)
    const [one, two] = [await site.start(), await site.start()]
    const alice = await signedIn(one, await account(one, 'alice'))
    const bob = await signedIn(one, await account(one, 'bob', ['owner']))
    const carol = await signedIn(two, await account(two, 'carol', ['owner']))
    for (let round = 1; round <= ROUNDS; round++) {
      const line = `DELETE /orders/${round}`
      const id = await site.ask(one, line, alice)
      const [, denied] = await Promise.all([site.decide(one, id, bob), site.decide(two, id, carol, 'deny')])
      assert.equal(denied, 200)
      assert.deepEqual(await site.raced([one, two], line, alice), [403, 403])
    }
    assert.deepEqual(site.done, [])
  })

  test('attack: who asked decides with another credential, and an approver is replaced by a key', async t => {
    const site = await Site.open(t)
    const [one, two] = [await site.start(), await site.start()]
    const ids = [await account(one, 'alice', ['owner']), await account(one, 'bob', ['owner'])]
    const [alice = '', bob = ''] = ids
    const keyOf = async (id: string): Promise<Headers> => {
      const made = await one.layer.identity?.apiKeys.create({ kind: 'user', id }, { name: 'key' })
      return { authorization: `Bearer ${made?.text}` }
    }
    const [ofAlice, ofBob] = [await keyOf(alice), await keyOf(bob)]
    const [first, second] = [await signedIn(one, alice), await signedIn(two, alice)]
    const approver = await signedIn(two, bob)
    const bySession = await site.ask(one, 'DELETE /orders/1', first)
    const byKey = await site.ask(two, 'DELETE /orders/2', ofAlice)
    for (const id of [bySession, byKey])
      for (const headers of [first, second, ofAlice, ofBob, { ...ofBob, ...approver }, {}])
        assert.ok((await site.decide(two, id, headers)) >= 401)
    assert.equal(await site.decide(one, byKey, approver), 200)
    // The consent is the key's, which asked, and not its owner's.
    assert.deepEqual(await site.raced([one, two], 'DELETE /orders/2', first), [403, 403])
    assert.equal((await site.send(two, 'DELETE /orders/2', ofAlice)).status, 200)
  })

  test('attack: a consent of somebody whose role was taken away on the other instance', async t => {
    const site = await Site.open(t)
    const [one, two] = [await site.start(), await site.start()]
    const alice = await signedIn(one, await account(one, 'alice'))
    const bobsId = await account(one, 'bob', ['owner'])
    const bob = await signedIn(one, bobsId)
    const id = await site.ask(one, 'DELETE /orders/1', alice)
    const waiting = await site.ask(one, 'DELETE /orders/2', alice)
    assert.equal(await site.decide(one, id, bob), 200)
    await two.layer.identity?.accounts.setRoles(bobsId, [])
    assert.equal((await site.send(one, 'DELETE /orders/1', alice)).status, 403)
    assert.equal(await site.decide(one, waiting, bob), 404)
    assert.deepEqual(site.done, [])
  })
})

/** Confirms an act by passkey. @returns what sends the answer once more */
async function confirmed(
  site: Site,
  instances: readonly [Instance, Instance],
  line: string,
  headers: Headers,
  passkey: SoftPasskey,
): Promise<() => Promise<Said>> {
  const [one, two] = instances
  const asked = await site.send(one, line, headers)
  assert.equal(asked.status, 401, asked.text)
  const { stepUp } = JSON.parse(asked.text) as { stepUp: string }
  const query = stepUp.slice(stepUp.indexOf('?'))
  const options = await site.send(two, `POST /.postern/confirm/options${query}`, headers, {})
  const answer = passkey.get(JSON.parse(options.text) as { challenge: string })
  const again = (): Promise<Said> => site.send(two, `POST /.postern/confirm/answer${query}`, headers, answer)
  assert.equal((await again()).status, 200)
  return again
}

async function withPasskey(site: Site, instance: Instance, headers: Headers): Promise<SoftPasskey> {
  const { passkey } = site
  const offer = await site.send(instance, 'POST /.postern/passkey/register-options', headers, {})
  const made = passkey.create(JSON.parse(offer.text) as Parameters<SoftPasskey['create']>[0])
  const said = await site.send(instance, 'POST /.postern/passkey/register?name=Key', headers, made)
  assert.equal(said.status, 200, said.text)
  return passkey
}

for (const sessions of ['database', 'redis'] as const)
  describe(`step-up and sessions on two instances, sessions in ${sessions === 'redis' ? 'Redis' : 'PostgreSQL'}`, {
    timeout: 240_000,
  }, () => {
    test('attack: a confirmation is spent twice, by another session, and for another act', async t => {
      const site = await Site.open(t, sessions)
      const both: [Instance, Instance] = [await site.start(), await site.start()]
      const [one, two] = both
      const alice = await account(one, 'alice')
      const [headers, others] = [await signedIn(one, alice), await signedIn(two, alice)]
      const passkey = await withPasskey(site, one, headers)
      for (let round = 1; round <= ROUNDS; round++) {
        const line = `DELETE /x/${round}`
        const again = await confirmed(site, both, line, headers, passkey)
        assert.notEqual((await again()).status, 200, 'an answer counts once')
        for (const other of [`DELETE /x/${round}0`, `POST /x/${round}`, `DELETE /x/${round}?all=1`])
          assert.equal((await site.send(two, other, headers)).status, 401)
        assert.equal((await site.send(two, line, others)).status, 401, 'another session')
        const spent = await site.raced([one, two, one, two], line, headers)
        assert.equal(spent.filter(status => status === 200).length, 1)
        assert.equal(site.done.filter(entry => entry === line).length, 1)
      }
      // Signed out on the one, a proof that was given on the other is worth nothing.
      await confirmed(site, both, 'DELETE /x/last', headers, passkey)
      await site.send(two, 'POST /.postern/sign-out', headers, '')
      assert.deepEqual(await site.raced([one, two], 'DELETE /x/last', headers), [401, 401])
      assert.equal((await site.send(one, 'DELETE /x/last', await signedIn(one, alice))).status, 401)
    })

    test('attack: a session is proven again on both at once', async t => {
      const site = await Site.open(t, sessions)
      const [one, two] = [await site.start(), await site.start()]
      const alice = await account(one, 'alice')
      const fresh = await signedIn(one, alice)
      const passkey = await withPasskey(site, one, fresh)
      for (let round = 1; round <= ROUNDS; round++) {
        const old = await signedIn(one, alice, 3_600_000)
        assert.deepEqual(await site.raced([one, two], 'GET /recent', old), [401, 401])
        const offers = await Promise.all(
          [one, two].map(instance => site.send(instance, 'POST /.postern/passkey/prove-options', old, {})),
        )
        const answers = offers.map(({ text }) => passkey.get(JSON.parse(text) as { challenge: string }))
        const said = await Promise.all(
          [one, two].map((instance, i) =>
            site.send(instance, 'POST /.postern/passkey/prove', old, answers[i]),
          ),
        )
        const made = said.flatMap(answer => newCookie(answer) ?? [])
        assert.equal(made.length, 1, 'one of them has a token')
        assert.deepEqual(await site.raced([one, two], 'GET /recent', made[0] ?? {}), [200, 200])
        assert.deepEqual(
          await site.raced([one, two], 'GET /members', old),
          [401, 401],
          'the old token is dead',
        )
      }
    })

    test('attack: what a session and a key could do on one instance ends on the other', async t => {
      const site = await Site.open(t, sessions)
      const [one, two] = [await site.start(), await site.start()]
      const alice = await account(one, 'alice', ['owner'])
      const headers = await signedIn(one, alice)
      assert.deepEqual(await site.raced([one, two], 'GET /owners', headers), [200, 200])
      await two.layer.identity?.accounts.setRoles(alice, [])
      await new Promise(resolve => setTimeout(resolve, sessions === 'redis' ? 1_100 : 0))
      assert.deepEqual(await site.raced([one, two], 'GET /owners', headers), [403, 403])
      const key = await one.layer.identity?.apiKeys.create({ kind: 'user', id: alice }, { name: 'key' })
      const bearer = { authorization: `Bearer ${key?.text}` }
      assert.deepEqual(await site.raced([one, two], 'GET /members', bearer), [200, 200])
      await two.layer.identity?.apiKeys.revoke(key?.key.id ?? '', 'operator')
      assert.deepEqual(await site.raced([one, two], 'GET /members', bearer), [401, 401])
      await two.layer.identity?.accounts.disable(alice)
      await new Promise(resolve => setTimeout(resolve, sessions === 'redis' ? 1_100 : 0))
      assert.deepEqual(await site.raced([one, two], 'GET /members', headers), [401, 401])
    })

    test('attack: a token that somebody planted is not the session after a sign-in', async t => {
      const site = await Site.open(t, sessions)
      const [one, two] = [await site.start(), await site.start()]
      const [alice, mallory] = [await account(one, 'alice'), await account(one, 'mallory')]
      const passkey = await withPasskey(site, one, await signedIn(one, alice))
      for (const planted of [await signedIn(one, mallory), { cookie: `postern-session=${'A'.repeat(43)}` }]) {
        const offer = await site.send(one, 'POST /.postern/passkey/sign-in-options', planted, {})
        const said = await site.send(
          two,
          'POST /.postern/passkey/sign-in',
          planted,
          passkey.get(JSON.parse(offer.text) as { challenge: string }),
        )
        assert.equal(said.status, 200, said.text)
        const made = newCookie(said) ?? assert.fail('no session')
        assert.notEqual(made.cookie, planted.cookie)
        assert.deepEqual(await site.raced([one, two], 'GET /members', planted), [401, 401])
        assert.deepEqual(await site.raced([one, two], 'GET /recent', made), [200, 200])
      }
    })
  })
