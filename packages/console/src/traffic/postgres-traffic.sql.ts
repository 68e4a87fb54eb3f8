import type { Migration } from '@postern/store'

/** As of SQLite, with the instance that kept an event, and the bytes that it takes. */
export const POSTGRES_TRAFFIC_MIGRATIONS: readonly Migration[] = [
  {
    id: 1,
    name: 'events, counts, false positives and instances',
    postgres: `
      CREATE SEQUENCE postern_traffic_number;
      CREATE TABLE postern_traffic (
        id        bigint PRIMARY KEY,
        instance  text NOT NULL,
        time      double precision NOT NULL,
        type      text NOT NULL,
        verdict   text NOT NULL,
        plain     boolean NOT NULL,
        request   text,
        rule      text,
        route     text,
        address   bytea,
        principal bytea,
        weight    integer NOT NULL,
        bytes     integer NOT NULL,
        body      text NOT NULL,
        box_key   text,
        box       text,
        guards    text
      );
      CREATE INDEX postern_traffic_request ON postern_traffic (request) WHERE request IS NOT NULL;
      CREATE INDEX postern_traffic_address ON postern_traffic (address, id) WHERE address IS NOT NULL;
      CREATE INDEX postern_traffic_principal ON postern_traffic (principal, id) WHERE principal IS NOT NULL;
      CREATE INDEX postern_traffic_plain ON postern_traffic (id) WHERE plain;
      CREATE INDEX postern_traffic_notable ON postern_traffic (time) WHERE NOT plain;
      CREATE TABLE postern_traffic_minute (
        minute   bigint NOT NULL,
        verdict  text NOT NULL,
        route    text NOT NULL,
        rule     text NOT NULL,
        requests bigint NOT NULL,
        layer    double precision NOT NULL,
        total    double precision NOT NULL,
        PRIMARY KEY (minute, verdict, route, rule)
      );
      CREATE TABLE postern_traffic_place (
        hour     bigint NOT NULL,
        country  text NOT NULL,
        requests bigint NOT NULL,
        refused  bigint NOT NULL,
        PRIMARY KEY (hour, country)
      );
      CREATE TABLE postern_false_positive (
        request  text PRIMARY KEY,
        rule     text NOT NULL,
        time     double precision NOT NULL,
        operator text NOT NULL,
        note     text NOT NULL
      );
      CREATE TABLE postern_instance (
        name          text PRIMARY KEY,
        gateway       text NOT NULL,
        version       text NOT NULL,
        configuration text NOT NULL,
        started_at    double precision NOT NULL,
        seen_at       double precision NOT NULL
      );`,
  },
  {
    id: 2,
    name: 'pages of requests, for previews',
    postgres: `
      CREATE TABLE postern_traffic_page (
        first    bigint PRIMARY KEY,
        instance text NOT NULL,
        after    bigint NOT NULL,
        covered  bigint NOT NULL,
        until    double precision NOT NULL,
        plain    integer NOT NULL,
        bytes    integer NOT NULL,
        head     text NOT NULL,
        body     text NOT NULL,
        boxes    text NOT NULL
      );
      CREATE INDEX postern_traffic_instance ON postern_traffic (instance, id) WHERE type = 'http';`,
  },
  {
    id: 3,
    name: 'pages in columns of numbers: the texts of a page are then empty',
    postgres: `
      ALTER TABLE postern_traffic_page ADD COLUMN packed_head bytea, ADD COLUMN packed_boxes bytea;
      ALTER TABLE postern_traffic_page ALTER COLUMN packed_head SET STORAGE EXTERNAL,
        ALTER COLUMN packed_boxes SET STORAGE EXTERNAL;`,
  },
]

