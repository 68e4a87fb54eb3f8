import {
  type Address,
  CidrSet,
  type Clock,
  ConfigError,
  CredentialError,
  type Duration,
  type Event,
  type Principal,
  parseDuration,
  type RandomSource,
  systemClock,
  systemRandom,
} from '@postern/core'
import type { IdentityDatabase } from '../database/identity-database.ts'
import { equalText, type IdentitySecret } from '../database/identity-secret.ts'
import type { RecordStore } from '../records/record-store.ts'
import { API_KEY_SQL } from './api-key.sql.ts'
import { type ApiKey, type ApiKeyRow, principalOf, readApiKey } from './api-key.ts'
import { KeyLimits, type KeyUses } from './key-limits.ts'
import { composeKey, parseKey } from './key-text.ts'
import { checkedWish, checkWord, type NewApiKey } from './key-wish.ts'

export interface ApiKeysOptions {
  readonly database: IdentityDatabase
  readonly secret: IdentitySecret
  /** First part of every key: 2 to 16 small letters and digits. Default `postern`. */
  readonly prefix?: string
  /** Most live keys of one owner. Default 100. */
  readonly perOwner?: number
  /** Where uses of keys with a limit are counted for all processes. Default: each counts for itself. */
  readonly uses?: RecordStore<KeyUses>
  readonly emit?: (event: Event) => void
  readonly clock?: Clock
  readonly random?: RandomSource
}

/** A key that was just made. `text` is shown once; only its HMAC is stored. */
export interface IssuedApiKey {
  readonly text: string
  readonly key: ApiKey
}

/** What a presented key is worth. */
export type ApiKeyCheck =
  | { readonly kind: 'accepted'; readonly key: ApiKey; readonly principal: Principal }
  | { readonly kind: 'refused'; readonly why: 'invalid' | 'network' }
  | { readonly kind: 'limited'; readonly retryAfter: number }

/** Who may act on a key: its owner, or whoever operates the installation. */
export type KeyAuthority = Principal | 'operator'

const USED_EVERY_MS = 60_000

/**
 * API keys: made for the principal that asks, checked by their HMAC, rotated with an
 * overlap, revoked at once.
 */
export class ApiKeys {
  readonly #options: ApiKeysOptions
  readonly #prefix: string
  readonly #clock: Clock
  readonly #random: RandomSource
  readonly #limits: KeyLimits
  /** Networks compiled, by their text. */
  readonly #networks = new Map<string, CidrSet>()
  /** Keys used within the last minute, so that a busy key is written once a minute. */
  readonly #used = new Map<string, number>()

