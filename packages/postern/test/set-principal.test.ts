import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { serve } from '@hono/node-server'
import express from 'express'
import fastifyApp from 'fastify'
import { Hono } from 'hono'
import Koa from 'koa'
import { type Config, type Event, type Postern, type Principal, postern, setPrincipal } from '../src/index.ts'

const folders: string[] = []
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** What the application itself reads of a request: `X-User: ada`. */
function userOf(id: string | readonly string[] | null | undefined): Principal | undefined {
  return typeof id === 'string' ? { kind: 'user', id, tenant: 'acme' } : undefined
}

interface Running {
  ask(user?: string): Promise<Response>
  /** Requests that the application went on with. */
  readonly handled: () => number
  close(): Promise<unknown>
}

type Start = (layer: Postern) => Promise<Running>

function overNetwork(url: string, handled: () => number, close: () => Promise<unknown>): Running {
  return {
    handled,
    close,
    ask: user =>
      fetch(url, { headers: { connection: 'close', ...(user !== undefined && { 'x-user': user }) } }),
  }
}

async function listen(listener: RequestListener, handled: () => number): Promise<Running> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  return overNetwork(`http://127.0.0.1:${port}/`, handled, () => {
    server.closeAllConnections()
    return new Promise(resolve => server.close(resolve))
  })
}

const starts: Readonly<Record<string, Start>> = {
  express: layer => {
    let handled = 0
    const app = express()
    app.set('env', 'test')
    app.use(layer.express())
    app.use(async (request, _response, next) => {
      await setPrincipal(request, userOf(request.headers['x-user']))
      next()
    })
    app.get('/', (_request, response) => {
      handled++
      response.send('hello')
    })
    return listen(app, () => handled)
  },
  'express with an error handler of its own that answers 200': layer => {
    let handled = 0
    const app = express()
    app.use(layer.express())
    app.use(async (request, _response, next) => {
      await setPrincipal(request, userOf(request.headers['x-user']))
      next()
    })
    app.get('/', (_request, response) => {
      handled++
      response.send('hello')
    })
    const swallow: express.ErrorRequestHandler = (_error, _request, response, _next) => {
      response.writeHead(200, { 'Content-Type': 'text/plain', ETag: '"x"' })
      response.write('never mind')
      response.end()
    }
    app.use(swallow)
    return listen(app, () => handled)
  },
  fastify: async layer => {
    let handled = 0
    const app = fastifyApp({ forceCloseConnections: true })
    app.register(layer.fastify())
    app.addHook('preHandler', async request => {
      await setPrincipal(request, userOf(request.headers['x-user']))
    })
    app.get('/', () => {
      handled++
      return 'hello'
    })
    const url = await app.listen({ host: '127.0.0.1', port: 0 })
    return overNetwork(
      `${url}/`,
      () => handled,
      () => app.close(),
    )
  },
  koa: layer => {
    let handled = 0
    const app = new Koa()
    app.silent = true
    app.use(layer.koa())
    app.use(async (context, next) => {
      await setPrincipal(context, userOf(context.get('x-user') || undefined))
      await next()
    })
    app.use(context => {
      handled++
      context.body = 'hello'
    })
    return listen(app.callback(), () => handled)
  },
  'hono on node': async layer => {
    const { app, handled } = honoApplication(layer)
    const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 })
    await new Promise(resolve => server.once('listening', resolve))
    const { port } = server.address() as AddressInfo
    return overNetwork(`http://127.0.0.1:${port}/`, handled, () => {
      return new Promise(resolve => server.close(resolve))
    })
  },
  'hono on fetch': async layer => {
    const { app, handled } = honoApplication(layer)
    return {
      handled,
      close: () => Promise.resolve(),
      ask: async user =>
        app.request('http://shop.example/', user === undefined ? {} : { headers: { 'x-user': user } }, {
          remoteAddr: { hostname: '127.0.0.1' },
        }),
    }
  },
  fetch: async layer => {
    let handled = 0
    const handler = layer.fetch(
      async request => {
        await setPrincipal(request, userOf(request.headers.get('x-user')))
        handled++
        return new Response('hello')
      },
      { peer: () => '127.0.0.1' },
    )
    return {
      handled: () => handled,
      close: () => Promise.resolve(),
      ask: async user =>
        handler(
          new Request('http://shop.example/', { headers: user === undefined ? {} : { 'x-user': user } }),
        ),
    }
  },
  'fetch with a handler that swallows errors': async layer => {
    const handler = layer.fetch(
      async request => {
        await setPrincipal(request, userOf(request.headers.get('x-user'))).catch(() => undefined)
        return new Response('hello')
      },
      { peer: () => '127.0.0.1' },
    )
    return {
      handled: () => 2,
      close: () => Promise.resolve(),
      ask: async user =>
        handler(
          new Request('http://shop.example/', { headers: user === undefined ? {} : { 'x-user': user } }),
        ),
    }
  },
  node: layer => {
    let handled = 0
    return listen(
      layer.node((request, response) => {
        setPrincipal(request, userOf(request.headers['x-user'] as string | undefined)).then(
          () => {
            handled++
            response.end('hello')
          },
          () => {
            response.statusCode = 500
            response.end('error')
          },
        )
      }),
      () => handled,
    )
  },
}

function honoApplication(layer: Postern): { readonly app: Hono; readonly handled: () => number } {
  let handled = 0
  const app = new Hono()
  app.use(layer.hono())
  app.use(async (context, next) => {
    await setPrincipal(context, userOf(context.req.header('x-user')))
    await next()
  })
  app.get('/', context => {
    handled++
    return context.text('hello')
  })
  return { app, handled: () => handled }
}

