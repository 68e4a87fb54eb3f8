import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isIP } from 'node:net'
import type { CidrSet } from '@postern/core'
import type { ConsoleParts } from '../api/console-parts.ts'
import type { ConsoleSession, ConsoleSessions, NewSession } from '../api/console-session.ts'
import type { OperatorAccounts } from '../api/operator-accounts.ts'
import { problem, readJson, send } from './json.ts'
import { SignInAttempts } from './sign-in-attempts.ts'

export interface SignInOptions {
  readonly parts: ConsoleParts
  /** Begins and ends with `/`. */
  readonly path: string
  /** Origins of proxies in front of the console. */
  readonly origins: readonly string[]
  /** Proxies that say for whom they ask. */
  readonly trustedProxies: () => CidrSet
}

/** How somebody gets a session, by a link or a passkey, and how a request shows it. */
export class SignIn {
  readonly #options: SignInOptions
  readonly #sessions: ConsoleSessions
  /** Browsers keep one cookie of a name for all ports of a host, so each console has a name of its own. */
  readonly #cookie: string
  readonly #sent: RegExp
  readonly #attempts: SignInAttempts

  /** @param port that the console listens on */
  constructor(options: SignInOptions, sessions: ConsoleSessions, port: number) {
    this.#options = options
    this.#sessions = sessions
    this.#attempts = new SignInAttempts(options.parts.clock, options.trustedProxies)
    const own = createHash('sha256').update(`${port}${options.path}`).digest('hex').slice(0, 8)
    this.#cookie = `postern-console-${own}`
    this.#sent = new RegExp(`(?<=^|;) *(?:__Host-)?${this.#cookie}=([\\w-]{43}) *(?=;|$)`, 'g')
    options.parts.operators?.onEnd(name => sessions.endOf(name))
  }

  /** The session of a request; undefined when it has none. */
  sessionOf(request: IncomingMessage): ConsoleSession | undefined {
    return this.#held(request)?.session
  }

