import { StoreError } from '@postern/core'
import { type RedisConnection, redisError, redisName } from '@postern/store'
import { ADD, DROP, MOVE, SWAP } from './redis-sessions.lua.ts'
import type { DeviceSessionRow, SessionRow } from './session.ts'
import { MAX_SESSIONS, type SessionStore, type StoredSession } from './session-store.ts'
import type { Standing, Standings } from './standings.ts'

export interface RedisSessionsOptions {
  /** Connected by the caller, who closes it. */
  readonly redis: RedisConnection
  /** Where the accounts are. */
  readonly standings: Standings
  /** Written before every key. Default: `postern`. */
  readonly prefix?: string
}

/** Attempts at a change that others come in between of. */
const MAX_RACES = 8
const SCAN_COUNT = 500

/**
 * Sessions in Redis or Valkey, one server or a cluster: a key for each, by the hash of its token, and for
 * each account a hash of its sessions' ids. They may be on two nodes, so no step changes both. Whatever fails
 * between two steps leaves a session that can still be ended, or one that nobody has the token of. What Redis
 * loses is signed out.
 */
export class RedisSessions implements SessionStore {
  readonly #redis: RedisConnection
  readonly #standings: Standings
  readonly #prefix: string

  constructor({ redis, standings, prefix = 'postern' }: RedisSessionsOptions) {
    this.#redis = redis
    this.#standings = standings
    this.#prefix = prefix
  }

  insert(session: StoredSession): Promise<void> {
    return this.#translated(async () => {
      const { accountId, id, createdAt, expiresAt } = session
      await this.#set(session, createdAt)
      const [entry, lifetime] = [entryOf(session), String(Math.ceil(expiresAt - createdAt))]
      const limit = String(MAX_SESSIONS)
      const old: unknown = await this.#redis.eval(
        ADD,
        1,
        this.#index(accountId),
        id,
        entry,
        limit,
        String(createdAt),
        lifetime,
      )
      for (const one of pairs(old)) await this.#drop(accountId, one.id, one.entry)
    })
  }

  async find(hash: string, now: number): Promise<SessionRow | undefined> {
    const session = await this.#translated(() => this.#get(hash, now))
    if (session === undefined) return undefined
    const found = this.#standings.find(session.accountId, session.organisationId)
    const standing = found instanceof Promise ? await found : found
    return standing === undefined ? undefined : rowOf(session, standing)
  }

  /**
   * A full Redis that evicts takes the account's list first, which no request reads, and leaves its sessions.
   * Whoever ended them since found nothing to end, so a session that is not in the list does not hold.
   */
  async touch(hash: string, seen: Pick<StoredSession, 'seenAt' | 'idleUntil' | 'address'>): Promise<boolean> {
    let used: StoredSession | undefined
    await this.#change(hash, seen.seenAt, session => {
      used = session
      return { ...session, ...seen }
    })
    if (used === undefined) return true
    const { accountId, id } = used
    return this.#translated(async () => {
      if ((await this.#redis.hexists(this.#index(accountId), id)) === 1) return true
      await this.#redis.del(this.#key(hash))
      return false
    })
  }

  rotate(
    hash: string,
    next: Pick<StoredSession, 'hash' | 'authenticatedAt' | 'amr'>,
    now: number,
  ): Promise<boolean> {
    return this.#translated(async () => {
      // Whoever takes the old one away has won.
      const taken = read(await this.#redis.getdel(this.#key(hash)), now)
      if (taken === undefined) return false
      const session = { ...taken, ...next }
      await this.#set(session, now)
      const { accountId, id } = session
      const moved = await this.#redis.eval(MOVE, 1, this.#index(accountId), id, entryOf(session))
      if (moved === 1) return true
      // It was revoked meanwhile, by its old token.
      await this.#redis.del(this.#key(next.hash))
      return false
    })
  }

  async enter(accountId: string, id: string, organisationId: string): Promise<boolean> {
    this.#standings.forget()
    const standing = await this.#standings.find(accountId, organisationId)
    if (standing === undefined || standing.roles === null) return false
    const entry = await this.#translated(() => this.#redis.hget(this.#index(accountId), id))
    if (entry === null) return false
    // Until it ends its life is the same.
    return this.#change(hashIn(entry), undefined, session => ({ ...session, organisationId }))
  }

  list(accountId: string, now: number): Promise<readonly DeviceSessionRow[]> {
    return this.#translated(async () => {
      const entries = await this.#redis.hvals(this.#index(accountId))
      return this.#rows(entries.map(hashIn), now)
    })
  }

  listAll(now: number, limit: number): Promise<readonly DeviceSessionRow[]> {
    return this.#translated(async () => {
      const hashes = new Set<string>()
      const start = this.#key('')
      const pattern = `${start.replace(/[*?[\]\\]/g, '\\$&')}*`
      const nodes = 'nodes' in this.#redis ? this.#redis.nodes('master') : [this.#redis]
      for (const node of nodes) {
        let cursor = '0'
        do {
          const [next, keys] = await node.scan(cursor, 'MATCH', pattern, 'COUNT', SCAN_COUNT)
          for (const key of keys) if (hashes.size < limit) hashes.add(key.slice(start.length))
          cursor = next
        } while (cursor !== '0' && hashes.size < limit)
      }
      return this.#rows([...hashes], now)
    })
  }

  end(hash: string): Promise<void> {
    return this.#translated(async () => {
      const session = read(await this.#redis.get(this.#key(hash)), 0)
      if (session === undefined) return
      await this.#drop(session.accountId, session.id, entryOf(session))
    })
  }

  revoke(accountId: string, id: string): Promise<boolean> {
    return this.#translated(async () => {
      const entry = await this.#redis.hget(this.#index(accountId), id)
      if (entry === null) return false
      await this.#drop(accountId, id, entry)
      return true
    })
  }

  revokeAll(accountId: string, except: string): Promise<boolean> {
    return this.#translated(async () => {
      const entries = Object.entries(await this.#redis.hgetall(this.#index(accountId)))
      const others = entries.filter(([id]) => id !== except)
      await Promise.all(others.map(([id, entry]) => this.#drop(accountId, id, entry)))
      return others.length > 0
    })
  }

  /** Redis removes what ended by itself. */
  async prune(): Promise<void> {}

  /**
   * Ends one session, the token first: while that has not worked, the entry is still there to try again by. A
   * rotation that came in between has another entry, which is ended next.
   */
  async #drop(accountId: string, id: string, entry: string): Promise<void> {
    let known = entry
    for (let race = 0; race < MAX_RACES; race++) {
      await this.#redis.del(this.#key(hashIn(known)))
      const other = await this.#redis.eval(DROP, 1, this.#index(accountId), id, known)
      if (typeof other !== 'string') return
      known = other
    }
    throw this.#contended()
  }

  /** @param now undefined where its end stays as it is */
  #change(
    hash: string,
    now: number | undefined,
    step: (session: StoredSession) => StoredSession,
  ): Promise<boolean> {
    return this.#translated(async () => {
      const key = this.#key(hash)
      for (let race = 0; race < MAX_RACES; race++) {
        const text = await this.#redis.get(key)
        const session = read(text, now ?? 0)
        if (text === null || session === undefined) return false
        const next = step(session)
        const lifetime = now === undefined ? '' : String(lifetimeOf(next, now))
        if ((await this.#redis.eval(SWAP, 1, key, text, write(next), lifetime)) === 1) return true
      }
      throw this.#contended()
    })
  }

  async #rows(hashes: readonly string[], now: number): Promise<readonly DeviceSessionRow[]> {
    const rows = await Promise.all(
      hashes.map(async hash => {
        const session = await this.#get(hash, now)
        if (session === undefined) return undefined
        const standing = await this.#standings.find(session.accountId, session.organisationId)
        return standing === undefined ? undefined : rowOf(session, standing)
      }),
    )
    return rows.filter(row => row !== undefined).sort((a, b) => b.seenAt - a.seenAt)
  }

  async #get(hash: string, now: number): Promise<StoredSession | undefined> {
    return read(await this.#redis.get(this.#key(hash)), now)
  }

  async #set(session: StoredSession, now: number): Promise<void> {
    await this.#redis.set(this.#key(session.hash), write(session), 'PX', lifetimeOf(session, now))
  }

  #key(hash: string): string {
    return `${this.#prefix}:session:${hash}`
  }

  #index(accountId: string): string {
    return `${this.#prefix}:sessions-of:${accountId}`
  }

  #contended(): StoreError {
    const store = redisName(this.#redis)
    return new StoreError('too many processes change the same session at once', { store, retryable: true })
  }

  async #translated<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw redisError(error, this.#redis)
    }
  }
}

