// One proxy of the benchmark `gateway`: `gateway-server.ts NAME BACKEND FOLDER`, or the backend
// itself. Tells its port to its parent.
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Engine } from '@postern/core'
import { startGateway } from '@postern/gateway'
import { postern } from 'postern'
import { Pool } from 'undici'
import { protectionFloor } from './protection-floor.ts'

/** As much of http-proxy, which has no types of its own, as is used here. */
interface HttpProxy {
  createProxyServer(options: object): {
    on(event: 'error', listener: (error: Error, request: unknown, response: ServerResponse) => void): void
    web(request: IncomingMessage, response: ServerResponse): void
  }
}

const [name = '', upstream = '', folder = ''] = process.argv.slice(2)

async function listen(
  handler: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<number> {
  const server = createServer({ keepAliveTimeout: 600_000 }, handler).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  return (server.address() as AddressInfo).port
}

async function gatewayPort(engine: Engine | (() => Engine)): Promise<number> {
  const gateway = await startGateway({
    engine,
    upstream,
    listen: { port: 0 },
    limits: { requestsPerConnection: 100_000_000 },
  })
  return Number(new URL(gateway.url).port)
}

/** As little of a proxy as undici allows: no header is looked at. */
function bareUndici(): Promise<number> {
  const pool = new Pool(upstream, { connections: 256 })
  return listen((request, response) => {
    pool.dispatch(
      {
        path: request.url ?? '/',
        method: 'GET',
        headers: request.rawHeaders.filter((_, i, all) => all[i - (i % 2)] !== 'Connection'),
        body: null,
      },
      {
        onRequestStart() {},
        onResponseStart(controller, status) {
          const raw = (controller.rawHeaders ?? []) as Buffer[]
          response.writeHead(status, raw.map(String))
        },
        onResponseData(_controller, chunk) {
          response.write(chunk)
        },
        onResponseEnd() {
          response.end()
        },
        onResponseError() {
          response.destroy()
        },
      },
    )
  })
}

/** Headers of a connection, and those that only a proxy may set. */
const DROPPED =
  /^(?:connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|forwarded|x-request-id|x-forwarded-.*)$/i

/**
 * About the least that a proxy on undici does which promises what the gateway promises by default: the floor
 * of the protection, and headers that say who asked and by which id.
 */
function undiciFloor(): Promise<number> {
  const pool = new Pool(upstream, { connections: 256 })
  const protect = protectionFloor(({ socket }) => socket.remoteAddress ?? '')
  return listen((request, response) =>
    protect(request, response, () => {
      const id = randomUUID()
      const { rawHeaders, socket } = request
      const headers = [
        'X-Request-Id',
        id,
        'X-Forwarded-For',
        socket.remoteAddress ?? '',
        'X-Forwarded-Proto',
        'http',
        'X-Forwarded-Host',
        request.headers.host ?? '',
      ]
      for (let i = 0; i + 1 < rawHeaders.length; i += 2)
        if (!DROPPED.test(rawHeaders[i] as string))
          headers.push(rawHeaders[i] as string, rawHeaders[i + 1] as string)
      pool.dispatch(
        { path: request.url ?? '/', method: 'GET', headers, body: null },
        {
          onRequestStart() {},
          onResponseStart(controller, status) {
            const raw = ((controller.rawHeaders ?? []) as Buffer[]).map(String)
            response.setHeader('X-Request-Id', id)
            for (let i = 0; i + 1 < raw.length; i += 2)
              if (!DROPPED.test(raw[i] as string)) response.setHeader(raw[i] as string, raw[i + 1] as string)
            response.writeHead(status)
          },
          onResponseData(controller, chunk) {
            if (!response.write(chunk)) {
              controller.pause()
              response.once('drain', () => controller.resume())
            }
          },
          onResponseEnd() {
            response.end()
          },
          onResponseError() {
            response.destroy()
          },
        },
      )
    }),
  )
}

async function start(): Promise<number> {
  switch (name) {
    case 'backend': {
      const body = Buffer.from('{"hello":"world","items":[1,2,3]}')
      const headers = ['Content-Type', 'application/json', 'Content-Length', String(body.length)]
      return listen((_request, response) => response.writeHead(200, headers).end(body))
    }
    case 'empty':
      return gatewayPort(new Engine())
    case 'default':
    case 'default-again':
    case 'console': {
      const layer = await postern({
        folder: process.cwd(),
        config: {
          dataDirectory: folder,
          ...(name === 'console' && { console: { listen: '127.0.0.1:0' } }),
          // The default rules with numbers that one loader does not reach: the same work, and no refusal.
          limits: { address: { limit: '1000000000/1m' }, busy: { limit: '100000 at once' } },
        },
      })
      return gatewayPort(() => layer.engine)
    }
    case 'http-proxy': {
      const { default: httpProxy } = (await import(name)) as { default: HttpProxy }
      const { Agent } = await import('node:http')
      const proxy = httpProxy.createProxyServer({
        target: upstream,
        agent: new Agent({ keepAlive: true, maxSockets: 256 }),
        xfwd: true,
      })
      proxy.on('error', (_error, _request, response) => response.destroy())
      return listen((request, response) => proxy.web(request, response))
    }
    case 'undici':
    case 'undici-again':
      return bareUndici()
    case 'undici-floor':
      return undiciFloor()
    default:
      throw new Error(`no proxy is called "${name}"`)
  }
}

process.send?.(await start())
// Microseconds of CPU of this process so far, whenever the parent asks.
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send?.(user + system)
})
process.on('disconnect', () => process.exit())