  /**
   * The session that the token of a request is for, among those of its cookies. Another port of this host can
   * plant a cookie of the same name, which the browser may send first: it must lock nobody out.
   */
  #held(request: IncomingMessage): { readonly session: ConsoleSession; readonly cookie: string } | undefined {
    const token = request.headers['console-token']
    if (typeof token !== 'string') return undefined
    for (const cookie of this.#cookiesOf(request)) {
      const session = this.#sessions.find(cookie, token)
      if (session !== undefined) return { session, cookie }
    }
    return undefined
  }

  /** Values that can be of a session, in the order they were sent; the length of the header bounds them. */
  #cookiesOf({ headers }: IncomingMessage): readonly string[] {
    return Array.from((headers.cookie ?? '').matchAll(this.#sent), ([, value = '']) => value)
  }

  /** Whether a session still holds, without using it. */
  isLive(session: ConsoleSession): boolean {
    return this.#sessions.isLive(session)
  }

  /**
   * Answers the operations that need no session. The caller has checked where the request comes from.
   * @returns false for any other path
   */
  async answer(request: IncomingMessage, response: ServerResponse, path: string): Promise<boolean> {
    const { method } = request
    if (method === 'DELETE' && path === '/session') {
      // Without a session there is nothing to end.
      const held = this.#held(request)
      if (held === undefined) return false
      this.#signOut(held.cookie, request, response)
      return true
    }
    if (method !== 'POST') return false
    const operation = OPERATIONS[path]
    if (operation === undefined) return false
    // A link costs nothing and cannot be guessed, so it works while somebody uses up all attempts.
    if (operation !== 'link' && !this.#attempts.take(request))
      problem(response, 429, 'too many attempts to sign in; wait a minute')
    else await this.#run(operation, request, response)
    return true
  }

  async #run(operation: Operation, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readJson(request)
    if (body === undefined) return problem(response, 400, 'a JSON object of at most 256 KiB is needed')
    if (operation === 'link') return this.#byLink(body['link'], request, response)
    const { operators } = this.#options.parts
    if (operators === undefined) return problem(response, 404, 'this console keeps no accounts')
    const origin = request.headers.origin ?? ''
    if (!isForPasskeys(origin))
      return problem(
        response,
        409,
        'passkeys need a name and not an address: open the console at localhost, or at one of console.origins',
      )
    return this.#byPasskey(operation, { operators, origin, body, request, response })
  }

  async #byPasskey(operation: Exclude<Operation, 'link'>, call: PasskeyCall): Promise<void> {
    const { operators, origin, body, request, response } = call
    const secret = typeof body['invitation'] === 'string' ? body['invitation'].slice(0, 100) : ''
    if (operation === 'options')
      return send(response, 200, { options: await operators.signInOptions(origin) })
    if (operation === 'invitation') {
      const found = await operators.invitation(secret, origin)
      if (found === undefined) return problem(response, 401, USED)
      const { email: name, roles } = found.account
      return send(response, 200, { name, roles, options: found.options })
    }
    const isNew = operation === 'accept'
    const who = isNew
      ? await operators.accept(secret, body['answer'], origin)
      : await operators.signIn(body['answer'], origin)
    if (who === undefined) return problem(response, 401, isNew ? USED : 'this passkey does not sign in here')
    const made = this.#sessions.begin({ name: who.name, roles: new Set(who.roles) })
    // Somebody may have been removed, or given other roles, between the look at the account and the session.
    const now = await operators.named(who.name)
    if (now === undefined || now.roles.join() !== who.roles.join()) {
      this.#sessions.end(made.cookie)
      return problem(response, 401, 'this account was changed meanwhile; sign in again')
    }
    await this.#signedIn(made, isNew ? 'invitation' : 'passkey', request, response)
  }

  async #byLink(link: unknown, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const isLink = typeof link === 'string' && link.length <= 100
    const made = isLink ? this.#sessions.redeem(link) : undefined
    if (made === undefined)
      return problem(
        response,
        401,
        'this link was used or has expired; make another with: postern console link',
      )
    await this.#signedIn(made, 'link', request, response)
  }

  /** A session that the log cannot take does not begin. */
  async #signedIn(
    { session, cookie, token }: NewSession,
    by: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { name } = session
    const roles = [...session.roles]
    try {
      await this.#options.parts.record(
        { action: 'console.sign-in', resource: { type: 'console' }, data: { roles, by } },
        name,
      )
    } catch (error) {
      this.#sessions.end(cookie)
      throw error
    }
    response.setHeader('Set-Cookie', this.#setCookie(request, cookie))
    send(response, 200, { token, name, roles })
  }

  #setCookie(request: IncomingMessage, value: string): string {
    const isSecure = this.#isTls(request)
    const path = isSecure ? '/' : this.#options.path
    return `${isSecure ? '__Host-' : ''}${this.#cookie}=${value}; Path=${path}; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`
  }

  /** Whether the page was loaded over TLS: by a proxy whose origin the configuration names. */
  #isTls({ headers }: IncomingMessage): boolean {
    return this.#options.origins.some(
      origin =>
        origin.startsWith('https:') && (headers.origin === origin || new URL(origin).host === headers.host),
    )
  }

  #signOut(cookie: string, request: IncomingMessage, response: ServerResponse): void {
    this.#sessions.end(cookie)
    response.setHeader('Set-Cookie', `${this.#setCookie(request, '')}; Max-Age=0`)
    send(response, 200, {})
  }
}

type Operation = 'link' | 'options' | 'passkey' | 'invitation' | 'accept'

interface PasskeyCall {
  readonly operators: OperatorAccounts
  readonly origin: string
  readonly body: Readonly<Record<string, unknown>>
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

const OPERATIONS: Readonly<Record<string, Operation>> = {
  '/session': 'link',
  '/session/passkey/options': 'options',
  '/session/passkey': 'passkey',
  '/invitation/options': 'invitation',
  '/invitation': 'accept',
}

const USED = 'this invitation was used or has expired, or the passkey does not hold; ask for another'

/** Whether passkeys can be for an origin: a domain over TLS, or localhost (WebAuthn section 5.1.3). */
function isForPasskeys(origin: string): boolean {
  if (!URL.canParse(origin)) return false
  const { protocol, hostname } = new URL(origin)
  if (isIP(hostname.replace(/^\[|\]$/g, '')) !== 0) return false
  return protocol === 'https:' || hostname === 'localhost'
}
