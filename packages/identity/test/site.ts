import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import {
  Engine,
  type Event,
  type Exchange,
  type Guard,
  ownAnswer,
  type Principal,
  type RequestSource,
} from '@postern/core'
import { openSqlite, type PostgresDatabase, type SqliteDatabase } from '@postern/store'
import {
  type BuiltInIdentity,
  type BuiltInIdentityOptions,
  builtInIdentity,
} from '../src/built-in/built-in-identity.ts'
import type { Mail } from '../src/mail/mailer.ts'
import { SECRET_TEXT } from './support.ts'

/** A site with built-in identity in front of a handler, on a loopback port. */
export interface Site {
  readonly origin: string
  /** Where it listens, which the origin names unless the test gave another one. */
  readonly port: number
  readonly identity: BuiltInIdentity
  readonly engine: Engine
  readonly mails: Mail[]
  readonly events: Event[]
  /** Link of the newest mail, once it was sent. */
  link(): Promise<string>
}

/** What the application behind identity sees, and answers. */
export type Application = (
  exchange: Exchange,
) =>
  | { readonly status: number; readonly headers?: readonly string[]; readonly body: string }
  | Promise<{ readonly status: number; readonly headers?: readonly string[]; readonly body: string }>

export interface SiteOptions extends Partial<Omit<BuiltInIdentityOptions, 'database'>> {
  readonly database?: SqliteDatabase | PostgresDatabase
  readonly application?: Application
  /** Sees every request first. */
  readonly first?: (exchange: Exchange) => void
  /** Default: a free one. */
  readonly port?: number
  readonly guards?: readonly Guard[]
}

const CHEAP = { memory: 64, passes: 1, parallelism: 1 }

/** The default application answers with the principal it received. */
const whoIsThere: Application = ({ principal }) => ({
  status: 200,
  headers: ['content-type', 'application/json'],
  body: JSON.stringify(principal),
})

export async function startSite(t: TestContext, options: SiteOptions = {}): Promise<Site> {
  const mails: Mail[] = []
  const events: Event[] = []
  let answer = (
    request: IncomingMessage,
    body: Buffer,
  ): Promise<{ status: number; headers: readonly string[]; body: string | Uint8Array }> => {
    throw new Error(`not ready for ${request.url} of ${body.length} bytes`)
  }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      answer(request, Buffer.concat(chunks)).then(
        made => response.writeHead(made.status, [...made.headers]).end(made.body),
        () => response.writeHead(500).end(),
      )
    })
  })
  server.listen(options.port ?? 0, '127.0.0.1')
  await new Promise<void>(resolve => server.once('listening', () => resolve()))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const origin = options.origin ?? `http://localhost:${port}`
  const database = options.database ?? openSqlite({ path: ':memory:' })
  if (options.database === undefined) t.after(() => database.close())
  const identity = await builtInIdentity({
    origin,
    secret: SECRET_TEXT,
    siteName: 'Shop',
    passwords: { cost: CHEAP },
    mailer: { send: async mail => void mails.push(mail) },
    onError: error => {
      throw error
    },
    ...options,
    emit: event => {
      events.push(event)
      options.emit?.(event)
    },
    database,
  })
  t.after(() => identity.close())
  const identify: Guard = {
    name: 'identify',
    failure: 'closed',
    decide: async exchange => {
      const principal = await identity.identify(exchange)
      if (principal !== undefined) exchange.setPrincipal(principal)
      return { effect: 'allow' }
    },
  }
  const engine = new Engine({
    guards: [identify, identity.guard, ...(options.guards ?? [])],
    ...(options.clock !== undefined && { clock: options.clock }),
  })
  const application = options.application ?? whoIsThere
  answer = async (request, body) => {
    const exchange = engine.open(sourceOf(request, body))
    options.first?.(exchange)
    await engine.decide(exchange)
    const own = ownAnswer(exchange)
    if (own !== undefined) return own
    const made = await application(exchange)
    return { ...made, headers: [...(made.headers ?? []), ...(exchange.replyHeaders ?? [])] }
  }
  return {
    origin,
    port,
    identity,
    engine,
    mails,
    events,
    link: async () => {
      await identity.close()
      return /https?:\/\/\S+/.exec(mails.at(-1)?.text ?? '')?.[0] ?? ''
    },
  }
}

