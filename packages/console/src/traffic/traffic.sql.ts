import type { MigrationSet } from '@postern/store'

/**
 * The tables of kept traffic. Times are epoch milliseconds; `body` is JSON without personal data, `box` the
 * sealed rest.
 */
export const TRAFFIC_MIGRATIONS: MigrationSet = {
  name: 'traffic',
  migrations: [
    {
      id: 1,
      name: 'events and counts by minute',
      sqlite: `
        CREATE TABLE event (
          id        INTEGER PRIMARY KEY,
          time      REAL NOT NULL,
          type      TEXT NOT NULL,
          verdict   TEXT NOT NULL,
          plain     INTEGER NOT NULL,
          request   TEXT,
          rule      TEXT,
          route     TEXT,
          address   BLOB,
          principal BLOB,
          weight    INTEGER NOT NULL,
          body      TEXT NOT NULL,
          box_key   TEXT,
          box       TEXT,
          guards    TEXT
        ) STRICT;
        CREATE INDEX event_request ON event (request) WHERE request IS NOT NULL;
        CREATE INDEX event_address ON event (address, id) WHERE address IS NOT NULL;
        CREATE INDEX event_principal ON event (principal, id) WHERE principal IS NOT NULL;
        CREATE INDEX event_plain ON event (id) WHERE plain = 1;
        CREATE INDEX event_notable ON event (time) WHERE plain = 0;
        CREATE TABLE minute (
          minute   INTEGER NOT NULL,
          verdict  TEXT NOT NULL,
          route    TEXT NOT NULL,
          rule     TEXT NOT NULL,
          requests INTEGER NOT NULL,
          layer    REAL NOT NULL,
          total    REAL NOT NULL,
          PRIMARY KEY (minute, verdict, route, rule)
        ) STRICT, WITHOUT ROWID;`,
    },
    {
      id: 2,
      name: 'counts by hour and country, false positives',
      sqlite: `
        CREATE TABLE place (
          hour     INTEGER NOT NULL,
          country  TEXT NOT NULL,
          requests INTEGER NOT NULL,
          refused  INTEGER NOT NULL,
          PRIMARY KEY (hour, country)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE false_positive (
          request  TEXT PRIMARY KEY,
          rule     TEXT NOT NULL,
          time     REAL NOT NULL,
          operator TEXT NOT NULL,
          note     TEXT NOT NULL
        ) STRICT;`,
    },
    {
      id: 3,
      name: 'pages of requests, for previews',
      sqlite: `
        CREATE TABLE page (
          first    INTEGER PRIMARY KEY,
          after    INTEGER NOT NULL,
          covered  INTEGER NOT NULL,
          until    REAL NOT NULL,
          plain    INTEGER NOT NULL,
          head     TEXT NOT NULL,
          body     TEXT NOT NULL,
          boxes    TEXT NOT NULL
        ) STRICT;`,
    },
    {
      id: 4,
      name: 'pages in columns of numbers: the texts of a page are then empty',
      sqlite: `
        ALTER TABLE page ADD COLUMN packed_head BLOB;
        ALTER TABLE page ADD COLUMN packed_boxes BLOB;`,
    },
  ],
}