  /** @throws ConfigError for an invalid prefix */
  constructor(options: ApiKeysOptions) {
    this.#options = options
    this.#prefix = options.prefix ?? 'postern'
    this.#clock = options.clock ?? systemClock
    this.#random = options.random ?? systemRandom
    this.#limits = new KeyLimits(this.#clock, options.uses)
    checkWord('identity.keys.prefix', this.#prefix)
  }

  /**
   * Makes a key. The owner is the principal that asks: a body never names another. A key cannot make keys, an
   * impersonator cannot either, and the scopes of a key are never wider than those of its owner.
   * @throws CredentialError when this principal may not; ConfigError for a bad name,
   *   scope, network, limit or environment
   */
  async create(owner: Principal, wish: NewApiKey): Promise<IssuedApiKey> {
    if ((owner.kind !== 'user' && owner.kind !== 'service') || owner.id === '' || owner.actor !== undefined)
      throw new CredentialError('this principal cannot own API keys')
    const scopes = checkedWish(wish, owner)
    const most = this.#options.perOwner ?? 100
    if ((await this.#countLive(owner)) >= most) throw tooMany(most)
    const issued = await this.#insert(owner, { ...wish, scopes })
    // Others may have been made between the count and this: then it was one too many, and nobody has it.
    if ((await this.#countLive(owner)) > most) {
      await this.#revoke(issued.key.id, 'lost a race')
      throw tooMany(most)
    }
    this.#emit('key.created', issued.key)
    return issued
  }

  async #countLive({ kind, id }: Pick<Principal, 'kind' | 'id'>): Promise<number> {
    const values = [kind, id, this.#clock.now()]
    const rows = await this.#options.database.rows<{ count: number | string }>(API_KEY_SQL.countLive, values)
    return Number(rows[0]?.count)
  }

  async #insert(owner: Pick<Principal, 'kind' | 'id' | 'tenant'>, wish: NewApiKey): Promise<IssuedApiKey> {
    const now = this.#clock.now()
    const environment = wish.environment ?? 'live'
    const { text, id } = composeKey(this.#prefix, environment, this.#random)
    const expiresAt = wish.expiresIn === undefined ? null : now + parseDuration(wish.expiresIn, 'expiresIn')
    const limit = wish.limit
    const row: ApiKeyRow = {
      id,
      environment,
      hash: this.#options.secret.mac('api-key', text),
      ownerKind: owner.kind,
      ownerId: owner.id,
      tenant: owner.tenant ?? null,
      name: wish.name,
      scopes: (wish.scopes ?? []).join(' '),
      networks: (wish.networks ?? []).join(' '),
      limitCount: limit?.count ?? null,
      limitWindow: limit === undefined ? null : parseDuration(limit.window, 'limit.window'),
      createdAt: now,
      createdBy: wish.createdBy ?? null,
      expiresAt,
      usedAt: null,
      revokedAt: null,
      revokedWhy: null,
      replacedBy: null,
    }
    const values = [
      row.id,
      row.environment,
      row.hash,
      row.ownerKind,
      row.ownerId,
      row.tenant,
      row.name,
      row.scopes,
      row.networks,
    ]
    await this.#options.database.batch([
      {
        text: API_KEY_SQL.insert,
        values: [...values, row.limitCount, row.limitWindow, row.createdAt, row.createdBy, row.expiresAt],
        expect: 1,
      },
    ])
    return { text, key: readApiKey(row) }
  }

  /**
   * What a presented key is worth. A text that is not a key of ours costs no look-up. Revocation holds from
   * the next call, on every node that shares the database; so does that an account was disabled, or left the
   * organisation the key acts in.
   * @throws StoreError
   */
  async check(text: string, address: Address): Promise<ApiKeyCheck> {
    const parsed = parseKey(text)
    if (parsed === undefined || parsed.prefix !== this.#prefix) return { kind: 'refused', why: 'invalid' }
    const [row] = await this.#options.database.rows<ApiKeyRow>(API_KEY_SQL.inForce, [parsed.id])
    const now = this.#clock.now()
    if (
      row === undefined ||
      !equalText(row.hash, this.#options.secret.mac('api-key', text)) ||
      !isLive(row, now)
    )
      return { kind: 'refused', why: 'invalid' }
    const key = readApiKey(row)
    if (key.networks.length > 0 && !this.#networksOf(row.networks).has(address))
      return { kind: 'refused', why: 'network' }
    if (key.limit !== undefined) {
      const retryAfter = await this.#limits.take(key.id, key.limit)
      if (retryAfter > 0) return { kind: 'limited', retryAfter }
    }
    await this.#noteUse(key, now)
    return { kind: 'accepted', key, principal: principalOf(key) }
  }

  /** Whether a key that was accepted is still in force, for what is open since; takes no use. */
  async holds(id: string): Promise<boolean> {
    const [row] = await this.#options.database.rows<ApiKeyRow>(API_KEY_SQL.inForce, [id])
    return row !== undefined && isLive(row, this.#clock.now())
  }

  /** Keys of the principal that asks: those that are live, then the others; of each the newest first. */
  async list(owner: Principal): Promise<readonly ApiKey[]> {
    const values = [owner.kind, owner.id, this.#clock.now()]
    const rows = await this.#options.database.rows<ApiKeyRow>(API_KEY_SQL.byOwner, values)
    return rows.map(readApiKey)
  }

  /** Every key, for operators, in the order of `list`. */
  async listAll(limit = 1_000): Promise<readonly ApiKey[]> {
    const values = [limit, this.#clock.now()]
    return (await this.#options.database.rows<ApiKeyRow>(API_KEY_SQL.all, values)).map(readApiKey)
  }

  /**
   * Revokes a key; it is refused from the next request on.
   * @returns whether there was such a live key under this authority
   */
  async revoke(id: string, authority: KeyAuthority, why = 'revoked'): Promise<boolean> {
    const key = await this.#owned(id, authority)
    if (key === undefined) return false
    const revoked = await this.#revoke(key.id, why)
    if (revoked) this.#emit('key.revoked', key, { why })
    return revoked
  }

  /** Revokes every key of an owner: after a compromise, or when the account is deleted. */
  async revokeAll(owner: ApiKey['owner'], why: string): Promise<void> {
    const values = [owner.kind, owner.id, this.#clock.now(), why]
    if ((await this.#options.database.rows(API_KEY_SQL.revokeOwner, values)).length === 0) return
    const data = { key: 'all', why }
    this.#options.emit?.({
      type: 'key.revoked',
      time: this.#clock.now(),
      actor: { principal: owner.id },
      data,
    })
  }

  /**
   * Replaces a key by a new one with the same rights. The old one works for the overlap, so that clients can
   * be changed one by one. Of two rotations at once one wins. It gives a secret away as `create` does, so an
   * impersonator of the owner cannot, nor a token of the owner with fewer scopes than the key.
   * @param createdBy who sees the new one, as in `NewApiKey`. Default: as of the old one
   * @throws CredentialError when there is no such live key, it was rotated already, or this principal may
   *   not; ConfigError when the owner has twice as many live keys as it may make
   */
  async rotate(
    id: string,
    authority: KeyAuthority,
    overlap: Duration = '24h',
    createdBy?: string,
  ): Promise<IssuedApiKey> {
    const isImpersonator = authority !== 'operator' && authority.actor !== undefined
    const old = isImpersonator ? undefined : await this.#owned(id, authority)
    const now = this.#clock.now()
    if (old === undefined || isNarrower(authority, old))
      throw new CredentialError('there is no such key to rotate')
    // A key that is replaced lives on for the overlap: one key would become any number of them.
    const most = authority === 'operator' ? Number.POSITIVE_INFINITY : 2 * (this.#options.perOwner ?? 100)
    if ((await this.#countLive(old.owner)) >= most) throw tooMany(most)
    const maker = createdBy ?? old.createdBy
    const issued = await this.#insert(
      { kind: old.owner.kind, id: old.owner.id, ...(old.tenant !== undefined && { tenant: old.tenant }) },
      {
        name: old.name,
        scopes: old.scopes,
        environment: old.environment,
        networks: old.networks,
        ...(maker !== undefined && { createdBy: maker }),
        ...(old.limit !== undefined && { limit: old.limit }),
        ...(old.expiresAt !== undefined && { expiresIn: Math.max(0, old.expiresAt - now) }),
      },
    )
    // As in `create`: keys that are rotated at once.
    if ((await this.#countLive(old.owner)) > most) {
      await this.#revoke(issued.key.id, 'lost a race')
      throw tooMany(most)
    }
    const until = now + parseDuration(overlap, 'overlap')
    const replaced = await this.#options.database.batch([
      { text: API_KEY_SQL.replace, values: [old.id, issued.key.id, until, now], expect: 1 },
    ])
    if (!replaced) {
      await this.#revoke(issued.key.id, 'lost a race')
      throw new CredentialError('there is no such key to rotate')
    }
    this.#emit('key.rotated', old, { replacedBy: issued.key.id })
    return issued
  }

  /**
   * Revokes a key that somebody found in public. Whoever can show the whole key
   * proves the leak; nothing else is needed.
   * @returns whether it was a key of ours, live or not
   */
  async reportLeak(text: string, where: string): Promise<boolean> {
    const parsed = parseKey(text)
    if (parsed === undefined || parsed.prefix !== this.#prefix) return false
    const row = await this.#row(parsed.id)
    if (row === undefined || !equalText(row.hash, this.#options.secret.mac('api-key', text))) return false
    if (await this.#revoke(row.id, 'leaked'))
      this.#emit('key.leaked', readApiKey(row), { where: where.slice(0, 500) })
    return true
  }

  async #row(id: string): Promise<ApiKeyRow | undefined> {
    return (await this.#options.database.rows<ApiKeyRow>(API_KEY_SQL.byId, [id]))[0]
  }

  async #owned(id: string, authority: KeyAuthority): Promise<ApiKey | undefined> {
    const row = await this.#row(id)
    if (row === undefined || !isLive(row, this.#clock.now())) return undefined
    const isAllowed =
      authority === 'operator' ||
      (authority.kind === row.ownerKind && authority.id !== '' && authority.id === row.ownerId)
    return isAllowed ? readApiKey(row) : undefined
  }

  async #revoke(id: string, why: string): Promise<boolean> {
    return this.#options.database.batch([
      { text: API_KEY_SQL.revoke, values: [id, this.#clock.now(), why.slice(0, 200)], expect: 1 },
    ])
  }

  #networksOf(text: string): CidrSet {
    let set = this.#networks.get(text)
    if (set === undefined) {
      if (this.#networks.size >= 1_000) this.#networks.clear()
      set = CidrSet.parse(text.split(' '))
      this.#networks.set(text, set)
    }
    return set
  }

  async #noteUse(key: ApiKey, now: number): Promise<void> {
    if (now - (this.#used.get(key.id) ?? key.usedAt ?? Number.NEGATIVE_INFINITY) < USED_EVERY_MS) return
    if (this.#used.size >= 10_000) this.#used.clear()
    this.#used.set(key.id, now)
    await this.#options.database.batch([{ text: API_KEY_SQL.used, values: [key.id, now] }])
  }

  #emit(type: string, key: ApiKey, data: Readonly<Record<string, string>> = {}): void {
    this.#options.emit?.({
      type,
      time: this.#clock.now(),
      actor: { principal: key.owner.id },
      data: { key: key.id, environment: key.environment, ...data },
    })
  }
}

function tooMany(most: number): ConfigError {
  return new ConfigError({
    place: 'keys',
    problem: `this owner already has ${most} live keys`,
    hint: 'revoke one first',
  })
}

function isLive(row: ApiKeyRow, now: number): boolean {
  return row.revokedAt === null && (row.expiresAt === null || row.expiresAt > now)
}

/** Whether somebody's own credential lacks a scope of the key. */
function isNarrower(authority: KeyAuthority, { scopes }: ApiKey): boolean {
  if (authority === 'operator' || authority.scopes === undefined) return false
  return scopes.some(scope => authority.scopes?.includes(scope) !== true)
}
