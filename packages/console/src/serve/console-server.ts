import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { boundedServer, CidrSet, ConfigError, PosternError, StoreError, urlHost } from '@postern/core'
import { ApiProblem } from '../api/api-route.ts'
import { matchApi } from '../api/console-api.ts'
import type { ConsoleParts } from '../api/console-parts.ts'
import { ConsoleSessions, ROLES, type Role } from '../api/console-session.ts'
import { recordedCall } from '../api/recorded-call.ts'
import { type ConsoleOrigins, consoleOrigins } from './console-origins.ts'
import { problem, readJson, send } from './json.ts'
import { type PageFile, readPageFiles } from './page-files.ts'
import { SignIn } from './sign-in.ts'
import { streamLive } from './stream-live.ts'

/** Where the console listens, under which path and origins, and what it shows. */
export interface ConsoleOptions {
  readonly parts: ConsoleParts
  readonly listen: { readonly host: string; readonly port: number }
  /** Begins and ends with `/`. */
  readonly path: string
  /** Origins of proxies in front of the console. */
  readonly origins: readonly string[]
  /** Proxies in front that say for whom they ask, so that attempts to sign in are counted by client. */
  readonly trustedProxies?: () => CidrSet
}

/** A console that accepts connections. */
export interface ConsoleServer {
  /** `http://127.0.0.1:9465/` */
  readonly address: string
  /** An address that signs in once, within 15 minutes. */
  link(name: string, roles?: readonly Role[]): string
  /** The address that an invitation is followed at. @param secret of the invitation */
  invitationLink(secret: string): string
  close(): Promise<void>
}

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

const NOBODY = CidrSet.parse([])

const SIGNED_OUT = 'sign in with a link of: postern console link'

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
  /** Known once it listens: the port may be one that the system chooses. */
  let context: Context | undefined
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value)
    if (context === undefined || !context.origins.hasHost(request)) {
      problem(response, 403, 'the console does not have this name; add it to console.origins')
      return
    }
    answer(context, request, response).catch(() => response.destroy())
  }
  const server = boundedServer(createServer, handle, { connections: 128 })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.listen.port, options.listen.host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  const { address, port } = server.address() as AddressInfo
  const origins = consoleOrigins({ host: address, port }, options.origins)
  context = {
    options,
    signIn: new SignIn({ trustedProxies: () => NOBODY, ...options }, sessions, port),
    files,
    origins,
  }
  const base = `http://${urlHost(address)}:${port}${options.path}`
  const [front] = options.origins
  const shown = front === undefined ? base : front + options.path
  return {
    address: base,
    // After the #: it reaches no server, no log and no proxy.
    link: (name, roles = ROLES) => `${shown}#link=${sessions.link(name, roles)}`,
    // Passkeys are for names: an address in numbers can have none.
    invitationLink: secret =>
      `${shown.replace(/^http:\/\/(?:127\.0\.0\.1|\[::1\]):/, 'http://localhost:')}#invitation=${secret}`,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

interface Context {
  readonly options: ConsoleOptions
  readonly signIn: SignIn
  readonly files: ReadonlyMap<string, PageFile> | undefined
  readonly origins: ConsoleOrigins
}

async function answer(context: Context, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://console')
  const { path: base } = context.options
  // A proxy may lead here with its own path or without it.
  const path = url.pathname.startsWith(base) ? url.pathname.slice(base.length) : url.pathname.slice(1)
  if (`${url.pathname}/` === base && base !== '/') return toBase(base, response)
  if (path.startsWith('api/')) return answerApi(context, request, response, path.slice(3), url.searchParams)
  sendPage(context.files, path, request, response)
}

/** To the path with its last slash, which the page needs. Relative, so that it holds behind any proxy. */
function toBase(base: string, response: ServerResponse): void {
  response.writeHead(308, { Location: `./${base.split('/').at(-2) ?? ''}/`, 'Content-Length': 0 }).end()
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
  try {
    if (await context.signIn.answer(request, response, path)) return
  } catch (error) {
    return failed(response, context.options.parts, 'sign-in', error)
  }
  const session = context.signIn.sessionOf(request)
  if (session === undefined) return problem(response, 401, SIGNED_OUT)
  if (path === '/live' && method === 'GET') {
    const watcher = { session, isLive: () => context.signIn.isLive(session) }
    return streamLive(context.options.parts.live, response, watcher)
  }
  const matched = matchApi(method, path)
  if (matched === undefined) return problem(response, 404, 'not found')
  const { route } = matched
  if (route.role !== 'viewer' && !session.roles.has(route.role))
    return problem(response, 403, `the role ${route.role} is needed for this`)
  const body = method === 'POST' ? await readJson(request) : {}
  if (body === undefined) return problem(response, 400, 'a JSON object of at most 256 KiB is needed')
  // Whoever holds their body back must not do with it what they may no longer do.
  if (!context.signIn.isLive(session)) return problem(response, 401, SIGNED_OUT)
  try {
    const { parts } = context.options
    send(response, 200, await recordedCall(route, { parts, session, path: matched.path, query, body }))
  } catch (error) {
    failed(response, context.options.parts, `${method} ${route.path}`, error)
  }
}

/** Answers a call that failed; what nobody foresaw is reported to the operator, and not to the browser. */
function failed(response: ServerResponse, parts: ConsoleParts, call: string, error: unknown): void {
  const [status, message] = problemOf(error)
  if (status === 500) parts.failed(`console ${call}`, error)
  problem(response, status, message)
}

function problemOf(error: unknown): readonly [number, string] {
  if (error instanceof ApiProblem) return [error.status, error.message]
  if (error instanceof ConfigError) return [400, error.message]
  if (error instanceof StoreError) return [503, error.message]
  // What is not ours may quote what it handled.
  return [
    500,
    error instanceof PosternError ? error.message : 'this failed; the process says why on its standard error',
  ]
}
