const COLUMNS = `id, account_id AS "accountId", public_key AS "publicKey", counter, transports, name, created_at AS "createdAt", used_at AS "usedAt"`

/** Statements over `passkey`, the same in both dialects. */
export const PASSKEY_SQL: Readonly<
  Record<'insert' | 'find' | 'list' | 'used' | 'remove' | 'removeAll', string>
> = {
  insert: `INSERT INTO passkey (id, account_id, public_key, counter, transports, name, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
  find: `SELECT ${COLUMNS} FROM passkey WHERE id = $1`,
  list: `SELECT ${COLUMNS} FROM passkey WHERE account_id = $1 ORDER BY created_at LIMIT 100`,
  used: 'UPDATE passkey SET counter = $2, used_at = $3 WHERE id = $1 AND (counter < $2 OR (counter = 0 AND $2 = 0))',
  remove: 'DELETE FROM passkey WHERE id = $1 AND account_id = $2',
  removeAll: 'DELETE FROM passkey WHERE account_id = $1 RETURNING id',
}