async function withApp(
  start: Start,
  config: Config,
  work: (app: Running, layer: Postern, events: readonly Event[]) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-set-principal-'))
  folders.push(folder)
  const events: Event[] = []
  const layer = await postern({ folder, config, onEvent: event => void events.push(event) })
  const app = await start(layer)
  try {
    await work(app, layer, events)
  } finally {
    await app.close()
    await layer.close()
  }
}

const LIMITED: Config = {
  identify: 'application',
  limits: { busy: false, mine: { limit: '2/1m', key: 'principal' } },
}

for (const [name, start] of Object.entries(starts)) {
  describe(`setPrincipal in ${name}`, { timeout: 60_000 }, () => {
    test('holds a limit of the principal: the third request gets the refusal, whole', () =>
      withApp(start, LIMITED, async (app, _layer, events) => {
        for (const status of [200, 200]) assert.equal((await app.ask('ada')).status, status)
        const refused = await app.ask('ada')
        assert.equal(refused.status, 429)
        assert.ok(Number(refused.headers.get('retry-after')) > 0)
        assert.match(refused.headers.get('ratelimit') ?? '', /"mine";r=0/)
        assert.equal(refused.headers.get('content-type'), 'application/problem+json')
        assert.equal(refused.headers.get('etag'), null)
        const problem = (await refused.json()) as { readonly instance: string; readonly status: number }
        assert.equal(problem.status, 429)
        assert.equal(problem.instance, `urn:postern:request:${refused.headers.get('x-request-id')}`)
        assert.equal(app.handled(), 2)
        assert.equal((await app.ask('bob')).status, 200)
        assert.equal((await app.ask()).status, 200)
        const event = events.find(({ type, decision }) => type === 'http' && decision === 'throttle')
        assert.equal(event?.reasons?.[0]?.rule, 'limit/mine')
        assert.equal(event?.actor.principal, 'ada')
        assert.equal(event?.actor.tenant, 'acme')
        assert.equal(event?.outcome?.status, 429)
      }))

    test('holds a ban on the principal and their tenant, and on nobody else', () =>
      withApp(start, { identify: 'application' }, async (app, layer) => {
        await layer.remediations.add({ actor: { kind: 'principal', value: 'ada' }, for: '1h', reason: 'x' })
        assert.equal((await app.ask('ada')).status, 403)
        assert.equal((await app.ask('bob')).status, 200)
        assert.equal((await app.ask()).status, 200)
        await layer.remediations.add({ actor: { kind: 'tenant', value: 'acme' }, for: '1h', reason: 'x' })
        assert.equal((await app.ask('bob')).status, 403)
        assert.equal((await app.ask()).status, 200)
      }))
  })
}

describe('setPrincipal', { timeout: 60_000 }, () => {
  const once = (handle: (request: Request) => Promise<Response>): Start => {
    return async layer => {
      const handler = layer.fetch(handle, { peer: () => '127.0.0.1' })
      return {
        handled: () => 0,
        close: () => Promise.resolve(),
        ask: async () => handler(new Request('http://shop.example/')),
      }
    }
  }

  test('counts a request once, however often the same principal is set, and again for another', () => {
    const handle = async (request: Request): Promise<Response> => {
      for (const id of ['ada', 'ada', 'ada', 'bob']) await setPrincipal(request, { kind: 'user', id })
      return new Response('hello')
    }
    return withApp(once(handle), LIMITED, async (app, layer) => {
      assert.equal((await app.ask()).status, 200)
      assert.equal((await layer.limits.peek('mine', 'user:ada'))?.remaining, 1)
      assert.equal((await layer.limits.peek('mine', 'user:bob'))?.remaining, 1)
    })
  })

  test('gives a place back when the exchange ends, and at once when it had ended before', () => {
    const config: Config = {
      identify: 'application',
      limits: { mine: { limit: '1 at once', key: 'principal' } },
    }
    const late: Request[] = []
    const handle = async (request: Request): Promise<Response> => {
      late.push(request)
      await setPrincipal(request, { kind: 'user', id: 'ada' })
      return new Response('hello')
    }
    return withApp(once(handle), config, async (app, layer) => {
      for (let i = 0; i < 3; i++) assert.equal(await (await app.ask()).text(), 'hello')
      await setPrincipal(late[0] as Request, { kind: 'user', id: 'bob' })
      for (const id of ['ada', 'bob'])
        assert.equal((await layer.limits.peek('mine', `user:${id}`))?.remaining, 1)
    })
  })

  test('only notes what would be refused in observe mode', () =>
    withApp(starts['fetch'] as Start, { ...LIMITED, mode: 'observe' }, async (app, _layer, events) => {
      for (let i = 0; i < 3; i++) assert.equal(await (await app.ask('ada')).text(), 'hello')
      assert.equal(events.at(-1)?.observed, 'throttle')
    }))

  test('says what is missing where the configuration has no identify, or Postern does not carry the request', () =>
    withApp(starts['fetch'] as Start, {}, async app => {
      await assert.rejects(app.ask('ada'), {
        message: /^setPrincipal: .*no identify.*identify: 'application'/,
      })
      await assert.rejects(setPrincipal({}, { kind: 'user', id: 'ada' }), { name: 'ConfigError' })
    }))

  test('takes nothing that is not a principal', () => {
    const handle = async (request: Request): Promise<Response> => {
      await assert.rejects(setPrincipal(request, { kind: 'user', id: '' }), TypeError)
      return new Response('hello')
    }
    return withApp(once(handle), LIMITED, async app => {
      assert.equal((await app.ask()).status, 200)
    })
  })
})