/** Statements on SQLite. */
export const SQLITE = {
  lastId: 'SELECT coalesce(max(id), 0) AS id FROM event',
  insert: `INSERT INTO event (id, time, type, verdict, plain, request, rule, route, address, principal, weight, body, box_key, box, guards)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  count: `INSERT INTO minute (minute, verdict, route, rule, requests, layer, total) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET requests = requests + excluded.requests, layer = layer + excluded.layer, total = total + excluded.total`,
  place: `INSERT INTO place (hour, country, requests, refused) VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET requests = requests + excluded.requests, refused = refused + excluded.refused`,
  places: 'SELECT * FROM place WHERE hour >= ? ORDER BY hour, country',
  removePlaces: 'DELETE FROM place WHERE hour < ?',
  mark: `INSERT INTO false_positive (request, rule, time, operator, note) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET rule = excluded.rule, time = excluded.time, operator = excluded.operator, note = excluded.note`,
  unmark: 'DELETE FROM false_positive WHERE request = ?',
  marks: 'SELECT * FROM false_positive ORDER BY time DESC LIMIT 1000',
  removeMarks:
    'DELETE FROM false_positive WHERE request NOT IN (SELECT request FROM false_positive ORDER BY time DESC LIMIT 1000)',
  find: `SELECT * FROM event
    WHERE id < :before AND time >= :from
      AND (:type IS NULL OR type = :type)
      AND (:verdicts IS NULL OR verdict IN (SELECT value FROM json_each(:verdicts)))
      AND (:rule IS NULL OR rule = :rule)
      AND (:route IS NULL OR route = :route)
      AND (:address IS NULL OR address = :address)
      AND (:principal IS NULL OR principal = :principal)
    ORDER BY id DESC LIMIT :limit`,
  addPage: `INSERT INTO page (first, after, covered, until, plain, head, body, boxes, packed_head, packed_boxes)
    VALUES (?, ?, ?, ?, ?, '', '', '', ?, ?)`,
  coverage: 'SELECT after, covered FROM page ORDER BY first',
  heads: `SELECT first, head, body, packed_head FROM page WHERE first > ? AND until >= ?
    ORDER BY first LIMIT 8`,
  // A page within one block of another reader's requests is left out.
  pagesWhole: `SELECT first, head, body, boxes, packed_head, packed_boxes FROM page
    WHERE first > :last AND until >= :from
      AND (first / :block <> covered / :block OR (first / :block) % :of = :index)
    ORDER BY first LIMIT 8`,
  requestsBetween: `SELECT * FROM event WHERE id > ? AND id <= ? AND time >= ? AND type = 'http'
    ORDER BY id LIMIT ?`,
  requestsFrom: `SELECT count(*) AS requests FROM event WHERE time >= ? AND type = 'http'`,
  ofRequest: 'SELECT * FROM event WHERE request = ? ORDER BY id LIMIT 50',
  counts: 'SELECT * FROM minute WHERE minute >= ? ORDER BY minute',
  refusedActors: `SELECT event.*, found.requests FROM
      (SELECT max(id) AS id, sum(weight) AS requests FROM event
        WHERE plain = 0 AND time >= ? AND type = 'http' AND address IS NOT NULL
        GROUP BY address ORDER BY requests DESC LIMIT ?) AS found
    JOIN event ON event.id = found.id ORDER BY found.requests DESC`,
  size: 'SELECT count(*) AS events, min(time) AS oldest FROM event',
  pages:
    'SELECT (page_count - freelist_count) * page_size AS bytes FROM pragma_page_count, pragma_freelist_count, pragma_page_size',
  unlink: 'UPDATE event SET address = NULL, principal = NULL WHERE principal = ? AND box_key = ?',
  removeBefore: 'DELETE FROM event WHERE id IN (SELECT id FROM event WHERE time < ? ORDER BY id LIMIT ?)',
  removePlain: 'DELETE FROM event WHERE id IN (SELECT id FROM event WHERE plain = 1 ORDER BY id LIMIT ?)',
  removeOldest: 'DELETE FROM event WHERE id IN (SELECT id FROM event ORDER BY id LIMIT ?)',
  removePagesUntil: 'DELETE FROM page WHERE until < ?',
  // A page goes when what it holds is gone, or all that was plainly allowed; the rest is then read one by
  // one.
  removePages: `DELETE FROM page WHERE covered < coalesce((SELECT min(id) FROM event), 9223372036854775807)
    OR (plain > 0 AND covered < coalesce((SELECT min(id) FROM event WHERE plain = 1), 9223372036854775807))`,
  removeCounts: 'DELETE FROM minute WHERE minute < ?',
} as const
