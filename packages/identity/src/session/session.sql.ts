const COLUMNS = `s.id, s.account_id AS "accountId", s.impersonator, s.organisation_id AS "organisationId", m.roles,
  a.roles AS "siteRoles", s.seen_at AS "seenAt", s.expires_at AS "expiresAt", s.authenticated_at AS "authenticatedAt", s.amr`
const ALL_COLUMNS = `${COLUMNS}, s.created_at AS "createdAt", s.idle_until AS "idleUntil", s.address, s.agent`
const LIVE = `FROM session s
  JOIN account a ON a.id = s.account_id AND a.disabled_at IS NULL
  LEFT JOIN membership m ON m.organisation_id = s.organisation_id AND m.account_id = s.account_id`

/**
 * Statements over `session`, the same in both dialects. Roles and the state of the account are read with
 * every request: there is no cache to be stale.
 */
export const SESSION_SQL: Readonly<
  Record<
    | 'insert'
    | 'find'
    | 'list'
    | 'touch'
    | 'rotate'
    | 'enter'
    | 'revoke'
    | 'revokeHash'
    | 'revokeAll'
    | 'listAll'
    | 'prune'
    | 'trim'
    | 'standing',
    string
  >
> = {
  insert: `INSERT INTO session (hash, id, account_id, impersonator, organisation_id, created_at, seen_at, idle_until, expires_at, authenticated_at, amr, address, agent)
    VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8, $9, $10, $11, $12)`,
  find: `SELECT ${COLUMNS} ${LIVE} WHERE s.hash = $1 AND s.expires_at > $2 AND s.idle_until > $2`,
  list: `SELECT ${ALL_COLUMNS} ${LIVE} WHERE s.account_id = $1 AND s.expires_at > $2 AND s.idle_until > $2 ORDER BY s.seen_at DESC LIMIT 200`,
  listAll: `SELECT ${ALL_COLUMNS} ${LIVE} WHERE s.expires_at > $1 AND s.idle_until > $1 ORDER BY s.seen_at DESC LIMIT $2`,
  touch: 'UPDATE session SET seen_at = $2, idle_until = $3, address = $4 WHERE hash = $1',
  rotate: 'UPDATE session SET hash = $2, authenticated_at = $3, amr = $4 WHERE hash = $1',
  enter: `UPDATE session SET organisation_id = $3 WHERE id = $1 AND account_id = $2
    AND EXISTS (SELECT 1 FROM membership WHERE organisation_id = $3 AND account_id = $2)`,
  revoke: 'DELETE FROM session WHERE id = $1 AND account_id = $2',
  revokeHash: 'DELETE FROM session WHERE hash = $1',
  revokeAll: 'DELETE FROM session WHERE account_id = $1 AND id <> $2 RETURNING id',
  trim: `DELETE FROM session WHERE account_id = $1 AND id NOT IN
    (SELECT id FROM session WHERE account_id = $1 ORDER BY created_at DESC, id LIMIT 100)`,
  // For sessions that are kept elsewhere.
  standing: `SELECT m.roles, a.roles AS "siteRoles" FROM account a
    LEFT JOIN membership m ON m.organisation_id = $2 AND m.account_id = a.id
    WHERE a.id = $1 AND a.disabled_at IS NULL`,
  prune: 'DELETE FROM session WHERE expires_at <= $1 OR idle_until <= $1',
}
