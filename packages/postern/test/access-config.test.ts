import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { allow, definePolicies, owns, resourceType } from '@postern/access'
import { type Config, ConfigError, type Event, type Exchange, type Principal, postern } from '../src/index.ts'

/** As a module anywhere can import it. */
const ACCESS = import.meta.resolve('@postern/access')

const folders: string[] = []
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-access-'))
  folders.push(folder)
  return folder
}
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** `Authorization: ID ROLE`, as no real application would have it; everybody has just signed in. */
function identify(exchange: Exchange): Principal | undefined {
  const [id, role] = exchange.header('authorization')?.split(' ') ?? []
  if (id === undefined) return undefined
  return { kind: 'user', id, authenticatedAt: exchange.time, ...(role !== undefined && { roles: [role] }) }
}

type Ask = (authorization: string | undefined, path: string, init?: RequestInit) => Promise<Response>

async function withLayer(
  config: Config,
  work: (ask: Ask, events: readonly Event[]) => Promise<void>,
  folder = newFolder(),
): Promise<void> {
  const layer = await postern({ folder, config, identify })
  const events: Event[] = []
  layer.engine.listen(event => events.push(event))
  const handle = layer.fetch(() => new Response('handled'), { peer: () => '203.0.113.9' })
  try {
    await work(
      async (authorization, path, init = {}) =>
        handle(
          new Request(`http://shop.example${path}`, {
            ...init,
            headers: { ...init.headers, ...(authorization !== undefined && { authorization }) },
          }),
        ),
      events,
    )
  } finally {
    await layer.close()
  }
}

const POLICIES = `
import { allow, definePolicies, owns, resourceType } from ${JSON.stringify(ACCESS)}
const order = resourceType('order', { table: 'orders', fields: { id: 'integer', customer: 'text' } })
export const policies = definePolicies([
  allow('customers read their own orders', { action: 'order.read', on: order, when: owns(order.fields.customer) }),
])`

const order = resourceType('order', { table: 'orders', fields: { id: 'integer', customer: 'text' } })
const inCode = definePolicies([
  allow('customers read their own orders', {
    action: 'order.read',
    on: order,
    when: owns(order.fields.customer),
  }),
])
const load = (id: string) => (id === '7' ? { id: 7, customer: 'ann' } : undefined)

