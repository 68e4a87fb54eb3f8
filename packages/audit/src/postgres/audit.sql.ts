import type { Migration } from '@postern/store'

export const POSTGRES_MIGRATIONS: readonly Migration[] = [
  {
    id: 1,
    name: 'inbox, log, index, subjects',
    postgres: `
      CREATE TABLE audit_inbox (
        id    bigserial PRIMARY KEY,
        kind  text NOT NULL CHECK (kind IN ('event', 'erasure')),
        event text NOT NULL
      );
      CREATE TABLE audit_state (
        id              integer PRIMARY KEY CHECK (id = 1),
        origin          text NOT NULL,
        size            bigint NOT NULL,
        term            bigint NOT NULL,
        holder          text NOT NULL,
        checkpoint_size bigint NOT NULL,
        checkpoint      text NOT NULL,
        search_key      bytea NOT NULL,
        verifier_keys   text NOT NULL
      );
      CREATE TABLE audit_entries (
        idx         bigint PRIMARY KEY,
        inbox       bigint NOT NULL UNIQUE,
        leaf        bytea NOT NULL,
        time        double precision NOT NULL,
        type        text NOT NULL,
        tenant      text NOT NULL,
        number      bigint NOT NULL,
        action      text,
        resource    text,
        resource_id text,
        decision    text,
        request     text,
        subject     text,
        address     bytea
      );
      CREATE INDEX audit_entries_by_time ON audit_entries (time);
      CREATE INDEX audit_entries_by_subject ON audit_entries (subject, address) WHERE subject IS NOT NULL;
      CREATE INDEX audit_entries_by_request ON audit_entries (request) WHERE request IS NOT NULL;
      CREATE INDEX audit_entries_by_action ON audit_entries (action) WHERE action IS NOT NULL;
      CREATE INDEX audit_entries_by_refusal ON audit_entries (decision) WHERE decision IS NOT NULL AND decision <> 'allow';
      CREATE TABLE audit_tiles (
        level  integer NOT NULL,
        tile   bigint NOT NULL,
        hashes bytea NOT NULL,
        PRIMARY KEY (level, tile)
      );
      CREATE TABLE audit_tenants (tenant text PRIMARY KEY, number bigint NOT NULL);
      CREATE TABLE audit_subjects (
        id   text PRIMARY KEY,
        name bytea NOT NULL UNIQUE,
        key  bytea NOT NULL,
        day  text
      );
      CREATE TABLE audit_addresses (
        token   bytea NOT NULL,
        subject text NOT NULL,
        address bytea NOT NULL,
        PRIMARY KEY (token, subject)
      );
      CREATE INDEX audit_addresses_by_subject ON audit_addresses (subject);`,
  },
  {
    id: 2,
    name: 'retention, witnesses, cursors, and an inbox that may be granted',
    // Numbers of the inbox may repeat after a restore: they find an entry, but do not prove one.
    postgres: `
      ALTER TABLE audit_state ADD COLUMN minimum_index bigint NOT NULL DEFAULT 0;
      ALTER TABLE audit_state ADD COLUMN witnessed text;
      ALTER TABLE audit_inbox ALTER COLUMN kind SET DEFAULT 'event';
      ALTER TABLE audit_entries DROP CONSTRAINT audit_entries_inbox_key;
      CREATE INDEX audit_entries_by_inbox ON audit_entries (inbox);
      CREATE INDEX audit_subjects_by_day ON audit_subjects (day) WHERE day IS NOT NULL;
      CREATE TABLE audit_cursors (
        name       text PRIMARY KEY,
        position   bigint NOT NULL,
        holder     text NOT NULL,
        held_until timestamptz NOT NULL
      );`,
  },
  {
    id: 3,
    name: 'a bound on what the inbox takes',
    // A client that may insert must not exhaust the memory of the process that reads
    // a batch. Existing rows are still read.
    postgres: `
      ALTER TABLE audit_inbox ADD CONSTRAINT audit_inbox_event_size
        CHECK (octet_length(event) <= 65536) NOT VALID;`,
  },
  {
    id: 4,
    name: 'who wrote a row of the inbox',
    // Of a role that may only insert the column `event` it says the truth.
    postgres: `
      ALTER TABLE audit_inbox ADD COLUMN writer text NOT NULL DEFAULT current_user;
      CREATE INDEX audit_inbox_by_writer ON audit_inbox (writer, id);`,
  },
]

/**
 * Rows are ordered when they are sequenced, not when they are inserted: a transaction that commits late is
 * not skipped. $1 rows, of which $2 are for what other roles have inserted, if they have: requests wait for
 * the rows of the instances themselves, and not for all that somebody else puts in front of them.
 */
export const TAKE_INBOX = `
  DELETE FROM audit_inbox WHERE id IN (
    SELECT id FROM (
      (SELECT id, 0 AS turn FROM audit_inbox WHERE writer = current_user::text ORDER BY id LIMIT $1::bigint - $2::bigint)
      UNION ALL
      (SELECT id, 1 AS turn FROM audit_inbox WHERE writer <> current_user::text ORDER BY id LIMIT $1::bigint)
    ) AS waiting ORDER BY turn, id LIMIT $1::bigint)
  RETURNING id::text AS id, kind, event`

/** The oldest row, whoever wrote it. */
export const TAKE_OLDEST = `
  DELETE FROM audit_inbox WHERE id IN (SELECT id FROM audit_inbox ORDER BY id LIMIT 1)
  RETURNING id::text AS id, kind, event`

export const INSERT_INBOX = `
  INSERT INTO audit_inbox (kind, event)
  SELECT $1, event FROM unnest($2::text[]) WITH ORDINALITY AS given (event, place) ORDER BY place
  RETURNING id::text AS id`

