import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  sign,
} from 'node:crypto'
import type { RandomSource } from '@postern/core'
import { type Clock, type Exchange, type Principal, parseDuration } from '@postern/core'
import type { Account } from '../account/account.ts'
import type { Accounts } from '../account/accounts.ts'
import type { IdentityDatabase } from '../database/identity-database.ts'
import { freshId, type IdentitySecret } from '../database/identity-secret.ts'

export interface BackendTokenOptions {
  /** `aud` of the token. Default: the origin. */
  readonly audience?: string
  /** Header that carries it. Default `x-identity-jwt`. */
  readonly header?: string
  /** How long one is good. Default `60s`. */
  readonly lifetime?: string
  /**
   * What it says of a person besides: `email` (with `email_verified`), `name`, as in OpenID Connect.
   * Default: nothing.
   */
  readonly claims?: readonly PersonClaim[]
}

/** A claim about a person (OpenID Connect Core section 5.1). */
export type PersonClaim = 'email' | 'name'

interface SigningKey {
  readonly kid: string
  readonly key: KeyObject
}

const SQL: Readonly<Record<'insert' | 'newest' | 'public', string>> = {
  insert: 'INSERT INTO signing_key (kid, purpose, sealed, public, created_at) VALUES ($1, $2, $3, $4, $5)',
  newest: 'SELECT kid, sealed FROM signing_key WHERE purpose = $1 ORDER BY created_at DESC, kid LIMIT 1',
  public: 'SELECT public FROM signing_key WHERE purpose = $1 ORDER BY created_at DESC LIMIT 10',
}
const PURPOSE = 'backend'
/** Tokens kept for a principal that sends many requests. */
const KEPT = 10_000

/**
 * Tells the backend who acts by a short JWT (Ed25519, RFC 8037) in a header. What a client sends under that
 * name never gets through: the header is replaced, or taken out where nobody is signed in.
 */
export class BackendTokens {
  readonly header: string
  readonly #database: IdentityDatabase
  readonly #issuer: string
  readonly #audience: string
  readonly #lifetime: number
  readonly #claims: readonly PersonClaim[]
  readonly #accounts: Pick<Accounts, 'byId'>
  readonly #clock: Clock
  readonly #signing: SigningKey
  readonly #kept = new Map<string, { readonly token: string; readonly until: number }>()

  private constructor(
    parts: {
      readonly database: IdentityDatabase
      readonly accounts: Pick<Accounts, 'byId'>
      readonly clock: Clock
      readonly origin: string
    },
    options: BackendTokenOptions,
    signing: SigningKey,
  ) {
    this.header = options.header ?? 'x-identity-jwt'
    this.#database = parts.database
    this.#issuer = parts.origin
    this.#audience = options.audience ?? parts.origin
    this.#lifetime = parseDuration(options.lifetime ?? '60s', 'identity.backend.lifetime')
    this.#claims = options.claims ?? []
    this.#accounts = parts.accounts
    this.#clock = parts.clock
    this.#signing = signing
  }

  /**
   * Loads the signing key, or makes one; processes that start at once may make one
   * each, and both are published.
   */
  static async open(
    parts: {
      readonly database: IdentityDatabase
      readonly accounts: Pick<Accounts, 'byId'>
      readonly clock: Clock
      readonly random: RandomSource
      readonly secret: IdentitySecret
      readonly origin: string
    },
    options: BackendTokenOptions,
  ): Promise<BackendTokens> {
    const { database, secret, clock } = parts
    const [known] = await database.rows<{ kid: string; sealed: string }>(SQL.newest, [PURPOSE])
    if (known !== undefined) {
      const jwk: JsonWebKey = JSON.parse(secret.open(`signing-key:${known.kid}`, known.sealed))
      return new BackendTokens(parts, options, {
        kid: known.kid,
        key: createPrivateKey({ key: jwk, format: 'jwk' }),
      })
    }
    const { privateKey } = generateKeyPairSync('ed25519')
    const kid = freshId(parts.random)
    const sealed = secret.seal(`signing-key:${kid}`, JSON.stringify(privateKey.export({ format: 'jwk' })))
    const open = JSON.stringify({
      ...createPublicKey(privateKey).export({ format: 'jwk' }),
      kid,
      alg: 'EdDSA',
      use: 'sig',
    })
    await database.batch([{ text: SQL.insert, values: [kid, PURPOSE, sealed, open, clock.now()], expect: 1 }])
    return new BackendTokens(parts, options, { kid, key: privateKey })
  }

