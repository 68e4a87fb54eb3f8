import type { Migration } from '@postern/store'

/** Name of the migrations of the revocation list in `postern_migrations`. */
export const REVOCATION_SET = 'revocation'

/** Times are epoch milliseconds. */
export const REVOCATION_MIGRATIONS: readonly Migration[] = [
  {
    id: 1,
    name: 'revocations',
    sqlite: `
      CREATE TABLE revocation (
        kind       TEXT NOT NULL,
        value      TEXT NOT NULL,
        revoked_at REAL NOT NULL,
        expires_at REAL NOT NULL,
        PRIMARY KEY (kind, value)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX revocation_age ON revocation (revoked_at);`,
    postgres: `
      CREATE TABLE revocation (
        kind       TEXT NOT NULL,
        value      TEXT NOT NULL,
        revoked_at DOUBLE PRECISION NOT NULL,
        expires_at DOUBLE PRECISION NOT NULL,
        PRIMARY KEY (kind, value)
      );
      CREATE INDEX revocation_age ON revocation (revoked_at);`,
  },
]

const COLUMNS = 'kind, value, revoked_at AS "revokedAt", expires_at AS "expiresAt"'

export const SQLITE_REVOCATION: Readonly<Record<'load' | 'put' | 'prune' | 'version', string>> = {
  load: `SELECT ${COLUMNS} FROM revocation WHERE expires_at > ? ORDER BY revoked_at DESC LIMIT ?`,
  put: `INSERT INTO revocation (kind, value, revoked_at, expires_at) VALUES (?, ?, ?, ?)
        ON CONFLICT (kind, value) DO UPDATE SET revoked_at = max(revoked_at, excluded.revoked_at),
          expires_at = max(expires_at, excluded.expires_at)`,
  prune: 'DELETE FROM revocation WHERE expires_at <= ?',
  version: 'PRAGMA data_version',
}

export const POSTGRES_REVOCATION: Readonly<Record<'load' | 'get' | 'put' | 'prune', string>> = {
  load: `SELECT ${COLUMNS} FROM revocation WHERE expires_at > $1 ORDER BY revoked_at DESC LIMIT $2`,
  get: `SELECT ${COLUMNS} FROM revocation WHERE kind = $1 AND value = $2`,
  put: `INSERT INTO revocation (kind, value, revoked_at, expires_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (kind, value) DO UPDATE SET revoked_at = greatest(revocation.revoked_at, excluded.revoked_at),
          expires_at = greatest(revocation.expires_at, excluded.expires_at)`,
  prune: 'DELETE FROM revocation WHERE expires_at <= $1',
}