function sourceOf(request: IncomingMessage, body: Buffer): RequestSource {
  return {
    method: request.method ?? 'GET',
    target: request.url ?? '/',
    headers: request.rawHeaders,
    peer: request.socket.remoteAddress,
    secure: false,
    httpVersion: request.httpVersion,
    body:
      body.length === 0
        ? undefined
        : { read: async limit => ({ bytes: body.subarray(0, limit), complete: body.length <= limit }) },
    native: undefined,
  }
}

/** A browser without JavaScript: keeps cookies, sends Fetch Metadata, follows nothing. */
export class PlainBrowser {
  readonly cookies: Map<string, string> = new Map()
  readonly #origin: string

  constructor(origin: string) {
    this.#origin = origin
  }

  async get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<PlainAnswer> {
    return this.#send('GET', path, undefined, { 'sec-fetch-site': 'same-origin', ...headers })
  }

  /** Posts a form of a page of this site. */
  async post(
    path: string,
    fields: Readonly<Record<string, string>> = {},
    headers: Readonly<Record<string, string>> = {},
  ): Promise<PlainAnswer> {
    const type = { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' }
    return this.#send('POST', path, new URLSearchParams(fields).toString(), { ...type, ...headers })
  }

  async postJson(
    path: string,
    value: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<PlainAnswer> {
    const type = {
      'content-type': 'application/json',
      accept: 'application/json',
      'sec-fetch-site': 'same-origin',
    }
    return this.#send('POST', path, JSON.stringify(value), { ...type, ...headers })
  }

  async #send(
    method: string,
    path: string,
    body: string | undefined,
    headers: Readonly<Record<string, string>>,
  ): Promise<PlainAnswer> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await fetch(new URL(path, this.#origin), {
      method,
      redirect: 'manual',
      headers: {
        ...(cookie !== '' && { cookie }),
        'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0',
        ...headers,
      },
      ...(body !== undefined && { body }),
    })
    for (const line of answer.headers.getSetCookie()) {
      const [pair = ''] = line.split(';')
      const equals = pair.indexOf('=')
      if (/max-age=0/i.test(line)) this.cookies.delete(pair.slice(0, equals))
      else this.cookies.set(pair.slice(0, equals), pair.slice(equals + 1))
    }
    return {
      status: answer.status,
      location: answer.headers.get('location') ?? '',
      headers: answer.headers,
      text: await answer.text(),
    }
  }
}

export interface PlainAnswer {
  readonly status: number
  readonly location: string
  readonly headers: Headers
  readonly text: string
}

/** Makes an account by the pages, and returns the browser that is signed in. */
export async function signUp(site: Site, email: string, password = 'a quiet river'): Promise<PlainBrowser> {
  const browser = new PlainBrowser(site.origin)
  await browser.post('/.postern/sign-up', { email })
  const token = new URL(await site.link()).searchParams.get('token') ?? ''
  const answer = await browser.post('/.postern/sign-up/finish', { token, name: 'Alice', password })
  if (answer.status !== 303) throw new Error(`sign-up answered ${answer.status}`)
  return browser
}

/** The principal that the application receives for this browser. */
export async function whoIs(browser: PlainBrowser): Promise<Principal> {
  return JSON.parse((await browser.get('/')).text)
}

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await new Promise<void>(resolve => server.once('listening', () => resolve()))
  const { port } = server.address() as AddressInfo
  await new Promise<void>(resolve => server.close(() => resolve()))
  return port
}
