import type { Migration } from '@postern/store'

/** Times are epoch milliseconds; the texts are those of the file. */
export const SETTINGS_MIGRATIONS: readonly Migration[] = [
  {
    id: 1,
    name: 'changes of the settings',
    sqlite: `
      CREATE TABLE settings_change (
        id       INTEGER PRIMARY KEY,
        time     REAL NOT NULL,
        operator TEXT NOT NULL,
        before   TEXT NOT NULL,
        after    TEXT NOT NULL
      ) STRICT;`,
  },
]

export const SETTINGS_SQL = {
  add: 'INSERT INTO settings_change (time, operator, before, after) VALUES (?, ?, ?, ?)',
  prune:
    'DELETE FROM settings_change WHERE id NOT IN (SELECT id FROM settings_change ORDER BY id DESC LIMIT ?)',
  list: 'SELECT * FROM settings_change ORDER BY id DESC',
} as const
