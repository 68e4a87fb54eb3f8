import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ConfigError, PosternError, StoreError } from '@postern/core'
import { ApiProblem } from '../api/api-route.ts'
import { matchApi } from '../api/console-api.ts'
import type { ConsoleParts } from '../api/console-parts.ts'
import { type ConsoleSession, ConsoleSessions, ROLES, type Role } from '../api/console-session.ts'
import { type ConsoleOrigins, consoleOrigins } from './console-origins.ts'
import { type PageFile, readPageFiles } from './page-files.ts'
import { streamLive } from './stream-live.ts'

export interface ConsoleOptions {
  readonly parts: ConsoleParts
  readonly listen: { readonly host: string; readonly port: number }
  /** Begins and ends with `/`. */
  readonly path: string
  /** Origins of proxies in front of the console. */
  readonly origins: readonly string[]
}

/** A console that accepts connections. */
export interface ConsoleServer {
  /** `http://127.0.0.1:9465/` */
  readonly address: string
  /** An address that signs in once, within 15 minutes. */
  link(name: string, roles?: readonly Role[]): string
  close(): Promise<void>
}

const COOKIE = 'postern-console'
/** A configuration is the longest thing that is sent. */
const MAX_BODY_BYTES = 262_144

const HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'X-Frame-Options': 'DENY',
}

/**
 * Serves the page and the API behind it. Refused: a `Host` that is not the console's, what a page of
 * another origin
 * sends, and every call without a session of the right role.
 * @throws Error of the operating system when it cannot listen
 */
