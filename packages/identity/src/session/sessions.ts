import {
  type Clock,
  ConfigError,
  CredentialError,
  type Duration,
  type Event,
  parseDuration,
  type RandomSource,
  systemClock,
  systemRandom,
} from '@postern/core'
import type { IdentityDatabase } from '../database/identity-database.ts'
import { freshId, freshToken, tokenHash } from '../database/identity-secret.ts'
import {
  type DeviceSession,
  readDeviceSession,
  readSession,
  type Session,
  type SessionRow,
} from './session.ts'
import type { SessionStore } from './session-store.ts'
import { SqlSessions } from './sql-sessions.ts'

export interface SessionsOptions {
  readonly database: IdentityDatabase
  /** Where they are kept, if not in the database. */
  readonly store?: SessionStore | undefined
  /** Ends a session that is not used for so long. Default `3d`. */
  readonly idle?: Duration
  /** Ends a session in any case. Default `30d`. */
  readonly lifetime?: Duration
  readonly emit?: (event: Event) => void
  readonly clock?: Clock
  readonly random?: RandomSource
}

export interface NewSession {
  readonly accountId: string
  /** How who they are was proven (RFC 8176): at least one. */
  readonly amr: readonly string[]
  /** When it was proven, epoch milliseconds. Default: now. */
  readonly authenticatedAt?: number
  readonly address: string
  readonly agent: string
  /** Kind and id of the principal that really acts. */
  readonly impersonator?: string
  readonly organisationId?: string
  /** Shorter than the configured lifetime. */
  readonly lifetime?: Duration
}

/** A session that was just created or rotated, with its token, which is returned only once. */
export interface IssuedSession {
  readonly token: string
  readonly id: string
  readonly expiresAt: number
}

const TOKEN = /^[A-Za-z0-9_-]{43}$/
const PRUNE_EVERY_MS = 3_600_000

/**
 * Sessions: an opaque token of 256 bits whose SHA-256 is stored. The store is asked for every request, so
 * a revocation holds from the next one, on every node.
 */
export class Sessions {
  readonly #store: SessionStore
  readonly #idle: number
  readonly #lifetime: number
  readonly #touchEvery: number
  readonly #emit: (event: Event) => void
  readonly #clock: Clock
  readonly #random: RandomSource
  #prunedAt: number