/**
 * The schema of the inbox, quoted. `appendIn` runs in sessions of the application: without it a temporary
 * table of that name, left there by whoever got SQL into it, would swallow every event and say nothing.
 */
export const INBOX_SCHEMA = `
  SELECT pg_catalog.quote_ident(n.nspname) AS schema FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = pg_catalog.to_regclass('audit_inbox')::oid`

export const INSERT_ENTRIES = `
  INSERT INTO audit_entries
    (idx, inbox, leaf, time, type, tenant, number, action, resource, resource_id, decision, request, subject, address)
  SELECT * FROM unnest(
    $1::bigint[], $2::bigint[], $3::bytea[], $4::double precision[], $5::text[], $6::text[], $7::bigint[],
    $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::bytea[])`

export const PUT_TILES = `
  INSERT INTO audit_tiles (level, tile, hashes)
  SELECT * FROM unnest($1::integer[], $2::bigint[], $3::bytea[])
  ON CONFLICT (level, tile) DO UPDATE SET hashes = excluded.hashes`

export const PUT_TENANTS = `
  INSERT INTO audit_tenants (tenant, number) SELECT * FROM unnest($1::text[], $2::bigint[])
  ON CONFLICT (tenant) DO UPDATE SET number = excluded.number`

export const INSERT_SUBJECTS = `
  INSERT INTO audit_subjects (id, name, key, day)
  SELECT * FROM unnest($1::text[], $2::bytea[], $3::bytea[], $4::text[])`

export const INSERT_ADDRESSES = `
  INSERT INTO audit_addresses (token, subject, address)
  SELECT * FROM unnest($1::bytea[], $2::text[], $3::bytea[]) ON CONFLICT DO NOTHING`

/** As `INSERT_ENTRIES`, for rows that are there. */
export const PUT_COLUMNS = `
  UPDATE audit_entries SET
    time = given.time, type = given.type, tenant = given.tenant, number = given.number, action = given.action,
    resource = given.resource, resource_id = given.resource_id, decision = given.decision, request = given.request,
    subject = given.subject, address = given.address
  FROM unnest(
    $1::bigint[], $2::double precision[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[],
    $9::text[], $10::text[], $11::text[], $12::bytea[])
    AS given (idx, time, type, tenant, number, action, resource, resource_id, decision, request, subject, address)
  WHERE audit_entries.idx = given.idx`

/** The highest number of each of these tenants among the newest entries, as far as they have any there. */
export const RECENT_NUMBERS = `
  SELECT tenant, max(number)::text AS number
  FROM (SELECT tenant, number FROM audit_entries ORDER BY idx DESC LIMIT $2) AS newest
  WHERE tenant = ANY($1) GROUP BY tenant`

/** The highest number of each tenant from an entry on. */
export const NUMBERS_FROM =
  'SELECT tenant, max(number)::text AS number FROM audit_entries WHERE idx >= $1 GROUP BY tenant'

/** The state, for one instance at a time: no row while another has it. */
export const LOCK_STATE = `
  SELECT size::text, term::text, holder, checkpoint_size::text, checkpoint FROM audit_state
  WHERE id = 1 FOR UPDATE SKIP LOCKED`

/** Read without waiting for the instance that has the state. */
export const HELD_STATE =
  'SELECT size::text, EXISTS (SELECT FROM audit_inbox) AS waits FROM audit_state WHERE id = 1'

/** Fenced: it changes nothing unless the tree this instance computed on is still the tree. */
export const ADVANCE = 'UPDATE audit_state SET size = $1 WHERE size = $2 AND term = $3'

export const PUT_CHECKPOINT =
  'UPDATE audit_state SET checkpoint = $1, checkpoint_size = $2 WHERE checkpoint_size < $2'

/** An older checkpoint that arrives late, from an instance that hung, does not replace a newer one. */
export const PUT_WITNESSED = `
  UPDATE audit_state SET witnessed = $1
  WHERE witnessed IS NULL OR split_part(witnessed, E'\\n', 2)::numeric <= split_part($1, E'\\n', 2)::numeric`

/** Removes entries below an index, and addresses that none of the others has. */
export const REMOVE_ENTRIES = `
  WITH gone AS (DELETE FROM audit_entries WHERE idx < $1 RETURNING subject, address)
  DELETE FROM audit_addresses USING (SELECT DISTINCT subject, address FROM gone WHERE address IS NOT NULL) AS unused
  WHERE audit_addresses.subject = unused.subject AND audit_addresses.address = unused.address
    AND NOT EXISTS (
      SELECT FROM audit_entries WHERE idx >= $1
      AND audit_entries.subject = unused.subject AND audit_entries.address = unused.address)`

export const FORGET_DAYS = `
  WITH gone AS (DELETE FROM audit_subjects WHERE day < $1 RETURNING id)
  DELETE FROM audit_addresses USING gone WHERE audit_addresses.subject = gone.id`

/** One holder at a time, for `$3` milliseconds by the database's own clock. */
export const TAKE_CURSOR = `
  INSERT INTO audit_cursors (name, position, holder, held_until)
  VALUES ($1, 0, $2, clock_timestamp() + $3::float8 * interval '1 millisecond')
  ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until
  WHERE audit_cursors.holder = excluded.holder OR audit_cursors.held_until < clock_timestamp()
  RETURNING position::text AS position`

/** Fenced: nothing moves for one who lost its hold meanwhile. */
export const ADVANCE_CURSOR =
  'UPDATE audit_cursors SET position = $3 WHERE name = $1 AND holder = $2 AND position = $4'

export const RELEASE_CURSOR = `UPDATE audit_cursors SET held_until = '-infinity' WHERE name = $1 AND holder = $2`
