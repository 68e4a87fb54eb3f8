import type { MigrationSet } from '@postern/store'

/** Derived from the log, entry by entry: a rebuild restores all of it. */
export const INDEX_MIGRATIONS: MigrationSet = {
  name: 'audit-index',
  migrations: [
    {
      id: 1,
      name: 'entries, addresses, tenants',
      sqlite: `
        CREATE TABLE position (id INTEGER PRIMARY KEY CHECK (id = 1), size INTEGER NOT NULL) STRICT;
        INSERT INTO position VALUES (1, 0);
        CREATE TABLE entries (
          idx         INTEGER PRIMARY KEY,
          time        REAL NOT NULL,
          type        TEXT NOT NULL,
          tenant      TEXT NOT NULL,
          number      INTEGER NOT NULL,
          action      TEXT,
          resource    TEXT,
          resource_id TEXT,
          decision    TEXT,
          request     TEXT,
          subject     TEXT,
          address     BLOB
        ) STRICT;
        CREATE INDEX entries_by_time ON entries (time);
        CREATE INDEX entries_by_type ON entries (type);
        CREATE INDEX entries_by_tenant ON entries (tenant, number) WHERE tenant <> '';
        CREATE INDEX entries_by_action ON entries (action) WHERE action IS NOT NULL;
        CREATE INDEX entries_by_resource ON entries (resource, resource_id) WHERE resource IS NOT NULL;
        CREATE INDEX entries_by_refusal ON entries (decision) WHERE decision IS NOT NULL AND decision <> 'allow';
        CREATE INDEX entries_by_request ON entries (request) WHERE request IS NOT NULL;
        CREATE INDEX entries_by_subject ON entries (subject, address) WHERE subject IS NOT NULL;
        CREATE TABLE addresses (
          token   BLOB NOT NULL,
          subject TEXT NOT NULL,
          address BLOB NOT NULL,
          PRIMARY KEY (token, subject)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX addresses_by_subject ON addresses (subject);
        CREATE TABLE tenants (tenant TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT, WITHOUT ROWID;`,
    },
  ],
}

export const INSERT_ENTRY = `
  INSERT INTO entries (idx, time, type, tenant, number, action, resource, resource_id, decision, request, subject, address)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

export const INSERT_ADDRESS = 'INSERT OR IGNORE INTO addresses (token, subject, address) VALUES (?, ?, ?)'

export const SET_TENANT =
  'INSERT INTO tenants VALUES (?, ?) ON CONFLICT (tenant) DO UPDATE SET number = excluded.number'

export const REMOVE_UNUSED_ADDRESSES = `
  DELETE FROM addresses WHERE NOT EXISTS (
    SELECT 1 FROM entries WHERE entries.subject = addresses.subject AND entries.address = addresses.address)`

/** What nobody but an intruder puts into the index. */
export const STRANGE =
  "SELECT type || ' ' || name AS name FROM sqlite_schema WHERE type IN ('trigger', 'view') LIMIT 1"
