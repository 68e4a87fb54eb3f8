import type { Server } from 'node:http'
import { Readable } from 'node:stream'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { type EngineSource, hono } from '../../src/index.ts'
import { type Adapter, inProcess, overNetwork } from '../harness.ts'
import { endless, seen, threePieces } from './streams.ts'

function application(engine: EngineSource): { app: Hono; handled: () => number } {
  let handled = 0
  const app = new Hono()
  app.use(hono(engine))
  app.use(async (_context, next) => {
    handled++
    await next()
  })
  app.get('/hello', context => context.text('hello'))
  app.post('/echo', async context => context.text(await context.req.text()))
  app.post('/json', async context => context.json({ got: await context.req.json() }))
  app.get('/seen', context => context.json(seen(context.req.header())))
  app.get('/cookies', context => {
    context.header('X-Handler', 'yes')
    context.header('Set-Cookie', 'inner=1', { append: true })
    context.header('Set-Cookie', 'theme=dark', { append: true })
    return context.text('cookies')
  })
  app.get('/empty', context => context.body(null, 204))
  app.get('/stream', () => new Response(Readable.toWeb(threePieces()) as ReadableStream))
  app.get('/endless', () => new Response(Readable.toWeb(endless()) as ReadableStream))
  app.get('/error', () => {
    throw new Error('broken')
  })
  app.onError((_error, context) => context.text('error', 500))
  return { app, handled: () => handled }
}

export const honoNodeAdapter: Adapter = {
  name: 'hono on @hono/node-server',
  seesOutcome: true,
  showsAnswer: true,
  async start(engine) {
    const { app, handled } = application(engine)
    const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }) as Server
    await new Promise(resolve => server.once('listening', resolve))
    return overNetwork(server, handled, () => new Promise(resolve => server.close(resolve)))
  },
}

export const honoRequestAdapter: Adapter = {
  name: 'hono by app.request',
  seesOutcome: true,
  showsAnswer: true,
  async start(engine) {
    const { app, handled } = application(engine)
    return inProcess(
      request => app.request(request, undefined, { remoteAddr: { hostname: '127.0.0.1' } }),
      handled,
    )
  },
}
