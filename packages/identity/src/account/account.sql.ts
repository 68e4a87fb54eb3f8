const COLUMNS = `id, email, email_verified_at AS "emailVerifiedAt", name, locale, roles, password_hash AS "passwordHash",
  password_changed_at AS "passwordChangedAt", created_at AS "createdAt", disabled_at AS "disabledAt"`

/** Nobody changed the address or the password since the account was read. */
const AS_READ = 'email = $4 AND password_changed_at IS NOT DISTINCT FROM $5'

type Name =
  | 'insert'
  | 'byId'
  | 'byEmail'
  | 'list'
  | 'search'
  | 'setPassword'
  | 'upgradePassword'
  | 'setEmail'
  | 'setName'
  | 'setRoles'
  | 'disable'
  | 'enable'
  | 'remove'
  | 'rightsChange'
  | 'rightsChangedAt'
  | 'pruneRightsChanges'
  | 'keepEmail'
  | 'dropEmails'
  | 'formerEmails'
  | 'names'
  | 'externalInsert'
  | 'externalFind'
  | 'externalList'
  | 'externalRemove'
  | 'externalRemoveAll'

/** Statements over `account` and `external_login`, the same in both dialects. */
export const ACCOUNT_SQL: Readonly<Record<Name, string>> = {
  insert: `INSERT INTO account (id, email, email_verified_at, name, locale, password_hash, password_changed_at, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (email) DO NOTHING`,
  byId: `SELECT ${COLUMNS} FROM account WHERE id = $1`,
  byEmail: `SELECT ${COLUMNS} FROM account WHERE email = $1`,
  list: `SELECT ${COLUMNS} FROM account ORDER BY created_at DESC, id LIMIT $1`,
  // $2 as it was typed, $3 in small letters: SQLite knows those of ASCII only.
  search: `SELECT ${COLUMNS} FROM account WHERE id LIKE $2 ESCAPE '!' OR email LIKE $3 ESCAPE '!' OR name LIKE $2 ESCAPE '!' OR lower(name) LIKE $3 ESCAPE '!'
    ORDER BY created_at DESC, id LIMIT $1`,
  // Never the same time twice: it tells one password from the next.
  setPassword: `UPDATE account SET password_hash = $2,
    password_changed_at = CASE WHEN password_changed_at >= $3 THEN password_changed_at + 1 ELSE $3 END
    WHERE id = $1 AND ${AS_READ} AND disabled_at IS NULL`,
  upgradePassword: 'UPDATE account SET password_hash = $3 WHERE id = $1 AND password_hash = $2',
  setEmail: `UPDATE account SET email = $2, email_verified_at = $3
    WHERE id = $1 AND ${AS_READ} AND disabled_at IS NULL`,
  setName: 'UPDATE account SET name = $2, locale = $3 WHERE id = $1',
  setRoles: 'UPDATE account SET roles = $2 WHERE id = $1 AND roles <> $2',
  disable: 'UPDATE account SET disabled_at = $2 WHERE id = $1 AND disabled_at IS NULL',
  enable: 'UPDATE account SET disabled_at = NULL WHERE id = $1',
  remove: 'DELETE FROM account WHERE id = $1',
  rightsChange: `INSERT INTO rights_change (account_id, changed_at) VALUES ($1, $2)
    ON CONFLICT (account_id) DO UPDATE SET changed_at = excluded.changed_at WHERE rights_change.changed_at < excluded.changed_at`,
  rightsChangedAt: 'SELECT changed_at AS "changedAt" FROM rights_change WHERE account_id = $1',
  pruneRightsChanges: 'DELETE FROM rights_change WHERE changed_at < $1',
  // Before the address goes.
  keepEmail: `INSERT INTO former_email (account_id, email) SELECT id, email FROM account WHERE id = $1
    ON CONFLICT (account_id, email) DO NOTHING`,
  dropEmails: `DELETE FROM former_email WHERE account_id = $1
    AND NOT EXISTS (SELECT 1 FROM api_key WHERE created_by = 'user:' || $1 AND revoked_at IS NULL)`,
  formerEmails: 'SELECT email FROM former_email WHERE account_id = $1 ORDER BY email',
  names: `WITH held AS (SELECT id FROM account WHERE id = $1 OR email = $2
      UNION SELECT account_id FROM former_email WHERE account_id = $1 OR email = $2)
    SELECT id AS "name" FROM held UNION SELECT email FROM account WHERE id IN (SELECT id FROM held)
    UNION SELECT email FROM former_email WHERE account_id IN (SELECT id FROM held)`,
  externalInsert: `INSERT INTO external_login (issuer, subject, account_id, created_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (issuer, subject) DO NOTHING`,
  externalFind: 'SELECT account_id AS "accountId" FROM external_login WHERE issuer = $1 AND subject = $2',
  externalList: 'SELECT issuer, subject, created_at AS "createdAt" FROM external_login WHERE account_id = $1',
  externalRemove: 'DELETE FROM external_login WHERE account_id = $1 AND issuer = $2 AND subject = $3',
  externalRemoveAll: 'DELETE FROM external_login WHERE account_id = $1',
}
