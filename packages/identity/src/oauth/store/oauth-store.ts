import type { Clock } from '@postern/core'
import type { Adapter, AdapterPayload } from 'oidc-provider'
import { CountNowAndThen } from '../../database/count-now-and-then.ts'
import type { IdentityDatabase, SqlValue, Step } from '../../database/identity-database.ts'
import { IdentitySecret, tokenHash } from '../../database/identity-secret.ts'
import { AHEAD, faultOf, MAX_USED_OF_NETWORK, mostOf, type OauthRefusal, USED } from './oauth-bounds.ts'

type Statement =
  | 'upsert'
  | 'find'
  | 'byUserCode'
  | 'byUid'
  | 'consume'
  | 'lost'
  | 'lostGrant'
  | 'destroy'
  | 'revokeGrant'
  | 'revokeAccount'
  | 'grants'
  | 'revokeOwn'
  | 'prune'
  | 'useOnce'
  | 'evict'
  | 'live'
  | 'kept'
  | 'busy'

const FOUND = 'SELECT id, payload, consumed_at AS "consumedAt" FROM oauth_record'

/** Statements over `oauth_record`, the same in both dialects. */
const SQL: Readonly<Record<Statement, string>> = {
  // A token of a grant that was revoked while it was being made is not kept: it would hold until its end.
  upsert: `INSERT INTO oauth_record (model, id, payload, grant_id, user_code, uid, account_id, expires_at, network)
    SELECT CAST($1 AS TEXT), $2, $3, CAST($4 AS TEXT), $5, $6, $7, CAST($8 AS BIGINT), $9
    WHERE CAST($1 AS TEXT) NOT IN ('AccessToken', 'RefreshToken') OR CAST($4 AS TEXT) IS NULL
      OR EXISTS (SELECT 1 FROM oauth_record AS own WHERE own.model = 'Grant' AND own.id = CAST($4 AS TEXT))
    ON CONFLICT (model, id) DO UPDATE SET payload = excluded.payload, grant_id = excluded.grant_id, user_code = excluded.user_code,
      uid = excluded.uid, account_id = excluded.account_id, expires_at = excluded.expires_at`,
  // Nor is such a token found, if the database let it be written while another transaction revoked its grant.
  find: `${FOUND} WHERE model = $1 AND id = $2 AND (expires_at IS NULL OR expires_at > $3)
    AND (model NOT IN ('AccessToken', 'RefreshToken') OR grant_id IS NULL
      OR EXISTS (SELECT 1 FROM oauth_record AS own WHERE own.model = 'Grant' AND own.id = oauth_record.grant_id))`,
  byUserCode: `${FOUND} WHERE model = $1 AND user_code = $2 AND (expires_at IS NULL OR expires_at > $3)`,
  byUid: `${FOUND} WHERE model = $1 AND uid = $2 AND (expires_at IS NULL OR expires_at > $3)`,
  consume: 'UPDATE oauth_record SET consumed_at = $3 WHERE model = $1 AND id = $2 AND consumed_at IS NULL',
  lost: `DELETE FROM oauth_record WHERE grant_id IN (SELECT grant_id FROM oauth_record WHERE model = $1 AND id = $2 AND grant_id IS NOT NULL)
    RETURNING model, id, payload`,
  lostGrant: 'DELETE FROM oauth_record WHERE grant_id = $1 RETURNING model, id, payload',
  destroy: 'DELETE FROM oauth_record WHERE model = $1 AND id = $2',
  revokeGrant: 'DELETE FROM oauth_record WHERE grant_id = $1',
  revokeAccount: 'DELETE FROM oauth_record WHERE account_id = $1',
  grants: `${FOUND} WHERE model = 'Grant' AND account_id = $1 AND (expires_at IS NULL OR expires_at > $2) ORDER BY expires_at DESC LIMIT 200`,
  revokeOwn: `DELETE FROM oauth_record WHERE grant_id = $1
    AND EXISTS (SELECT 1 FROM oauth_record AS own WHERE own.model = 'Grant' AND own.id = $1 AND own.account_id = $2)`,
  prune: 'DELETE FROM oauth_record WHERE expires_at <= $1',
  // One statement: of two instances that are sent the same proof at once, one adds it.
  useOnce: `INSERT INTO oauth_record (model, id, payload, expires_at, network)
    VALUES (CAST($1 AS TEXT), $2, $3, CAST($4 AS BIGINT), $6)
    ON CONFLICT (model, id) DO UPDATE
    SET payload = excluded.payload, expires_at = excluded.expires_at, network = excluded.network
    WHERE oauth_record.expires_at <= CAST($5 AS BIGINT)`,
  // The newest of each network stay, then the second newest of each, and so on, as many as there is room for.
  evict: `DELETE FROM oauth_record WHERE model = $1 AND id IN (SELECT id FROM
    (SELECT id, expires_at, ROW_NUMBER() OVER (PARTITION BY network ORDER BY expires_at DESC) AS place
      FROM oauth_record WHERE model = $1) AS placed
    ORDER BY place, expires_at DESC LIMIT 1000000 OFFSET $2)`,
  live: 'SELECT COUNT(*) AS "count" FROM oauth_record WHERE model = $1 AND expires_at > $2',
  kept: 'SELECT COUNT(*) AS "count" FROM oauth_record WHERE model = $1',
  busy: `SELECT network FROM oauth_record WHERE model = $1 AND expires_at > $2 AND network IS NOT NULL
    GROUP BY network HAVING COUNT(*) >= $3`,
}

