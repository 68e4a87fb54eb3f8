const COLUMNS = `id, environment, hash, owner_kind AS "ownerKind", owner_id AS "ownerId", tenant, name, scopes, networks,
  limit_count AS "limitCount", limit_window AS "limitWindow", created_at AS "createdAt", created_by AS "createdBy", expires_at AS "expiresAt", used_at AS "usedAt",
  revoked_at AS "revokedAt", revoked_why AS "revokedWhy", replaced_by AS "replacedBy"`

/** What counts comes first, so that no number of revoked keys can hide one that does. */
const liveFirst = (now: string): string =>
  `ORDER BY CASE WHEN revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ${now}) THEN 0 ELSE 1 END, created_at DESC, id`

/** Statements over `api_key`, the same in both dialects. */
export const API_KEY_SQL: Readonly<
  Record<
    | 'insert'
    | 'byId'
    | 'inForce'
    | 'byOwner'
    | 'all'
    | 'countLive'
    | 'revoke'
    | 'revokeOwner'
    | 'replace'
    | 'used',
    string
  >
> = {
  insert: `INSERT INTO api_key (id, environment, hash, owner_kind, owner_id, tenant, name, scopes, networks, limit_count, limit_window, created_at, created_by, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
  byId: `SELECT ${COLUMNS} FROM api_key WHERE id = $1`,
  // What an account that is disabled, or left the organisation of the key, has is not in force.
  inForce: `SELECT ${COLUMNS} FROM api_key k WHERE k.id = $1 AND NOT (k.owner_kind = 'user' AND (
      EXISTS (SELECT 1 FROM account a WHERE a.id = k.owner_id AND a.disabled_at IS NOT NULL)
      OR EXISTS (SELECT 1 FROM organisation o WHERE o.id = k.tenant
        AND NOT EXISTS (SELECT 1 FROM membership m WHERE m.organisation_id = o.id AND m.account_id = k.owner_id))))`,
  byOwner: `SELECT ${COLUMNS} FROM api_key WHERE owner_kind = $1 AND owner_id = $2 ${liveFirst('$3')} LIMIT 1000`,
  all: `SELECT ${COLUMNS} FROM api_key ${liveFirst('$2')} LIMIT $1`,
  countLive: `SELECT count(*) AS "count" FROM api_key WHERE owner_kind = $1 AND owner_id = $2 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $3)`,
  revoke: 'UPDATE api_key SET revoked_at = $2, revoked_why = $3 WHERE id = $1 AND revoked_at IS NULL',
  revokeOwner:
    'UPDATE api_key SET revoked_at = $3, revoked_why = $4 WHERE owner_kind = $1 AND owner_id = $2 AND revoked_at IS NULL RETURNING id',
  replace: `UPDATE api_key SET replaced_by = $2, expires_at = CASE WHEN expires_at IS NULL OR expires_at > $3 THEN $3 ELSE expires_at END
    WHERE id = $1 AND replaced_by IS NULL AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $4)`,
  used: 'UPDATE api_key SET used_at = $2 WHERE id = $1',
}
