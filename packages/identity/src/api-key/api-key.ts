import type { Principal } from '@postern/core'

/** How often a key may be used. */
export interface KeyLimit {
  readonly count: number
  /** Milliseconds. */
  readonly window: number
}

/** What is known of a key; never the key itself. */
export interface ApiKey {
  readonly id: string
  readonly environment: string
  readonly owner: { readonly kind: 'user' | 'service'; readonly id: string }
  readonly tenant: string | undefined
  readonly name: string
  readonly scopes: readonly string[]
  /** Networks it may be used from; any when empty. */
  readonly networks: readonly string[]
  readonly limit: KeyLimit | undefined
  readonly createdAt: number
  /** Who made it for a service, `user:ann`, as far as that is known. */
  readonly createdBy: string | undefined
  readonly expiresAt: number | undefined
  /** To the minute. */
  readonly usedAt: number | undefined
  readonly revokedAt: number | undefined
  readonly revokedWhy: string | undefined
  /** The key it was rotated to; it still works until `expiresAt`. */
  readonly replacedBy: string | undefined
}

/** A row of `api_key`. */
export interface ApiKeyRow {
  readonly id: string
  readonly environment: string
  readonly hash: string
  readonly ownerKind: string
  readonly ownerId: string
  readonly tenant: string | null
  readonly name: string
  readonly scopes: string
  readonly networks: string
  readonly limitCount: number | null
  readonly limitWindow: number | null
  readonly createdAt: number
  readonly createdBy: string | null
  readonly expiresAt: number | null
  readonly usedAt: number | null
  readonly revokedAt: number | null
  readonly revokedWhy: string | null
  readonly replacedBy: string | null
}

/** The key a row describes. */
export function readApiKey(row: ApiKeyRow): ApiKey {
  return {
    id: row.id,
    environment: row.environment,
    owner: { kind: row.ownerKind === 'service' ? 'service' : 'user', id: row.ownerId },
    tenant: row.tenant ?? undefined,
    name: row.name,
    scopes: words(row.scopes),
    networks: words(row.networks),
    limit:
      row.limitCount === null || row.limitWindow === null
        ? undefined
        : { count: row.limitCount, window: row.limitWindow },
    createdAt: row.createdAt,
    createdBy: row.createdBy ?? undefined,
    expiresAt: row.expiresAt ?? undefined,
    usedAt: row.usedAt ?? undefined,
    revokedAt: row.revokedAt ?? undefined,
    revokedWhy: row.revokedWhy ?? undefined,
    replacedBy: row.replacedBy ?? undefined,
  }
}

function words(text: string): readonly string[] {
  return text === '' ? [] : text.split(' ')
}

/** The principal of a request that carries a key: the key itself, acting for its owner. */
export function principalOf(key: ApiKey): Principal {
  return {
    kind: 'apiKey',
    id: key.id,
    ...(key.tenant !== undefined && { tenant: key.tenant }),
    scopes: key.scopes,
    actor: `${key.owner.kind}:${key.owner.id}`,
    ...(key.createdBy !== undefined && { issuedBy: key.createdBy }),
    amr: ['swk'],
  }
}