interface Row {
  readonly id: string
  readonly payload: string
  readonly consumedAt: number | null
}

/** Whose grant ended because a code or token of it was used twice, and which client had it. */
export interface ReplayedGrant {
  readonly accountId: string
  readonly clientId: string
}

/** What was allowed a program, by the hash of its id: it can name a grant, and use none. */
export interface StoredGrant {
  readonly id: string
  readonly payload: AdapterPayload
}

/** A refresh token that takes the place of another. */
export interface NextToken {
  readonly id: string
  readonly payload: AdapterPayload
  readonly expiresIn: number | undefined
}

/** What a store is made of. */
export interface StoreParts {
  readonly database: IdentityDatabase
  readonly secret: IdentitySecret
  readonly clock: Clock
  /** The network of the client that is being answered (`networkOf`). Default: not known, one for all. */
  readonly network?: () => string | undefined
}

const PRUNE_EVERY_MS = 600_000
/** Records of which token took the place of another, for as long as the other is answered again. */
const SUCCESSOR = 'RefreshSuccessor'

/**
 * The storage adapter of the OAuth server. Identifiers of records are the tokens themselves, so only their
 * SHA-256 is stored, and payloads are sealed: a copy of the database holds no token that works. Consuming is
 * one statement that one caller wins; who loses has replayed a code or token, and everything that came of its
 * grant is revoked (RFC 6749 section 4.1.2, RFC 9700 section 4.14.2). What anybody can make without proving
 * anything is bounded in number and size, and no network takes the place of another.
 */
export class OauthStore {
  readonly #database: IdentityDatabase
  readonly #secret: IdentitySecret
  readonly #clock: Clock
  readonly #refusal: (why: OauthRefusal) => Error
  readonly #onReplay: (grant: ReplayedGrant) => void
  readonly #graceMs: number
  readonly #counts = new CountNowAndThen()
  readonly #network: () => string | undefined
  /** Whether there were too many used proofs when they were last counted. */
  #isFull = false
  /** Networks of which there were too many then. */
  #busy: ReadonlySet<string> = new Set()
  #prunedAt: number

  /**
   * @param refusal what to throw at who loses a race, or asks for too much: an error of the server
   * @param onReplay called once for each grant that ends because something of it was used twice
   * @param graceMs how long a refresh token that was replaced is answered with its successor. Default: never
   */
  constructor(
    parts: StoreParts,
    refusal: (why: OauthRefusal) => Error,
    onReplay: (grant: ReplayedGrant) => void = () => {},
    graceMs: number = 0,
  ) {
    this.#graceMs = graceMs
    this.#onReplay = onReplay
    this.#database = parts.database
    this.#secret = parts.secret
    this.#clock = parts.clock
    this.#network = parts.network ?? (() => undefined)
    this.#refusal = refusal
    this.#prunedAt = parts.clock.now()
  }

  /** The adapter of one model. */
  adapter(model: string): Adapter {
    return {
      upsert: (id, payload, expiresIn) => this.#upsert(model, id, payload, expiresIn),
      find: id => this.#first(model, SQL.find, tokenHash(id)),
      findByUserCode: code => this.#first(model, SQL.byUserCode, tokenHash(code)),
      findByUid: uid => this.#first(model, SQL.byUid, tokenHash(uid)),
      consume: id => this.#consume(model, id),
      destroy: async id => {
        await this.#database.batch([{ text: SQL.destroy, values: [model, tokenHash(id)] }])
      },
      revokeByGrantId: async grantId => {
        await this.#database.batch([{ text: SQL.revokeGrant, values: [tokenHash(grantId)] }])
      },
    }
  }