/** Statements on PostgreSQL. */
export const POSTGRES_TRAFFIC = {
  // Numbers of one batch follow each other: written in one transaction, they are seen together.
  numbers: "SELECT nextval('postern_traffic_number') AS id FROM generate_series(1, $1::integer)",
  insert: `INSERT INTO postern_traffic
      (id, instance, time, type, verdict, plain, request, rule, route, address, principal, weight, bytes, body, box_key, box, guards)
    SELECT id, $1, time, type, verdict, plain, request, rule, route, address, principal, weight,
      length(body) + coalesce(length(box), 0) + coalesce(length(guards), 0), body, box_key, box, guards
    FROM unnest($2::bigint[], $3::double precision[], $4::text[], $5::text[], $6::boolean[], $7::text[], $8::text[], $9::text[],
      $10::bytea[], $11::bytea[], $12::integer[], $13::text[], $14::text[], $15::text[], $16::text[])
      AS given (id, time, type, verdict, plain, request, rule, route, address, principal, weight, body, box_key, box, guards)`,
  // Sorted, so that two instances that count the same minutes wait for each other and never both.
  count: `INSERT INTO postern_traffic_minute (minute, verdict, route, rule, requests, layer, total)
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::double precision[], $7::double precision[])
      AS given (minute, verdict, route, rule, requests, layer, total) ORDER BY 1, 2, 3, 4
    ON CONFLICT (minute, verdict, route, rule) DO UPDATE SET
      requests = postern_traffic_minute.requests + excluded.requests,
      layer = postern_traffic_minute.layer + excluded.layer,
      total = postern_traffic_minute.total + excluded.total`,
  place: `INSERT INTO postern_traffic_place (hour, country, requests, refused)
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[])
      AS given (hour, country, requests, refused) ORDER BY 1, 2
    ON CONFLICT (hour, country) DO UPDATE SET
      requests = postern_traffic_place.requests + excluded.requests,
      refused = postern_traffic_place.refused + excluded.refused`,
  find: `SELECT * FROM postern_traffic
    WHERE id < $1 AND time >= $2
      AND ($3::text IS NULL OR type = $3)
      AND ($4::text[] IS NULL OR verdict = ANY($4))
      AND ($5::text IS NULL OR rule = $5)
      AND ($6::text IS NULL OR route = $6)
      AND ($7::bytea IS NULL OR address = $7)
      AND ($8::bytea IS NULL OR principal = $8)
      AND ($9::text IS NULL OR instance = $9)
    ORDER BY id DESC LIMIT $10`,
  addPage: `INSERT INTO postern_traffic_page
      (first, instance, after, covered, until, plain, bytes, head, body, boxes, packed_head, packed_boxes)
    VALUES ($1, $2, $3, $4, $5, $6, length($7::bytea) + length($8::bytea), '', '', '', $7, $8)`,
  coverage: 'SELECT instance, after, covered FROM postern_traffic_page ORDER BY first',
  // One look-up an instance: a list of all would read every row.
  instancesOfRequests: `WITH RECURSIVE found AS (
      SELECT min(instance) AS instance FROM postern_traffic WHERE type = 'http'
      UNION ALL
      SELECT (SELECT min(instance) FROM postern_traffic WHERE type = 'http' AND instance > found.instance)
      FROM found WHERE found.instance IS NOT NULL
    ) SELECT instance FROM found WHERE instance IS NOT NULL`,
  heads: `SELECT first, head, body, packed_head FROM postern_traffic_page
    WHERE first > $1 AND until >= $2 ORDER BY first LIMIT 16`,
  // A page within one block of another reader's requests is left out.
  pagesWhole: `SELECT first, head, body, boxes, packed_head, packed_boxes FROM postern_traffic_page
    WHERE first > $1 AND until >= $2
      AND (first / $3::bigint <> covered / $3 OR (first / $3) % $4::bigint = $5::bigint)
    ORDER BY first LIMIT 8`,
  requestsBetween: `SELECT * FROM postern_traffic
    WHERE instance = $1 AND id > $2 AND id <= $3 AND time >= $4 AND type = 'http' ORDER BY id LIMIT $5`,
  requestsFrom: "SELECT count(*) AS requests FROM postern_traffic WHERE time >= $1 AND type = 'http'",
  ofRequest: 'SELECT * FROM postern_traffic WHERE request = $1 ORDER BY id LIMIT 50',
  others: 'SELECT * FROM postern_traffic WHERE id > $1 AND instance <> $2 ORDER BY id DESC LIMIT $3',
  lastId: 'SELECT coalesce(max(id), 0) AS id FROM postern_traffic',
  counts: 'SELECT * FROM postern_traffic_minute WHERE minute >= $1 ORDER BY minute',
  places: 'SELECT * FROM postern_traffic_place WHERE hour >= $1 ORDER BY hour, country',
  refusedActors: `SELECT postern_traffic.*, found.requests FROM
      (SELECT max(id) AS id, sum(weight) AS requests FROM postern_traffic
        WHERE NOT plain AND time >= $1 AND type = 'http' AND address IS NOT NULL
        GROUP BY address ORDER BY requests DESC LIMIT $2) AS found
    JOIN postern_traffic ON postern_traffic.id = found.id ORDER BY found.requests DESC`,
  byId: 'SELECT * FROM postern_traffic WHERE id = ANY($1::bigint[])',
  mark: `INSERT INTO postern_false_positive (request, rule, time, operator, note) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (request) DO UPDATE SET rule = excluded.rule, time = excluded.time, operator = excluded.operator, note = excluded.note`,
  unmark: 'DELETE FROM postern_false_positive WHERE request = $1',
  marks: 'SELECT * FROM postern_false_positive ORDER BY time DESC LIMIT 1000',
  removeMarks:
    'DELETE FROM postern_false_positive WHERE request NOT IN (SELECT request FROM postern_false_positive ORDER BY time DESC LIMIT 1000)',
  // A row takes some 200 bytes besides its texts, with what the indexes hold of it.
  size: `SELECT count(*) AS events, coalesce(sum(bytes + 200), 0)
      + (SELECT coalesce(sum(bytes), 0) FROM postern_traffic_page) AS bytes, min(time) AS oldest FROM postern_traffic`,
  unlink: 'UPDATE postern_traffic SET address = NULL, principal = NULL WHERE principal = $1 AND box_key = $2',
  /**
   * One instance prunes at a time; the others leave it to that one. A row, because an advisory lock can be
   * held by every role that may connect, and then nothing would be pruned.
   */
  pruneLock: `SELECT FROM postern_migrations WHERE room = 'traffic' AND id = 1 FOR NO KEY UPDATE SKIP LOCKED`,
  removeBefore:
    'DELETE FROM postern_traffic WHERE id IN (SELECT id FROM postern_traffic WHERE time < $1 ORDER BY id LIMIT $2)',
  removePlain:
    'DELETE FROM postern_traffic WHERE id IN (SELECT id FROM postern_traffic WHERE plain ORDER BY id LIMIT $1) RETURNING bytes',
  removeOldest:
    'DELETE FROM postern_traffic WHERE id IN (SELECT id FROM postern_traffic ORDER BY id LIMIT $1) RETURNING bytes',
  removePagesUntil: 'DELETE FROM postern_traffic_page WHERE until < $1',
  removePages: `DELETE FROM postern_traffic_page
    WHERE covered < coalesce((SELECT min(id) FROM postern_traffic), 9223372036854775807)
      OR (plain > 0
        AND covered < coalesce((SELECT min(id) FROM postern_traffic WHERE plain), 9223372036854775807))
    RETURNING bytes`,
  removeCounts: 'DELETE FROM postern_traffic_minute WHERE minute < $1',
  removePlaces: 'DELETE FROM postern_traffic_place WHERE hour < $1',
  report: `INSERT INTO postern_instance (name, gateway, version, configuration, started_at, seen_at) VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (name) DO UPDATE SET gateway = excluded.gateway, version = excluded.version,
      configuration = excluded.configuration, seen_at = excluded.seen_at`,
  instances: 'SELECT * FROM postern_instance WHERE seen_at >= $1 ORDER BY name LIMIT 200',
  leave: 'DELETE FROM postern_instance WHERE name = $1 OR seen_at < $2',
} as const
