import type { Migration } from '@postern/store'

/** Room of the login defence in `postern_migrations`. */
export const LOGIN_ROOM = 'login'

/** One row per account that was tried; times are epoch milliseconds. */
export const LOGIN_MIGRATIONS: readonly Migration[] = [
  {
    id: 1,
    name: 'login records',
    sqlite: `
      CREATE TABLE login_record (
        account    TEXT PRIMARY KEY,
        record     TEXT NOT NULL,
        version    INTEGER NOT NULL,
        expires_at REAL NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX login_record_expiry ON login_record (expires_at);`,
    postgres: `
      CREATE TABLE login_record (
        account    TEXT PRIMARY KEY,
        record     TEXT NOT NULL,
        version    BIGINT NOT NULL,
        expires_at DOUBLE PRECISION NOT NULL
      );
      CREATE INDEX login_record_expiry ON login_record (expires_at);`,
  },
]

export const SQLITE_LOGIN = {
  get: 'SELECT record FROM login_record WHERE account = ? AND expires_at > ?',
  put: `INSERT INTO login_record (account, record, version, expires_at) VALUES (?, ?, 1, ?)
        ON CONFLICT (account) DO UPDATE
        SET record = excluded.record, version = version + 1, expires_at = excluded.expires_at`,
  prune: 'DELETE FROM login_record WHERE expires_at <= ?',
} as const

export const POSTGRES_LOGIN = {
  get: 'SELECT record, version, expires_at AS "expiresAt" FROM login_record WHERE account = $1',
  /** Changes nothing when another process was faster: then the version is another one. */
  put: `INSERT INTO login_record (account, record, version, expires_at) VALUES ($1, $2, $3::bigint + 1, $4)
        ON CONFLICT (account) DO UPDATE
        SET record = excluded.record, version = excluded.version, expires_at = excluded.expires_at
        WHERE login_record.version = $3`,
  prune: 'DELETE FROM login_record WHERE expires_at <= $1',
} as const
