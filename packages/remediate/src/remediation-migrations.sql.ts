import type { Migration } from '@postern/store'

/** The tables of this package, with the same columns in both dialects. Times are epoch milliseconds. */
export const DETECT_MIGRATIONS: readonly Migration[] = [
  {
    id: 1,
    name: 'remediations',
    sqlite: `
      CREATE TABLE remediation (
        id         TEXT PRIMARY KEY,
        kind       TEXT NOT NULL,
        value      TEXT NOT NULL,
        measure    TEXT NOT NULL,
        reason     TEXT NOT NULL,
        origin     TEXT NOT NULL,
        created_at REAL NOT NULL,
        expires_at REAL NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX remediation_expiry ON remediation (expires_at);
      CREATE TABLE remediation_revision (one INTEGER PRIMARY KEY CHECK (one = 1), revision INTEGER NOT NULL) STRICT;
      INSERT INTO remediation_revision VALUES (1, 0);`,
    postgres: `
      CREATE TABLE remediation (
        id         TEXT PRIMARY KEY,
        kind       TEXT NOT NULL,
        value      TEXT NOT NULL,
        measure    TEXT NOT NULL,
        reason     TEXT NOT NULL,
        origin     TEXT NOT NULL,
        created_at DOUBLE PRECISION NOT NULL,
        expires_at DOUBLE PRECISION NOT NULL
      );
      CREATE INDEX remediation_expiry ON remediation (expires_at);`,
  },
  {
    id: 2,
    name: 'keys of bouncers',
    sqlite: `
      CREATE TABLE bouncer_key (
        name       TEXT PRIMARY KEY,
        hash       TEXT NOT NULL UNIQUE,
        created_at REAL NOT NULL
      ) STRICT, WITHOUT ROWID;`,
    postgres: `
      CREATE TABLE bouncer_key (
        name       TEXT PRIMARY KEY,
        hash       TEXT NOT NULL UNIQUE,
        created_at DOUBLE PRECISION NOT NULL
      );`,
  },
]

const COLUMNS =
  'id, kind, value, measure, reason, origin, created_at AS "createdAt", expires_at AS "expiresAt"'

interface Statements {
  readonly load: string
  readonly put: string
  readonly remove: string
  readonly prune: string
}

export const SQLITE: Statements & {
  readonly bump: string
  readonly revision: string
  readonly version: string
} = {
  load: `SELECT ${COLUMNS} FROM remediation WHERE expires_at > ? ORDER BY expires_at DESC LIMIT ?`,
  put: `INSERT INTO remediation (id, kind, value, measure, reason, origin, created_at, expires_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET reason = excluded.reason, expires_at = excluded.expires_at`,
  remove: 'DELETE FROM remediation WHERE id = ?',
  prune: 'DELETE FROM remediation WHERE expires_at <= ?',
  bump: 'UPDATE remediation_revision SET revision = revision + 1',
  revision: 'SELECT revision FROM remediation_revision',
  version: 'PRAGMA data_version',
}

export const POSTGRES: Statements & { readonly get: string } = {
  load: `SELECT ${COLUMNS} FROM remediation WHERE expires_at > $1 ORDER BY expires_at DESC LIMIT $2`,
  get: `SELECT ${COLUMNS} FROM remediation WHERE id = $1`,
  put: `INSERT INTO remediation (id, kind, value, measure, reason, origin, created_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (id) DO UPDATE SET reason = excluded.reason, expires_at = excluded.expires_at`,
  remove: 'DELETE FROM remediation WHERE id = $1',
  prune: 'DELETE FROM remediation WHERE expires_at <= $1',
}