  /** What an account allowed programs, newest first, at most 200. */
  async grants(accountId: string): Promise<readonly StoredGrant[]> {
    const rows = await this.#database.rows<Row>(SQL.grants, [accountId, this.#clock.now()])
    return rows.map(({ id, payload }) => ({
      id,
      payload: JSON.parse(this.#secret.open(`oauth:Grant:${id}`, payload)) as AdapterPayload,
    }))
  }

  /** Revokes one grant of an account, with every token that came of it; nothing of anybody else. */
  async revoke(accountId: string, id: string): Promise<void> {
    await this.#database.batch([{ text: SQL.revokeOwn, values: [id, accountId] }])
  }

  async #upsert(
    model: string,
    id: string,
    payload: AdapterPayload,
    expiresIn: number | undefined,
  ): Promise<void> {
    const now = this.#clock.now()
    const hash = tokenHash(id)
    const text = JSON.stringify(payload)
    const fault = faultOf(model, text, expiresIn)
    if (fault !== undefined) throw this.#refusal(fault)
    if (this.#counts.take(model)) await this.#makeRoom(model, now)
    const sealed = this.#secret.seal(`oauth:${model}:${hash}`, text)
    const expiresAt = endOf(model === USED ? now + AHEAD : now, expiresIn)
    const network = this.#networkMark()
    if (model === USED) await this.#use([model, hash, sealed, expiresAt, now, network])
    else await this.#database.batch([keep({ model, id, payload, sealed, expiresAt, network })])
    await this.#prune(now)
  }

  async #prune(now: number): Promise<void> {
    if (now - this.#prunedAt < PRUNE_EVERY_MS) return
    this.#prunedAt = now
    await this.#database.batch([{ text: SQL.prune, values: [now] }])
  }

  /**
   * Replaces a refresh token by another, in one transaction. Of several that replace one at once, one stands.
   * @returns the id of the token that replaced it
   * @throws the refusal when the old one was replaced longer ago than it is answered again, or its successor
   *   was used: everything of its grant is revoked
   */
  async rotate(old: string, { id, payload, expiresIn }: NextToken): Promise<string> {
    const now = this.#clock.now()
    const sealed = this.#secret.seal(`oauth:RefreshToken:${tokenHash(id)}`, JSON.stringify(payload))
    const steps: Step[] = [
      { text: SQL.consume, values: ['RefreshToken', tokenHash(old), now], expect: 1 },
      keep({ model: 'RefreshToken', id, payload, sealed, expiresAt: endOf(now, expiresIn) }),
    ]
    if (this.#graceMs > 0) {
      const next = this.#successorSecret(old).seal(SUCCESSOR, id)
      steps.push(keep({ model: SUCCESSOR, id: old, payload, sealed: next, expiresAt: now + this.#graceMs }))
    }
    if (!(await this.#database.batch(steps))) {
      const stands = await this.successor(old)
      if (stands !== undefined) return stands
      await this.replayed('RefreshToken', old)
      throw this.#refusal('replayed')
    }
    await this.#prune(now)
    return id
  }

  /**
   * The refresh token that replaced another a moment ago; undefined when that was longer ago, or when it was
   * used itself, or is gone.
   */
  async successor(old: string): Promise<string | undefined> {
    const values = [SUCCESSOR, tokenHash(old), this.#clock.now()]
    const [row] = await this.#database.rows<Row>(SQL.find, values)
    if (row === undefined) return undefined
    const id = this.#successorSecret(old).open(SUCCESSOR, row.payload)
    const payload = await this.#first('RefreshToken', SQL.find, tokenHash(id))
    return payload === undefined || payload.consumed !== undefined ? undefined : id
  }

  /** The old token opens the new one: the database and the secret without it hold none that works. */
  #successorSecret(old: string): IdentitySecret {
    return new IdentitySecret(this.#secret.mac(SUCCESSOR, old))
  }

  /** Tells networks apart in the database, which does not say which they are. */
  #networkMark(): string | null {
    const network = this.#network()
    return network === undefined ? null : this.#secret.mac('oauth-network', network)
  }

  /** Keeps the use of a proof or an assertion. @throws the refusal at whoever used it already */
  async #use(values: UseOnce): Promise<void> {
    const network = values[5]
    if (this.#isFull || (network !== null && this.#busy.has(network))) throw this.#refusal('full')
    const isFirst = await this.#database.batch([{ text: SQL.useOnce, values, expect: 1 }])
    if (!isFirst) throw this.#refusal('replayed')
  }

  async #makeRoom(model: string, now: number): Promise<void> {
    const most = mostOf(model)
    if (most === undefined) return
    if (model !== USED) {
      if ((await this.#count(SQL.kept, [model])) > most) await this.#evict(model, most)
      return
    }
    this.#isFull = (await this.#count(SQL.live, [model, now])) >= most
    const busy = await this.#database.rows<{ readonly network: string }>(SQL.busy, [
      ...[model, now, MAX_USED_OF_NETWORK],
    ])
    this.#busy = new Set(busy.map(({ network }) => network))
  }

  /** To place them takes a part of a second, so more go than have to: the next hundreds need none of it. */
  async #evict(model: string, most: number): Promise<void> {
    const step = { text: SQL.evict, values: [model, Math.floor(most * 0.9)] }
    // PostgreSQL takes a flood for a few records until it has counted them, and would compare each with each.
    const hashed = { text: 'SET LOCAL enable_nestloop = off', values: [] }
    await this.#database.batch(this.#database.dialect === 'postgres' ? [hashed, step] : [step])
  }

  async #count(text: string, values: readonly SqlValue[]): Promise<number> {
    const [row] = await this.#database.rows<{ readonly count: number | string }>(text, values)
    return Number(row?.count ?? 0)
  }

  async #first(model: string, text: string, hash: string): Promise<AdapterPayload | undefined> {
    const [row] = await this.#database.rows<Row>(text, [model, hash, this.#clock.now()])
    if (row === undefined) return undefined
    const payload: AdapterPayload = JSON.parse(this.#secret.open(`oauth:${model}:${row.id}`, row.payload))
    return row.consumedAt === null ? payload : { ...payload, consumed: Math.floor(row.consumedAt / 1_000) }
  }

  async #consume(model: string, id: string): Promise<void> {
    const hash = tokenHash(id)
    const won = await this.#database.batch([
      { text: SQL.consume, values: [model, hash, this.#clock.now()], expect: 1 },
    ])
    if (won) return
    await this.replayed(model, id)
    throw this.#refusal('replayed')
  }

  /** Revokes everything of the grant of a code or token that was used twice. */
  replayed(model: string, id: string): Promise<void> {
    return this.#endReplayed(SQL.lost, [model, tokenHash(id)])
  }

  /** The same for a grant by its id, when the token is gone already. */
  replayedGrant(grantId: string): Promise<void> {
    return this.#endReplayed(SQL.lostGrant, [tokenHash(grantId)])
  }

  async #endReplayed(text: string, values: readonly string[]): Promise<void> {
    const gone = await this.#database.rows<Row & { readonly model: string }>(text, values)
    // Whoever removes the grant itself tells of it: of many replays at once, one.
    const grant = gone.find(row => row.model === 'Grant')
    if (grant === undefined) return
    const { accountId = '', clientId = '' }: AdapterPayload = JSON.parse(
      this.#secret.open(`oauth:Grant:${grant.id}`, grant.payload),
    )
    this.#onReplay({ accountId, clientId })
  }
}