  /**
   * Puts the token of the exchange's principal into the request, and takes out whatever was there. Answers
   * at once unless a person's name or address must be looked up.
   */
  apply(exchange: Exchange): undefined | Promise<undefined> {
    const { principal } = exchange
    if (principal.kind === 'anonymous') {
      if (exchange.header(this.header) !== undefined) exchange.setRequestHeader(this.header, undefined)
      return undefined
    }
    const id = JSON.stringify(principal)
    const kept = this.#kept.get(id)
    if (kept !== undefined && kept.until > this.#clock.now()) {
      exchange.setRequestHeader(this.header, kept.token)
      return undefined
    }
    if (this.#claims.length > 0 && principal.kind === 'user')
      return this.#accounts.byId(principal.id).then(account => {
        exchange.setRequestHeader(this.header, this.#issue(id, principal, account))
        return undefined
      })
    exchange.setRequestHeader(this.header, this.#issue(id, principal, undefined))
    return undefined
  }

  /** A token for a principal; the same one again for as long as half of its time is left. */
  async token(principal: Principal): Promise<string> {
    const id = JSON.stringify(principal)
    const kept = this.#kept.get(id)
    if (kept !== undefined && kept.until > this.#clock.now()) return kept.token
    const isPerson = this.#claims.length > 0 && principal.kind === 'user'
    return this.#issue(id, principal, isPerson ? await this.#accounts.byId(principal.id) : undefined)
  }

  #issue(id: string, principal: Principal, account: Account | undefined): string {
    const now = this.#clock.now()
    const seconds = Math.floor(now / 1_000)
    const claims = {
      iss: this.#issuer,
      aud: this.#audience,
      sub: principal.id,
      kind: principal.kind,
      iat: seconds,
      exp: seconds + Math.ceil(this.#lifetime / 1_000),
      ...(principal.tenant !== undefined && { tenant: principal.tenant }),
      ...(principal.roles !== undefined && { roles: principal.roles }),
      ...(principal.scopes !== undefined && { scope: principal.scopes.join(' ') }),
      ...(principal.amr !== undefined && { amr: principal.amr }),
      ...(principal.authenticatedAt !== undefined && {
        auth_time: Math.floor(principal.authenticatedAt / 1_000),
      }),
      ...(principal.actor !== undefined && { act: { sub: principal.actor } }),
      ...(account !== undefined && this.#personClaims(account)),
    }
    const head = encode({ alg: 'EdDSA', typ: 'postern-identity+jwt', kid: this.#signing.kid })
    const body = `${head}.${encode(claims)}`
    const token = `${body}.${sign(null, Buffer.from(body), this.#signing.key).toString('base64url')}`
    if (this.#kept.size >= KEPT) this.#kept.clear()
    this.#kept.set(id, { token, until: now + this.#lifetime / 2 })
    return token
  }

  #personClaims({ email, emailVerifiedAt, name }: Account): object {
    return {
      ...(this.#claims.includes('email') && { email, email_verified: emailVerifiedAt !== undefined }),
      ...(this.#claims.includes('name') && { name }),
    }
  }

  /** The public keys (RFC 7517 section 5), newest first. */
  async jwks(): Promise<{ readonly keys: readonly object[] }> {
    const rows = await this.#database.rows<{ public: string }>(SQL.public, [PURPOSE])
    return { keys: rows.map(({ public: text }): object => JSON.parse(text)) }
  }
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