export async function startConsole(options: ConsoleOptions): Promise<ConsoleServer> {
  const { clock, random } = options.parts
  const sessions = new ConsoleSessions(clock, random)
  const files = readPageFiles()
  let origins: ConsoleOrigins | undefined
  const server = createServer((request, response) => {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value)
    if (origins === undefined || !origins.hasHost(request)) {
      problem(response, 403, 'the console does not have this name; add it to console.origins')
      return
    }
    answer({ options, sessions, files, origins }, request, response).catch(() => response.destroy())
  })
  server.headersTimeout = 5_000
  server.requestTimeout = 10_000
  server.maxConnections = 128
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.listen.port, options.listen.host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  const { address, port } = server.address() as AddressInfo
  origins = consoleOrigins({ host: address, port }, options.origins)
  const base = `http://${address.includes(':') ? `[${address}]` : address}:${port}${options.path}`
  return {
    address: base,
    // After the #: it reaches no server, no log and no proxy.
    link: (name, roles = ROLES) =>
      `${options.origins[0] === undefined ? base : options.origins[0] + options.path}#link=${sessions.link(name, roles)}`,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

interface Context {
  readonly options: ConsoleOptions
  readonly sessions: ConsoleSessions
  readonly files: ReadonlyMap<string, PageFile> | undefined
  readonly origins: ConsoleOrigins
}

async function answer(context: Context, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://console')
  const { path: base } = context.options
  // A proxy may lead here with its own path or without it.
  const path = url.pathname.startsWith(base) ? url.pathname.slice(base.length) : url.pathname.slice(1)
  if (path.startsWith('api/')) return answerApi(context, request, response, path.slice(3), url.searchParams)
  sendPage(context.files, path, request, response)
}

function sendPage(
  files: Context['files'],
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const file = files?.get(path)
  if (request.method !== 'GET' && request.method !== 'HEAD') problem(response, 405, 'only GET')
  else if (files === undefined) problem(response, 503, 'the page was not built; run: npm run build')
  else if (file === undefined) problem(response, 404, 'not found')
  else sendFile(file, request, response)
}

function sendFile(file: PageFile, request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('ETag', file.etag)
  response.setHeader('Cache-Control', file.isForever ? 'public, max-age=31536000, immutable' : 'no-cache')
  if (request.headers['if-none-match'] === file.etag) {
    response.writeHead(304).end()
    return
  }
  response.writeHead(200, { 'Content-Type': file.type, 'Content-Length': file.bytes.length })
  response.end(request.method === 'HEAD' ? undefined : file.bytes)
}

async function answerApi(
  context: Context,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  query: URLSearchParams,
): Promise<void> {
  response.setHeader('Cache-Control', 'no-store')
  const { method = 'GET' } = request
  if (!context.origins.isOwn(request)) return problem(response, 403, 'only pages of the console may ask this')
  if (method !== 'GET' && !(request.headers['content-type'] ?? '').startsWith('application/json'))
    return problem(response, 403, 'Content-Type must be application/json')
  if (path === '/session' && method === 'POST') return signIn(context, request, response)
  const session = sessionOf(context, request)
  if (session === undefined) return problem(response, 401, 'sign in with a link of: postern console link')
  if (path === '/session' && method === 'DELETE') return signOut(context, request, response)
  if (path === '/live' && method === 'GET') return streamLive(context.options.parts.live, response)
  const matched = matchApi(method, path)
  if (matched === undefined) return problem(response, 404, 'not found')
  const { route } = matched
  if (route.role !== 'viewer' && !session.roles.has(route.role))
    return problem(response, 403, `the role ${route.role} is needed for this`)
  const body = method === 'POST' ? await readJson(request) : {}
  if (body === undefined) return problem(response, 400, 'a JSON object of at most 256 KiB is needed')
  try {
    const { parts } = context.options
    send(response, 200, await route.handle({ parts, session, path: matched.path, query, body }))
  } catch (error) {
    const [status, message] = problemOf(error)
    problem(response, status, message)
  }
}

function problemOf(error: unknown): readonly [number, string] {
  if (error instanceof ApiProblem) return [error.status, error.message]
  if (error instanceof ConfigError) return [400, error.message]
  if (error instanceof StoreError) return [503, error.message]
  // What is not ours may quote what it handled.
  return [
    500,
    error instanceof PosternError ? error.message : 'this failed; the log of the process may say why',
  ]
}

async function signIn(context: Context, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await readJson(request)
  const link = body?.['link']
  const made = typeof link === 'string' && link.length <= 100 ? context.sessions.redeem(link) : undefined
  if (made === undefined)
    return problem(
      response,
      401,
      'this link was used or has expired; make another with: postern console link',
    )
  const { session, cookie, token } = made
  const { parts } = context.options
  const roles = [...session.roles]
  await parts.record(
    { action: 'console.sign-in', resource: { type: 'console' }, data: { roles } },
    session.name,
  )
  const isSecure = isTls(context, request)
  const name = isSecure ? `__Host-${COOKIE}` : COOKIE
  const path = isSecure ? '/' : context.options.path
  response.setHeader(
    'Set-Cookie',
    `${name}=${cookie}; Path=${path}; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`,
  )
  send(response, 200, { token, name: session.name, roles })
}

/** Whether the page was loaded over TLS: by a proxy whose origin the configuration names. */
function isTls({ options }: Context, { headers }: IncomingMessage): boolean {
  return options.origins.some(
    origin =>
      origin.startsWith('https:') && (headers.origin === origin || new URL(origin).host === headers.host),
  )
}

function signOut(context: Context, request: IncomingMessage, response: ServerResponse): void {
  context.sessions.end(cookieOf(request))
  response.setHeader(
    'Set-Cookie',
    `${COOKIE}=; Path=${context.options.path}; HttpOnly; SameSite=Strict; Max-Age=0`,
  )
  send(response, 200, {})
}

function sessionOf({ sessions }: Context, request: IncomingMessage): ConsoleSession | undefined {
  const token = request.headers['x-postern-console']
  return typeof token === 'string' ? sessions.find(cookieOf(request), token) : undefined
}

function cookieOf({ headers }: IncomingMessage): string {
  const pairs = (headers.cookie ?? '').split(/; ?/)
  for (const name of [`__Host-${COOKIE}`, COOKIE]) {
    const found = pairs.find(pair => pair.startsWith(`${name}=`))
    if (found !== undefined) return found.slice(name.length + 1)
  }
  return ''
}

async function readJson(request: IncomingMessage): Promise<Readonly<Record<string, unknown>> | undefined> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > MAX_BODY_BYTES) return undefined
    chunks.push(chunk)
  }
  try {
    const value: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8') || '{}')
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as Readonly<Record<string, unknown>>) : undefined
  } catch {
    return undefined
  }
}

function problem(response: ServerResponse, status: number, error: string): void {
  send(response, status, { error })
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(`${JSON.stringify(body)}\n`)
}
