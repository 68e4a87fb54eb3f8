import type { Migration } from '@postern/store'

/** A table of records; times are epoch milliseconds. @param table a constant of the source, never input */
export function recordMigrations(table: string): readonly Migration[] {
  return [
    {
      id: 1,
      name: `table ${table}`,
      sqlite: `
      CREATE TABLE ${table} (
        key        TEXT PRIMARY KEY,
        record     TEXT NOT NULL,
        version    INTEGER NOT NULL,
        expires_at REAL NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX ${table}_expiry ON ${table} (expires_at);`,
      postgres: `
      CREATE TABLE ${table} (
        key        TEXT PRIMARY KEY,
        record     TEXT NOT NULL,
        version    BIGINT NOT NULL,
        expires_at DOUBLE PRECISION NOT NULL
      );
      CREATE INDEX ${table}_expiry ON ${table} (expires_at);`,
    },
  ]
}

type Statements = Readonly<Record<'get' | 'put' | 'prune', string>>

export function sqliteStatements(table: string): Statements {
  return {
    get: `SELECT record FROM ${table} WHERE key = ? AND expires_at > ?`,
    put: `INSERT INTO ${table} (key, record, version, expires_at) VALUES (?, ?, 1, ?)
          ON CONFLICT (key) DO UPDATE
          SET record = excluded.record, version = version + 1, expires_at = excluded.expires_at`,
    prune: `DELETE FROM ${table} WHERE expires_at <= ?`,
  }
}

export function postgresStatements(table: string): Statements {
  return {
    get: `SELECT record, version, expires_at AS "expiresAt" FROM ${table} WHERE key = $1`,
    // Changes nothing when another process was faster: then the version is another one.
    put: `INSERT INTO ${table} (key, record, version, expires_at) VALUES ($1, $2, $3::bigint + 1, $4)
          ON CONFLICT (key) DO UPDATE
          SET record = excluded.record, version = excluded.version, expires_at = excluded.expires_at
          WHERE ${table}.version = $3`,
    prune: `DELETE FROM ${table} WHERE expires_at <= $1`,
  }
}
