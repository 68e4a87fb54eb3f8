import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import type { Listen } from '@postern/config'
import { boundedServer, ConfigError, type Health, type Json, sentObject, urlHost } from '@postern/core'

/** A command of the admin listener: takes and gives JSON. */
export type AdminCommand = (input: Readonly<Record<string, Json>>) => Promise<Json> | Json

export interface AdminOptions {
  readonly listen: Listen
  /** Bearer token that commands ask for. */
  readonly token: string
  readonly health: () => readonly Health[]
  readonly metrics: () => string
  /** By name: `limits/show` answers `POST /limits/show`. */
  readonly commands: Readonly<Record<string, AdminCommand>>
}

export interface AdminServer {
  /** `http://127.0.0.1:9464` */
  readonly address: string
  close(): Promise<void>
}

const MAX_COMMAND_BYTES = 16_384

/**
 * The listener for operators: `/healthz` (alive), `/readyz` (every required part ok), `/metrics`, and
 * commands, which need the token. A request whose Host is a name other than localhost is refused, so that no
 * web page reaches it by rebinding a name.
 * @throws Error EADDRINUSE and its kin when it cannot listen
 */
export async function startAdmin(options: AdminOptions): Promise<AdminServer> {
  const server = boundedServer(
    createServer,
    (request, response) => void answer(options, request, response).catch(() => response.destroy()),
    { connections: 64 },
  )
  await listening(server, options.listen)
  const { address, port } = server.address() as AddressInfo
  return {
    address: `http://${urlHost(address)}:${port}`,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function listening(server: Server, { host, port }: Listen): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

async function answer(
  options: AdminOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // The gateway settles the requests of a turn of the event loop at its end: one that was answered counts.
  await setImmediate()
  if (!isAddressedHere(request.headers.host))
    return send(response, 403, { error: 'ask by address, not by name' })
  const path = request.url?.split('?', 1)[0] ?? ''
  if (request.method === 'GET' || request.method === 'HEAD') return answerReading(options, path, response)
  const name = path.slice(1)
  const command =
    request.method === 'POST' && Object.hasOwn(options.commands, name) ? options.commands[name] : undefined
  if (command === undefined) return send(response, 404, { error: 'not found' })
  if (!isTokenRight(request.headers.authorization, options.token))
    return send(response, 401, { error: 'the token of gateway.json is needed' })
  const input = await sentObject(request, MAX_COMMAND_BYTES)
  if (input === undefined) return send(response, 400, { error: 'a JSON object of at most 16 KiB is needed' })
  try {
    return send(response, 200, await command(input))
  } catch (error) {
    const status = error instanceof ConfigError ? 400 : 500
    return send(response, status, { error: error instanceof Error ? error.message : 'failed' })
  }
}

/** What probes and scrapers read, without a token. */
function answerReading(options: AdminOptions, path: string, response: ServerResponse): void {
  switch (path) {
    case '/healthz':
      send(response, 200, { status: 'alive' })
      break
    case '/readyz': {
      const health = options.health()
      const ready = health.every(part => part.ok || !part.required)
      send(response, ready ? 200 : 503, { status: ready ? 'ready' : 'not ready', parts: health })
      break
    }
    case '/metrics':
      response
        .writeHead(200, { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' })
        .end(options.metrics())
      break
    default:
      send(response, 404, {
        error: path.startsWith('/v1/')
          ? 'CrowdSec bouncers are served where crowdsec.listen says'
          : 'served here: /healthz, /readyz, /metrics',
      })
  }
}

/** An IP literal or localhost. */
function isAddressedHere(host: string | undefined): boolean {
  return host === undefined || /^(?:localhost|[\d.]+|\[[\da-fA-F:.]+\])(?::\d+)?$/.test(host)
}

function isTokenRight(header: string | undefined, token: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(header ?? ''), digest(`Bearer ${token}`))
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response
    .writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' })
    .end(`${JSON.stringify(body)}\n`)
}
