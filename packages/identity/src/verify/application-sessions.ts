import { hkdfSync } from 'node:crypto'
import { type Clock, givenText, type Principal, systemClock } from '@postern/core'
import { openSignedCookie, percentDecoded, secretsOf } from '../headers/signed-cookie.ts'
import type { Claims } from './claims.ts'
import { principalOf, timeOf } from './claims-principal.ts'
import { openCompactJwe } from './compact-jwe.ts'
import { jsonObject } from './compact-jws.ts'
import type { Fetch } from './fetch-json.ts'
import type { FoundSession, SessionMethodOptions } from './session-method.ts'
import { sessionUrl } from './session-url.ts'

/** As much of a session store (express-session, @fastify/session) as is asked. */
export interface SessionStoreLike {
  get(id: string, callback: (error: unknown, session?: unknown) => void): unknown
}

export interface StoredSessionOptions {
  readonly store: SessionStoreLike
  /** What the application signs its session ids with. */
  readonly secret: string | readonly string[]
  /** Default: `connect.sid` for Express, `sessionId` for Fastify. */
  readonly cookie?: string
  /**
   * Who a session belongs to; undefined for one that nobody signed in to. Default: as Passport keeps it
   * (`passport.user`), else `user.id` or `userId`.
   */
  readonly principal?: (session: Readonly<Record<string, unknown>>) => Principal | undefined
}

type Adapter = Pick<SessionMethodOptions, 'cookie' | 'find' | 'pieces'>

/** Sessions of express-session, with or without Passport, read from the application's own store. */
export function expressSession(options: StoredSessionOptions): Adapter {
  return stored(options, options.cookie ?? 'connect.sid', text =>
    text.startsWith('s:') ? text.slice(2) : undefined,
  )
}

/** Sessions of @fastify/session, read from the application's own store. */
export function fastifySession(options: StoredSessionOptions): Adapter {
  return stored(options, options.cookie ?? 'sessionId', text => text)
}

function stored(
  options: StoredSessionOptions,
  cookie: string,
  signedPart: (text: string) => string | undefined,
): Adapter {
  const secrets = secretsOf(options.secret, 'identify.session.secret')
  const principal = options.principal ?? usualPrincipal
  return {
    cookie,
    find: async value => {
      const signed = signedPart(percentDecoded(value) ?? '')
      const id = signed === undefined ? undefined : openSignedCookie(signed, secrets)
      const session = id === undefined ? undefined : await read(options.store, id)
      const found = session === undefined ? undefined : principal(session)
      return found === undefined ? undefined : { principal: found }
    },
  }
}

function read(store: SessionStoreLike, id: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  return new Promise((resolve, reject) => {
    store.get(id, (error, session) => {
      if (error) reject(error)
      else
        resolve(
          typeof session === 'object' && session !== null
            ? (session as Readonly<Record<string, unknown>>)
            : undefined,
        )
    })
  })
}

function usualPrincipal(session: Readonly<Record<string, unknown>>): Principal | undefined {
  const passport = session['passport'] as Readonly<Record<string, unknown>> | undefined
  const user = passport?.['user'] ?? session['user'] ?? session['userId']
  const id =
    typeof user === 'object' && user !== null ? (user as Readonly<Record<string, unknown>>)['id'] : user
  return typeof id === 'string' || typeof id === 'number' ? { kind: 'user', id: String(id) } : undefined
}

export interface BetterAuthOptions {
  /** `baseURL` and `basePath` of better-auth: `http://127.0.0.1:3000/api/auth`. */
  readonly url: string
  /** Default: `better-auth`. */
  readonly prefix?: string
  readonly fetch?: Fetch
}

/** Sessions of better-auth, asked of its `get-session` endpoint. */
export function betterAuth(options: BetterAuthOptions): Adapter {
  const name = `${options.prefix ?? 'better-auth'}.session_token`
  return {
    cookie: [name, `__Secure-${name}`],
    find: sessionUrl({
      // Not a proof of who is there: an administrator who acts for somebody begins a session of theirs.
      issuedAt: answer => timeOf((answer as { readonly session?: Claims } | null)?.session?.['createdAt']),
      url: `${givenText(options.url, 'identify.session.url').replace(/\/$/, '')}/get-session`,
      principal: answer => {
        const { user, session } = (answer ?? {}) as { readonly user?: Claims; readonly session?: Claims }
        const found = user === undefined ? undefined : principalOf(user, { id: 'id', roles: 'role' })
        if (found === undefined) return undefined
        const tenant = session?.['activeOrganizationId']
        const actor = session?.['impersonatedBy']
        return {
          ...found,
          kind: 'user',
          ...(typeof tenant === 'string' && { tenant }),
          ...(typeof actor === 'string' && { actor }),
        }
      },
      ...(options.fetch !== undefined && { fetch: options.fetch }),
    }),
  }
}

export interface AuthJsOptions {
  /** `AUTH_SECRET`; of NextAuth 4 `NEXTAUTH_SECRET`. */
  readonly secret: string | readonly string[]
  /** Default: `authjs.session-token` and `next-auth.session-token`, also with `__Secure-` before them. */
  readonly cookie?: readonly string[]
  readonly clock?: Clock
}

/** The session cookies of Auth.js and, by its old name, of NextAuth 4. */
const AUTH_JS_COOKIES = ['authjs.session-token', 'next-auth.session-token'].flatMap(name => [
  name,
  `__Secure-${name}`,
])

/**
 * Sessions of Auth.js (NextAuth 5) and of NextAuth 4 kept in the cookie itself, or in several when they are
 * long: a JWE under a key derived from the secret, in Auth.js from the cookie's name too.
 */
export function authJs(options: AuthJsOptions): Adapter {
  const clock = options.clock ?? systemClock
  const secrets = secretsOf(options.secret, 'identify.session.secret')
  const names = options.cookie ?? AUTH_JS_COOKIES
  const derived = (secret: string, salt: string, info: string, bytes: number, encryption: string) => {
    const k = Buffer.from(hkdfSync('sha256', secret, salt, info, bytes)).toString('base64url')
    return { jwk: { kty: 'oct', k }, algorithm: 'dir', encryption }
  }
  const keys = secrets.flatMap(secret => [
    ...names.map(name =>
      derived(secret, name, `Auth.js Generated Encryption Key (${name})`, 64, 'A256CBC-HS512'),
    ),
    derived(secret, '', 'NextAuth.js Generated Encryption Key', 32, 'A256GCM'),
  ])
  return {
    cookie: names,
    pieces: true,
    find: async (value): Promise<FoundSession | undefined> => {
      for (const key of keys) {
        const plain = await openCompactJwe(value, key).catch(() => undefined)
        const claims = plain === undefined ? undefined : jsonObject(Buffer.from(plain))
        if (claims === undefined) continue
        const { exp, iat } = claims
        if (typeof exp !== 'number' || exp * 1_000 <= clock.now()) return undefined
        const principal = principalOf(claims)
        return principal === undefined
          ? undefined
          : { principal, ...(typeof iat === 'number' && { issuedAt: iat * 1_000 }) }
      }
      return undefined
    },
  }
}
