import type { Migration } from '@postern/store'

/** A destroyed salt leaves its row, so that it is never made again for the same subject. */
export const SUBJECT_MIGRATIONS: readonly Migration[] = [
  {
    id: 1,
    name: 'salts of subjects',
    sqlite: 'CREATE TABLE vault_subject (subject TEXT PRIMARY KEY, salt BLOB) STRICT, WITHOUT ROWID;',
    postgres: 'CREATE TABLE vault_subject (subject TEXT PRIMARY KEY, salt BYTEA);',
  },
]

export const SUBJECT_SQL = {
  sqlite: {
    add: 'INSERT INTO vault_subject (subject, salt) VALUES (?, ?) ON CONFLICT (subject) DO NOTHING',
    get: 'SELECT salt FROM vault_subject WHERE subject = ?',
    destroy: 'UPDATE vault_subject SET salt = NULL WHERE subject = ? AND salt IS NOT NULL',
  },
  postgres: {
    add: `INSERT INTO vault_subject (subject, salt) SELECT * FROM unnest($1::text[], $2::bytea[])
          ON CONFLICT (subject) DO NOTHING`,
    get: 'SELECT subject, salt FROM vault_subject WHERE subject = ANY($1::text[])',
    destroy: 'UPDATE vault_subject SET salt = NULL WHERE subject = $1 AND salt IS NOT NULL',
  },
} as const
