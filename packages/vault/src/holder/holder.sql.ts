import type { Migration } from '@postern/store'

/**
 * The tables of one holder. Times are epoch milliseconds; keys are wrapped (RFC
 * 3394) under the unlocking key.
 */
export const HOLDER_MIGRATIONS: readonly Migration[] = [
  {
    id: 1,
    name: 'a holder',
    sqlite: `
      CREATE TABLE setting (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
      CREATE TABLE part (
        epoch   INTEGER NOT NULL,
        part    TEXT    NOT NULL CHECK (part IN ('a', 'b', 'c')),
        wrapped BLOB    NOT NULL,
        PRIMARY KEY (epoch, part)
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE opened (
        time    REAL NOT NULL,
        person  TEXT,
        service TEXT NOT NULL,
        records TEXT NOT NULL
      ) STRICT;
      CREATE INDEX opened_time ON opened (time);
      CREATE TABLE guessed (time REAL NOT NULL, user TEXT NOT NULL) STRICT;
      CREATE INDEX guessed_time ON guessed (time);
      CREATE TABLE used (capability TEXT PRIMARY KEY, expires_at REAL NOT NULL) STRICT, WITHOUT ROWID;
      CREATE INDEX used_expiry ON used (expires_at);
      CREATE TABLE frozen (actor TEXT PRIMARY KEY, reason TEXT NOT NULL, time REAL NOT NULL) STRICT, WITHOUT ROWID;
      CREATE TABLE canary (record TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;`,
  },
  {
    id: 2,
    name: 'search terms',
    sqlite: `
      CREATE TABLE searched (
        time  REAL NOT NULL,
        scope TEXT NOT NULL,
        terms TEXT NOT NULL
      ) STRICT;
      CREATE INDEX searched_time ON searched (time);`,
  },
  {
    id: 3,
    name: 'which service a capability came through',
    sqlite: "ALTER TABLE used ADD COLUMN service TEXT NOT NULL DEFAULT '';",
  },
]

export const HOLDER_SQL = {
  getSetting: 'SELECT value FROM setting WHERE name = ?',
  putSetting:
    'INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
  removeSetting: 'DELETE FROM setting WHERE name = ?',
  parts: 'SELECT epoch, part, wrapped FROM part ORDER BY epoch, part',
  addPart: 'INSERT INTO part (epoch, part, wrapped) VALUES (?, ?, ?) ON CONFLICT (epoch, part) DO NOTHING',
  forgetPart: 'DELETE FROM part WHERE epoch = ? AND part = ?',
  forgetAfter: 'DELETE FROM part WHERE epoch > ?',
  setPart: 'UPDATE part SET wrapped = ? WHERE epoch = ? AND part = ?',
  removeEpoch: 'DELETE FROM part WHERE epoch = ?',
  addOpened: 'INSERT INTO opened (time, person, service, records) VALUES (?, ?, ?, ?)',
  openedSince: 'SELECT time, person, service, records FROM opened WHERE time > ? ORDER BY rowid',
  pruneOpened: 'DELETE FROM opened WHERE rowid IN (SELECT rowid FROM opened WHERE time <= ? LIMIT ?)',
  addGuess: 'INSERT INTO guessed (time, user) VALUES (?, ?)',
  guessedSince: 'SELECT time, user FROM guessed WHERE time > ? ORDER BY rowid',
  pruneGuessed: 'DELETE FROM guessed WHERE rowid IN (SELECT rowid FROM guessed WHERE time <= ? LIMIT ?)',
  addSearched: 'INSERT INTO searched (time, scope, terms) VALUES (?, ?, ?)',
  searchedSince: 'SELECT time, scope, terms FROM searched WHERE time > ? ORDER BY rowid',
  pruneSearched: 'DELETE FROM searched WHERE rowid IN (SELECT rowid FROM searched WHERE time <= ? LIMIT ?)',
  addUsed:
    'INSERT INTO used (capability, expires_at, service) VALUES (?, ?, ?) ON CONFLICT (capability) DO NOTHING',
  usedAfter: 'SELECT capability, expires_at AS expiresAt, service FROM used WHERE expires_at > ?',
  oldUsed:
    'SELECT max(expires_at) AS until FROM (SELECT expires_at FROM used WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)',
  pruneUsed:
    'DELETE FROM used WHERE capability IN (SELECT capability FROM used WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)',
  freeze: 'INSERT INTO frozen (actor, reason, time) VALUES (?, ?, ?) ON CONFLICT (actor) DO NOTHING',
  thaw: 'DELETE FROM frozen WHERE actor = ?',
  frozen: 'SELECT actor, reason, time FROM frozen',
  removeCanary: 'DELETE FROM canary WHERE record = ?',
  addCanary: 'INSERT INTO canary (record) VALUES (?) ON CONFLICT (record) DO NOTHING',
  canaries: 'SELECT record FROM canary',
} as const
