import type { Migration } from '@postern/store'

/** Keys of what is kept in PostgreSQL outside the log, by what they seal (`scope`). */
export const SEAL_KEY_MIGRATIONS: readonly Migration[] = [
  {
    id: 1,
    name: 'keys of subjects outside the log',
    postgres: `
      CREATE TABLE postern_seal_scope (scope text PRIMARY KEY, search_key bytea NOT NULL);
      CREATE TABLE postern_seal_key (
        id    text PRIMARY KEY,
        scope text NOT NULL,
        name  bytea NOT NULL,
        key   bytea NOT NULL,
        day   text,
        UNIQUE (scope, name)
      );
      CREATE INDEX postern_seal_key_day ON postern_seal_key (scope, day) WHERE day IS NOT NULL;`,
  },
]

export const SEAL_KEYS = {
  begin: 'INSERT INTO postern_seal_scope (scope, search_key) VALUES ($1, $2) ON CONFLICT DO NOTHING',
  searchKey: 'SELECT search_key FROM postern_seal_scope WHERE scope = $1',
  find: 'SELECT id, name, key FROM postern_seal_key WHERE scope = $1 AND name = ANY($2::bytea[])',
  add: `INSERT INTO postern_seal_key (id, scope, name, key, day)
    SELECT id, $2, name, key, day FROM unnest($1::text[], $3::bytea[], $4::bytea[], $5::text[]) AS given (id, name, key, day)
    ON CONFLICT DO NOTHING`,
  byId: 'SELECT id, key FROM postern_seal_key WHERE scope = $1 AND id = ANY($2::text[])',
  destroy: 'DELETE FROM postern_seal_key WHERE scope = $1 AND name = $2',
  destroyDays: 'DELETE FROM postern_seal_key WHERE scope = $1 AND day < $2',
} as const