  /** @throws ConfigError for an idle time or a lifetime under a minute */
  constructor(options: SessionsOptions) {
    this.#store = options.store ?? new SqlSessions(options.database)
    this.#idle = parseDuration(options.idle ?? '3d', 'identity.sessions.idle')
    this.#lifetime = parseDuration(options.lifetime ?? '30d', 'identity.sessions.lifetime')
    for (const [place, ms] of Object.entries({ idle: this.#idle, lifetime: this.#lifetime }))
      if (ms < 60_000)
        throw new ConfigError({ place: `identity.sessions.${place}`, problem: 'is shorter than a minute' })
    this.#touchEvery = Math.min(60_000, this.#idle / 10)
    this.#emit = options.emit ?? (() => {})
    this.#clock = options.clock ?? systemClock
    this.#random = options.random ?? systemRandom
    this.#prunedAt = this.#clock.now()
  }

  /**
   * Begins a session with a token of its own: whatever token the client had before is worth nothing
   * afterwards (the caller passes it to `end`). An account has at most 100; the oldest ends.
   * @throws CredentialError when nothing was proven
   */
  async begin(wish: NewSession): Promise<IssuedSession> {
    if (wish.amr.length === 0) throw new CredentialError('a session needs a proof of who it is')
    const now = this.#clock.now()
    const lifetime = wish.lifetime === undefined ? this.#lifetime : parseDuration(wish.lifetime, 'lifetime')
    const expiresAt = now + Math.min(lifetime, this.#lifetime)
    const token = freshToken(this.#random)
    const id = freshId(this.#random)
    const idleUntil = Math.min(now + this.#idle, expiresAt)
    await this.#store.insert({
      hash: tokenHash(token),
      id,
      accountId: wish.accountId,
      impersonator: wish.impersonator ?? null,
      organisationId: wish.organisationId ?? null,
      createdAt: now,
      seenAt: now,
      idleUntil,
      expiresAt,
      authenticatedAt: wish.authenticatedAt ?? now,
      amr: wish.amr.join(' '),
      address: wish.address,
      agent: wish.agent.slice(0, 300),
    })
    this.#tell('session.started', wish.accountId, {
      session: id,
      amr: wish.amr.join(' '),
      ...(wish.impersonator !== undefined && { impersonator: wish.impersonator }),
    })
    await this.#prune(now)
    return { token, id, expiresAt }
  }

  /**
   * The live session of a token, or undefined. Synchronous with SQLite.
   * @param address where the request came from, for the device list
   * @throws StoreError when the store cannot say; the caller must refuse then
   */
  find(token: string, address: string): Session | undefined | Promise<Session | undefined> {
    if (!TOKEN.test(token)) return undefined
    const now = this.#clock.now()
    const hash = tokenHash(token)
    const row = this.#store.find(hash, now)
    return row instanceof Promise
      ? row.then(late => this.#seen(hash, late, now, address))
      : this.#seen(hash, row, now, address)
  }

  #seen(
    hash: string,
    row: SessionRow | undefined,
    now: number,
    address: string,
  ): Session | undefined | Promise<Session | undefined> {
    if (row === undefined) return undefined
    const session = readSession(row)
    if (now - row.seenAt < this.#touchEvery) return session
    const idleUntil = Math.min(now + this.#idle, row.expiresAt)
    const touched = this.#store.touch(hash, { seenAt: now, idleUntil, address })
    if (touched instanceof Promise) return touched.then(holds => (holds ? session : undefined))
    return touched ? session : undefined
  }

  /**
   * Gives a session another token after a fresh proof: same session, the old token
   * is dead. No second session is made.
   * @returns undefined when the session ended meanwhile, or another rotation won
   */
  async rotate(token: string, session: Session, amr: readonly string[]): Promise<IssuedSession | undefined> {
    const now = this.#clock.now()
    const fresh = freshToken(this.#random)
    const all = [...new Set([...session.amr, ...amr])].join(' ')
    const next = { hash: tokenHash(fresh), authenticatedAt: now, amr: all }
    const rotated = await this.#store.rotate(tokenHash(token), next, now)
    if (!rotated) return undefined
    this.#tell('session.proven', session.accountId, { session: session.id, amr: amr.join(' ') })
    return { token: fresh, id: session.id, expiresAt: session.expiresAt }
  }

  /** Lets a session act in an organisation; only where the account is a member. */
  async enter(session: Session, organisationId: string): Promise<boolean> {
    return this.#store.enter(session.accountId, session.id, organisationId)
  }

  /** Live sessions of an account, last used first: the device list. */
  async list(accountId: string): Promise<readonly DeviceSession[]> {
    return (await this.#store.list(accountId, this.#clock.now())).map(readDeviceSession)
  }

  /** Live sessions of all accounts, last used first, for operators. */
  async listAll(limit = 1_000): Promise<readonly DeviceSession[]> {
    return (await this.#store.listAll(this.#clock.now(), limit)).map(readDeviceSession)
  }

  /** Ends the session of a token: sign-out, or a sign-in over it. */
  async end(token: string): Promise<void> {
    if (TOKEN.test(token)) await this.#store.end(tokenHash(token))
  }

  /**
   * Revokes one session of an account.
   * @returns whether there was one
   */
  async revoke(accountId: string, id: string): Promise<boolean> {
    const revoked = await this.#store.revoke(accountId, id)
    if (revoked) this.#tell('session.revoked', accountId, { session: id })
    return revoked
  }

  /** Revokes every session of an account, but for one if its id is given. */
  async revokeAll(accountId: string, except = ''): Promise<void> {
    await this.#store.revokeAll(accountId, except)
    this.#tell('session.revoked', accountId, { session: 'all' })
  }

  /** Revokes what was begun since `revokeAll`. The log has one entry more only where there was something. */
  async revokeLater(accountId: string): Promise<void> {
    if (await this.#store.revokeAll(accountId, ''))
      this.#tell('session.revoked', accountId, { session: 'all' })
  }

  async #prune(now: number): Promise<void> {
    if (now - this.#prunedAt < PRUNE_EVERY_MS) return
    this.#prunedAt = now
    await this.#store.prune(now)
  }

  #tell(type: string, principal: string, data: Readonly<Record<string, string>>): void {
    this.#emit({ type, time: this.#clock.now(), actor: { principal }, data })
  }
}