/** The values of `useOnce`: model, hash, payload, end, now, network. */
type UseOnce = readonly [string, string, string, number | null, number, string | null]

/** Epoch milliseconds. */
function endOf(now: number, expiresIn: number | undefined): number | null {
  return expiresIn === undefined ? null : now + expiresIn * 1_000
}

/** Writes down one record. */
function keep(record: {
  readonly model: string
  readonly id: string
  readonly payload: AdapterPayload
  readonly sealed: string
  readonly expiresAt: number | null
  readonly network?: string | null
}): Step {
  const { model, id, payload, sealed, expiresAt, network = null } = record
  const { grantId, userCode, uid, accountId } = payload
  // A grant ends with everything that came of it, so it is a member of itself.
  const grant = model === 'Grant' ? id : grantId
  const optional = [grant, userCode, uid].map(value => (value === undefined ? null : tokenHash(value)))
  const values: readonly SqlValue[] = [
    ...[model, tokenHash(id), sealed],
    ...optional,
    ...[accountId ?? null, expiresAt, network],
  ]
  return { text: SQL.upsert, values }
}

/**
 * Revokes everything that was granted to programs in the name of an account: after a
 * compromise, or when it is deleted.
 */
export async function revokeGrants(database: IdentityDatabase, accountId: string): Promise<void> {
  await database.batch([{ text: SQL.revokeAccount, values: [accountId] }])
}
