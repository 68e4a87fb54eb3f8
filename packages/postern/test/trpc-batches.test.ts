import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { initTRPC, TRPCError } from '@trpc/server'
import { fetchRequestHandler } from '@trpc/server/adapters/fetch'
import { type Config, postern } from '../src/index.ts'

const t = initTRPC.create()
const deleted: string[] = []
const tried: string[] = []
const router = t.router({
  health: t.procedure.query(() => 'ok'),
  login: t.procedure.mutation(() => {
    tried.push('guess')
    throw new TRPCError({ code: 'UNAUTHORIZED' })
  }),
  orders: t.router({
    list: t.procedure.query(() => []),
    touch: t.procedure.mutation(() => 'touched'),
    delete: t.procedure.mutation(() => deleted.push('orders')),
  }),
})

const GUESSED = Array.from({ length: 20 }, () => 'login').join(',')

interface Said {
  readonly status: number
  readonly body: string
}

/** Sends requests to a tRPC application behind these routes. */
async function withRoutes(
  routes: Config['routes'],
  work: (send: (method: 'GET' | 'POST', target: string, body?: string) => Promise<Said>) => Promise<void>,
): Promise<void> {
  const config: Config = { dataDirectory: false, routes, identify: () => ({ kind: 'user', id: 'mallory' }) }
  const layer = await postern({ config, log: 'none' })
  const handle = layer.fetch(
    (req: Request) => fetchRequestHandler({ endpoint: '/api/trpc', req, router, createContext: () => ({}) }),
    { peer: () => '127.0.0.1' },
  )
  deleted.length = 0
  try {
    await work(async (method, target, sent = '{}') => {
      const headers = { 'content-type': 'application/json', origin: 'http://shop.example' }
      const body = method === 'POST' ? sent : null
      const answer = await handle(new Request(`http://shop.example${target}`, { method, headers, body }))
      return { status: answer.status, body: await answer.text() }
    })
  } finally {
    await layer.close()
  }
}

const WAYS = [
  '/api/trpc/orders.delete',
  '/api/trpc/orders.touch,orders.delete?batch=1',
  '/api/trpc/orders.delete,orders.touch?batch=1',
  '/api/trpc/orders.delete,orders.delete?batch=1',
  '/api/trpc/orders.touch%2Corders.delete?batch=1',
  '/api/trpc/orders.touch,orders.delete?%62atch=1',
  '/api/trpc/orders.touch,orders%2Edelete?batch=1',
  '/api/trpc/zzz/,orders.delete?batch=1',
  '/api/trpc/zzz/x,orders.delete?batch=1',
  '/api/trpc/health;,orders.delete?batch=1',
  '/./././././././api/trpc/orders.touch,orders.delete?batch=1',
  '/api/trpc/,orders.delete,?batch=1',
  `/api/trpc/${Array.from({ length: 200 }, (_, i) => `x${i}`).join(',')},orders.delete?batch=1`,
]

describe('tRPC behind rules for single procedures', () => {
  for (const [pattern, rule] of [
    ['POST /api/trpc/orders.delete', { require: { role: 'admin' } }],
    ['/api/trpc/:procedure', { require: { role: 'admin' } }],
  ] as const)
    for (const way of WAYS)
      test(`attack: ${way.slice(0, 70)} does not get past a rule for ${pattern}`, async () => {
        await withRoutes({ [pattern]: rule }, async send => {
          const { status } = await send('POST', way)
          assert.ok(status === 403 || status === 400, `${status}`)
        })
        assert.deepEqual(deleted, [])
      })

  test('batches under one rule, and those beside rules for others, go through', async () => {
    const routes: Config['routes'] = {
      'POST /api/trpc/orders.delete': { require: { role: 'admin' } },
      '/api/trpc/health': { throttle: false },
      '/:page': { mode: 'observe' },
      '/api/**': { require: {} },
    }
    await withRoutes(routes, async send => {
      for (const [method, target] of [
        ['GET', '/api/trpc/health,orders.list?batch=1&input=%7B%7D'],
        ['POST', '/api/trpc/orders.touch,orders.touch?batch=1'],
        ['GET', '/api/trpc/orders.list?batch=1&input=%7B%7D'],
      ] as const) {
        const { status, body } = await send(method, target)
        assert.equal(status, 200, `${target}: ${body}`)
      }
    })
  })

  test('a refusal says why, and names the exception', async () => {
    await withRoutes({ 'POST /api/trpc/orders.delete': { require: { role: 'admin' } } }, async send => {
      const { status, body } = await send('POST', WAYS[1] ?? '')
      assert.equal(status, 400)
      assert.match(body, /several operations/)
    })
    const routes: Config['routes'] = {
      'POST /api/trpc/orders.delete': { require: { role: 'admin' } },
      '/api/trpc/**': { allowPaths: ['batch'] },
    }
    await withRoutes(routes, async send => assert.equal((await send('POST', WAYS[1] ?? '')).status, 200))
  })
})

describe('a login by tRPC', () => {
  for (const [rule, routes] of [
    ['no rule', {}],
    ['a rule for each name', { '/api/trpc/:name': { login: { account: 'email' } } }],
    ['a rule for everything', { '/api/trpc/**': { login: { account: 'email' } } }],
  ] satisfies readonly (readonly [string, Config['routes']])[])
    for (const way of [
      GUESSED,
      GUESSED.replaceAll(',', '%2C'),
      'orders.touch,login',
      'login,orders.touch',
      'x/y,login',
    ])
      test(`attack: ${way.slice(0, 30)} in one request, beside an account that nobody has: ${rule}`, async () => {
        tried.length = 0
        await withRoutes(routes, async send => {
          const body = JSON.stringify({ email: 'nobody@shop.example', password: 'x' })
          const { status } = await send('POST', `/api/trpc/${way}?batch=1`, body)
          assert.equal(status, 400)
        })
        assert.deepEqual(tried, [])
      })

  for (const [form, path, fields] of [
    ['a batch of one', 'login?batch=1', (login: object) => ({ 0: login })],
    ['superjson', 'login', (login: object) => ({ json: login, meta: {} })],
    ['a batch of one in superjson', 'login?batch=1', (login: object) => ({ 0: { json: login } })],
    [
      'superjson beside a decoy',
      'login',
      (login: object) => ({ 0: { email: 'nobody@x.example' }, json: login }),
    ],
    ['a batch beside a decoy', 'login?batch=1', (login: object) => ({ email: 'nobody@x.example', 0: login })],
  ] as const)
    for (const [rule, routes] of [
      ['no rule', {}],
      ['a rule', { '/api/trpc/login': { login: { account: 'email' } } }],
    ] satisfies readonly (readonly [string, Config['routes']])[])
      test(`attack: guesses at one account are counted in the form of ${form}, with ${rule}`, async () => {
        tried.length = 0
        await withRoutes(routes, async send => {
          const guess = (email: string, i: number) =>
            send('POST', `/api/trpc/${path}`, JSON.stringify(fields({ email, password: `${i}` })))
          assert.equal((await guess('bea@shop.example', 0)).status, 401)
          for (let i = 0; i < 40; i++) await guess('ada@shop.example', i)
        })
        assert.ok(tried.length < 20, `${tried.length}`)
      })

  test('goes through alone', async () => {
    tried.length = 0
    await withRoutes({}, async send => {
      const body = JSON.stringify({ email: 'ada@shop.example', password: 'x' })
      assert.equal((await send('POST', '/api/trpc/login', body)).status, 401)
    })
    assert.deepEqual(tried, ['guess'])
  })
})