/** A session of an account in its hash of sessions: when it began, when it ends, the hash of its token. */
function entryOf({ createdAt, expiresAt, hash }: StoredSession): string {
  return `${createdAt} ${expiresAt} ${hash}`
}

function hashIn(entry: string): string {
  return entry.slice(entry.lastIndexOf(' ') + 1)
}

function pairs(reply: unknown): readonly { readonly id: string; readonly entry: string }[] {
  const flat = Array.isArray(reply) ? reply.map(String) : []
  const found: { id: string; entry: string }[] = []
  for (let i = 0; i + 1 < flat.length; i += 2) found.push({ id: flat[i] ?? '', entry: flat[i + 1] ?? '' })
  return found
}

function lifetimeOf({ idleUntil, expiresAt }: StoredSession, now: number): number {
  return Math.max(1, Math.ceil(Math.min(idleUntil, expiresAt) - now))
}

function write(session: StoredSession): string {
  return JSON.stringify(session)
}

/** A session that is live at a time, or undefined; also for what nobody here wrote. */
function read(text: string | null, now: number): StoredSession | undefined {
  if (text === null) return undefined
  try {
    const session = JSON.parse(text) as StoredSession
    return session.idleUntil > now && session.expiresAt > now ? session : undefined
  } catch {
    return undefined
  }
}

function rowOf({ hash: _, ...session }: StoredSession, { roles, siteRoles }: Standing): DeviceSessionRow {
  return { ...session, roles, siteRoles }
}