describe('access in the configuration', { timeout: 300_000 }, () => {
  test('routes.*.require asks for a role and a fresh sign-in', () =>
    withLayer({ routes: { '/admin/**': { require: { role: 'support', stepUp: '10m' } } } }, async ask => {
      assert.equal((await ask(undefined, '/')).status, 200)
      const nobody = await ask(undefined, '/admin/x')
      assert.deepEqual([nobody.status, nobody.headers.get('www-authenticate')], [401, 'Bearer'])
      const wrong = await ask('ann', '/admin/x')
      assert.equal(wrong.status, 403)
      assert.match(await wrong.text(), /needs the role support/)
      assert.equal((await ask('sue support', '/admin/x')).status, 200)
    }))

  for (const [name, policies] of [
    ['a file', 'policies.ts'],
    ['code', inCode],
  ] as const)
    test(`routes.*.policy asks the policies of ${name}`, () => {
      const folder = newFolder()
      writeFileSync(join(folder, 'policies.ts'), POLICIES)
      const config: Config = {
        policies,
        routes: { 'GET /orders/:id': { policy: { action: 'order.read', load } } },
      }
      return withLayer(
        config,
        async ask => {
          assert.equal((await ask('ann', '/orders/7')).status, 200)
          const [foreign, missing] = [await ask('bob', '/orders/7'), await ask('bob', '/orders/8')]
          assert.deepEqual([foreign.status, missing.status], [403, 403])
        },
        folder,
      )
    })

  test('routes.*.approve asks a second person, who decides over HTTP, once', () =>
    withLayer(
      { routes: { 'POST /purge': { approve: { by: 'role:owner', ttl: '1h' } } } },
      async (ask, events) => {
        const purge = (): Promise<Response> =>
          ask('finn finance', '/purge', { method: 'POST', body: 'year=2019' })
        const first = await purge()
        assert.equal(first.status, 403)
        const follow = first.headers.get('location') ?? ''
        const decide = (who: string): Promise<Response> =>
          ask(who, follow, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: '{"decision":"approve"}',
          })
        assert.equal((await decide('finn owner')).status, 403)
        assert.equal((await decide('eve')).status, 404)
        assert.equal((await decide('olga owner')).status, 200)
        assert.equal(((await (await ask('finn', follow)).json()) as { state: string }).state, 'approved')
        assert.equal(await (await purge()).text(), 'handled')
        assert.equal((await purge()).status, 403)
        assert.ok(events.some(({ reasons }) => reasons?.[0]?.rule === 'access/approval-pending'))
      },
    ))

  const PAGES = [
    ['approvals', ['GET /orders/7', 'DELETE /orders/7', 'POST /invoices/purge']],
    ['guards', ['GET /reports/7', 'DELETE /orders/7', 'POST /invoices/purge']],
  ] as const
  for (const [page, refused] of PAGES)
    test(`the configuration of docs/${page}.md holds what the page says`, async () => {
      const text = readFileSync(new URL(`../../../docs/${page}.md`, import.meta.url), 'utf8')
      const [, yaml = ''] = /^```yaml\n# postern\.config\.yaml\n([\s\S]*?)^```$/m.exec(text) ?? []
      const folder = newFolder()
      writeFileSync(join(folder, 'postern.config.yaml'), yaml)
      writeFileSync(join(folder, 'policies.ts'), POLICIES)
      process.env['APPROVALS_WEBHOOK_SECRET'] = `whsec_${'A'.repeat(44)}`
      const layer = await postern({ folder, identify })
      const handle = layer.fetch(() => new Response('handled'), { peer: () => '203.0.113.9' })
      const statuses: number[] = []
      for (const [method, path] of [...refused, 'GET /open'].map(route => route.split(' ')))
        statuses.push(
          (
            await handle(
              new Request(`http://shop.example${path}`, {
                ...(method !== undefined && { method }),
                headers: { authorization: 'ann' },
              }),
            )
          ).status,
        )
      await layer.close()
      delete process.env['APPROVALS_WEBHOOK_SECRET']
      assert.deepEqual(statuses, [403, 403, 403, 200])
    })

  const mistakes: readonly (readonly [string, unknown, RegExp])[] = [
    ['an invalid rule', { routes: { '/x': { approve: { by: 'owners' } } } }, /routes\["\/x"\]\.approve\.by/],
    ['an unknown requirement', { routes: { '/x': { require: { roles: 'a' } } } }, /did you mean "role"/],
    [
      'a proof that nobody can take',
      { identify: () => undefined, routes: { '/x': { require: { stepUp: 'act' } } } },
      /bound to an act/,
    ],
    [
      'a scenario to leave out that does not exist',
      { scenarios: { without: ['crawl', 'volume'] } },
      /scenarios\.without: there is no scenario "crawl" \(did you mean "[a-z-]*crawl[a-z-]*"/,
    ],
    [
      'a scenario to leave out whose name is mistyped',
      { scenarios: { without: ['http-crawler'] } },
      /there is no scenario "http-crawler" \(did you mean "http-crawl"/,
    ],
    [
      'rules where the application says too late who asks',
      { identify: 'application', routes: { '/x': { require: {} } } },
      /routes\["\/x"\].*checks callers that are not identified yet/,
    ],
    ['policies that are not there', { policies: 'nowhere.ts' }, /policies: .*nowhere\.ts does not exist/],
    [
      'a webhook in the clear',
      { approvals: { webhook: { url: 'http://hooks.example', secret: `whsec_${'A'.repeat(44)}` } } },
      /https/,
    ],
    ['a key that is too short', { approvals: { key: 'c2hvcnQ=' } }, /32 bytes/],
  ]
  for (const [name, config, message] of mistakes)
    test(`refuses ${name}`, async () => {
      await assert.rejects(
        postern({ folder: newFolder(), config: config as Config }),
        (error: unknown) => error instanceof ConfigError && message.test(error.message),
      )
    })
})
