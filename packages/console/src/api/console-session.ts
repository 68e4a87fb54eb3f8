import { createHash, timingSafeEqual } from 'node:crypto'
import type { Clock, RandomSource } from '@postern/core'

/**
 * What somebody may do: look, change what stands (bans, exceptions), say who may do what (accounts, roles,
 * API keys, the configuration), decide approvals.
 */
export type Role = 'viewer' | 'operator' | 'administrator' | 'approver'

/** Every role, in the order in which they are shown. */
export const ROLES: readonly Role[] = ['viewer', 'operator', 'administrator', 'approver']

/** Somebody who is signed in. */
export interface ConsoleSession {
  /** Name in the audit log. */
  readonly name: string
  readonly roles: ReadonlySet<Role>
}

/** What a browser keeps: the cookie is sent by it, the token by the page. A request needs both. */
export interface NewSession {
  readonly session: ConsoleSession
  readonly cookie: string
  readonly token: string
}

interface Kept {
  readonly session: ConsoleSession
  readonly token: Buffer
  readonly createdAt: number
  usedAt: number
}

const LINK_MS = 15 * 60_000
const SESSION_MS = 12 * 3_600_000
const IDLE_MS = 2 * 3_600_000
const MAX_SESSIONS = 64
/** Of one name: whoever signs in again and again ends their own sessions. Several may share a name. */
const MAX_OF_NAME = 16
const MAX_LINKS = 16

/**
 * Links that sign in once, and the sessions that came of them, in memory: a restart ends them all. Only
 * hashes are
 * kept. Browsers send cookies to every port of a host, so the cookie may reach the backend behind the
 * gateway; a
 * session therefore also needs a token that only a page of the console's own origin holds.
 */
export class ConsoleSessions {
  readonly #clock: Clock
  readonly #random: RandomSource
  readonly #links = new Map<string, { readonly session: ConsoleSession; readonly expiresAt: number }>()
  readonly #sessions = new Map<string, Kept>()

  constructor(clock: Clock, random: RandomSource) {
    this.#clock = clock
    this.#random = random
  }

  /** A secret that signs in once, within 15 minutes. */
  link(name: string, roles: readonly Role[]): string {
    const now = this.#clock.monotonic()
    for (const [key, { expiresAt }] of this.#links) if (expiresAt <= now) this.#links.delete(key)
    evictOldest(this.#links, MAX_LINKS)
    const secret = this.#secret()
    const session = { name: name.slice(0, 100), roles: new Set(roles) }
    this.#links.set(hash(secret).toString('hex'), { session, expiresAt: now + LINK_MS })
    return secret
  }

  /** Uses a link up. @returns undefined when it is unknown, used or expired */
  redeem(link: string): NewSession | undefined {
    const key = hash(link).toString('hex')
    const found = this.#links.get(key)
    this.#links.delete(key)
    const now = this.#clock.monotonic()
    if (found === undefined || found.expiresAt <= now) return undefined
    return this.begin(found.session)
  }

  /** A session of somebody who has proven who they are. */
  begin(session: ConsoleSession): NewSession {
    const now = this.#clock.monotonic()
    this.#makeRoom(session.name)
    const cookie = this.#secret()
    const token = this.#secret()
    const kept = { session, token: hash(token), createdAt: now, usedAt: now }
    this.#sessions.set(hash(cookie).toString('hex'), kept)
    return { session, cookie, token }
  }

  /** The session of a request's cookie and token; undefined when there is none, or it ended. */
  find(cookie: string, token: string): ConsoleSession | undefined {
    const key = hash(cookie).toString('hex')
    const kept = this.#sessions.get(key)
    if (kept === undefined || !timingSafeEqual(kept.token, hash(token))) return undefined
    const now = this.#clock.monotonic()
    if (now - kept.createdAt > SESSION_MS || now - kept.usedAt > IDLE_MS) {
      this.#sessions.delete(key)
      return undefined
    }
    kept.usedAt = now
    return kept.session
  }

  /** Whether a session still holds, without using it. */
  isLive(session: ConsoleSession): boolean {
    const now = this.#clock.monotonic()
    for (const kept of this.#sessions.values())
      if (kept.session === session) return now - kept.createdAt <= SESSION_MS && now - kept.usedAt <= IDLE_MS
    return false
  }

  /** Ends every session of somebody. */
  endOf(name: string): void {
    for (const [key, { session }] of this.#sessions) if (session.name === name) this.#sessions.delete(key)
  }

  /** Ends a session. */
  end(cookie: string): void {
    this.#sessions.delete(hash(cookie).toString('hex'))
  }

  /** For one more session of a name. Whoever has most gives room: nobody signs others out by coming often. */
  #makeRoom(name: string): void {
    const counts = new Map<string, number>()
    for (const { session } of this.#sessions.values())
      counts.set(session.name, (counts.get(session.name) ?? 0) + 1)
    if ((counts.get(name) ?? 0) >= MAX_OF_NAME) this.#endOldestOf(name)
    else if (this.#sessions.size >= MAX_SESSIONS) {
      const [most = name] = [...counts].sort(([, a], [, b]) => b - a)[0] ?? []
      this.#endOldestOf(most)
    }
  }

  #endOldestOf(name: string): void {
    for (const [key, { session }] of this.#sessions)
      if (session.name === name) {
        this.#sessions.delete(key)
        return
      }
  }

  #secret(): string {
    return Buffer.from(this.#random.bytes(32)).toString('base64url')
  }
}

function hash(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}

/** Evicts one, for one more. */
function evictOldest(map: Map<string, unknown>, limit: number): void {
  for (const key of map.keys()) {
    if (map.size < limit) return
    map.delete(key)
  }
}
