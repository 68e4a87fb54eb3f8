import type { Migration } from '@postern/store'

/** Name of the migrations of the records in `postern_migrations`. */
export const RECORD_SET = 'identity-records'

/**
 * One table for all kinds of records, told apart by a prefix of the key: one step when a store is
 * opened first. Times are epoch milliseconds.
 */
export const RECORD_MIGRATIONS: readonly Migration[] = [
  {
    id: 1,
    name: 'records',
    sqlite: `
      CREATE TABLE identity_record (
        key        TEXT PRIMARY KEY,
        record     TEXT NOT NULL,
        version    INTEGER NOT NULL,
        expires_at REAL NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX identity_record_expiry ON identity_record (expires_at);`,
    postgres: `
      CREATE TABLE identity_record (
        key        TEXT PRIMARY KEY,
        record     TEXT NOT NULL,
        version    BIGINT NOT NULL,
        expires_at DOUBLE PRECISION NOT NULL
      );
      CREATE INDEX identity_record_expiry ON identity_record (expires_at);`,
  },
]

type Statements = Readonly<Record<'get' | 'put' | 'prune', string>>

export const SQLITE_RECORDS: Statements = {
  get: 'SELECT record FROM identity_record WHERE key = ? AND expires_at > ?',
  put: `INSERT INTO identity_record (key, record, version, expires_at) VALUES (?, ?, 1, ?)
        ON CONFLICT (key) DO UPDATE
        SET record = excluded.record, version = version + 1, expires_at = excluded.expires_at`,
  prune: 'DELETE FROM identity_record WHERE expires_at <= ?',
}

/**
 * By the server's clock: an instance whose own is ahead would remove what the others still count. Both
 * factors are of the type that PostgreSQL has an operator for, so that it takes no other's.
 */
const NOW = '(extract(epoch FROM clock_timestamp())::float8 * 1000::float8)'

export const POSTGRES_RECORDS: Statements = {
  get: `SELECT record, version, expires_at > ${NOW} AS "isLive" FROM identity_record WHERE key = $1`,
  // Changes nothing when another process was faster: then the version is another one.
  put: `INSERT INTO identity_record (key, record, version, expires_at)
        VALUES ($1, $2, $3::bigint + 1, ${NOW} + $4::float8)
        ON CONFLICT (key) DO UPDATE
        SET record = excluded.record, version = excluded.version, expires_at = excluded.expires_at
        WHERE identity_record.version = $3`,
  prune: `DELETE FROM identity_record WHERE expires_at <= ${NOW}`,
}
