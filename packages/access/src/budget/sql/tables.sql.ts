/**
 * What budgets keep in the database, in a schema of its own that the application's role has no
 * right to. The owner is who installs it. The same since version 1.
 */
export const TABLES_SQL: string = `
CREATE SCHEMA postern_budgets;
REVOKE ALL ON SCHEMA postern_budgets FROM PUBLIC;
GRANT USAGE ON SCHEMA postern_budgets TO PUBLIC;

-- HMAC-SHA-256 keys, as the padded keys of RFC 2104: claims say who acts, grants are what approvals give.
CREATE TABLE postern_budgets.keys (
  kind      text     NOT NULL CHECK (kind IN ('claim', 'grant')),
  id        smallint NOT NULL CHECK (id > 0),
  inner_pad bytea    NOT NULL,
  outer_pad bytea    NOT NULL,
  PRIMARY KEY (kind, id)
);

CREATE TABLE postern_budgets.settings (
  one       boolean PRIMARY KEY DEFAULT true CHECK (one),
  -- What happens to a change without a claim: 'refuse', or 'count' it for the database role.
  unclaimed text   NOT NULL,
  -- Roles that are not counted, by the name they logged in with.
  exempt    name[] NOT NULL,
  schemas   name[] NOT NULL
);

-- What is limited. A window is eight steps long and nine are counted: the newest may just have begun.
CREATE TABLE postern_budgets.limits (
  id       integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  budget   text    NOT NULL,
  scope    text    NOT NULL CHECK (scope IN ('actor', 'tenant', 'table', 'global')),
  rows     bigint  NOT NULL CHECK (rows >= 0),
  step     bigint  NOT NULL CHECK (step > 0),
  over     text    NOT NULL,
  -- Counts refusals. A sequence, because it does not go back when the refused transaction does.
  refusals regclass,
  UNIQUE (budget, scope)
);

-- Which tables and actions a budget is about. Empty names stand for all.
CREATE TABLE postern_budgets.rules (
  budget   text    NOT NULL,
  schema   name    NOT NULL,
  relation name    NOT NULL,
  action   text    NOT NULL CHECK (action IN ('delete', 'update', 'insert')),
  undo     boolean NOT NULL,
  PRIMARY KEY (budget, schema, relation, action)
);

-- Grants that were used, and by which transaction.
CREATE TABLE postern_budgets.redeemed (
  id      text   PRIMARY KEY,
  xid     xid8   NOT NULL,
  actor   text   NOT NULL,
  act     text   NOT NULL,
  budgets text[] NOT NULL,
  counts  bigint[] NOT NULL,
  rows    bigint NOT NULL,
  expires bigint NOT NULL,
  at      timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Refusals as the wrappers report them, in a transaction of their own.
CREATE TABLE postern_budgets.attempts (
  id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at       timestamptz NOT NULL DEFAULT clock_timestamp(),
  role     name   NOT NULL,
  actor    text   NOT NULL,
  budget   text   NOT NULL,
  scope    text   NOT NULL,
  allowed  bigint NOT NULL,
  asked    bigint NOT NULL,
  -- Whether a claim says who the actor is: otherwise it is whatever the caller said.
  signed   boolean NOT NULL DEFAULT false
);

-- Old rows, one entry for a statement and at most 20,000 rows. See journal.sql.ts.
CREATE TABLE postern_budgets.journal (
  id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  change   text   NOT NULL,
  at       timestamptz NOT NULL DEFAULT clock_timestamp(),
  actor    text   NOT NULL,
  tenant   text   NOT NULL,
  schema   name   NOT NULL,
  relation name   NOT NULL,
  action   text   NOT NULL,
  rows     integer NOT NULL,
  -- Names and types of the columns, so that rows of a table that was altered since are not misread.
  columns  text[] NOT NULL,
  -- As PostgreSQL writes rows; null once they are sealed.
  old      text[],
  -- MD5 of the rows as an edit left them, in the order of the old ones: tells whether somebody edited them again. Not a secret, not a signature.
  became   uuid[],
  sealed   bytea,
  undone   timestamptz
);
-- Rows of a table are much alike: LZ4 takes a tenth of the time of the default, where the server has it.
DO $$ BEGIN
  ALTER TABLE postern_budgets.journal ALTER COLUMN old SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN NULL; END $$;
ALTER TABLE postern_budgets.journal ALTER COLUMN became SET STORAGE EXTERNAL, ALTER COLUMN sealed SET STORAGE EXTERNAL;
CREATE INDEX journal_change ON postern_budgets.journal (change);
CREATE INDEX journal_at ON postern_budgets.journal USING brin (at);
CREATE INDEX journal_unsealed ON postern_budgets.journal (id) WHERE sealed IS NULL;
`

/**
 * What changes with every transaction. One statement on a guarded table raises one row of
 * `counters`, and the first of a transaction notes its claim as used.
 *
 * A counter has sixteen lanes, each with a share of the limit. A transaction counts in a lane that
 * no other transaction is counting in, so that one actor's transactions do not wait for each other,
 * and asks the other lanes for a part of their share only when its own is used up. The shares of all
 * lanes together are the limit, and no lane holds more rows than its share: the sum never exceeds the limit.
 */
export const COUNTERS_SQL: string = `
-- Claims that were used, and by which transaction. Logged: after a crash, and on a replica that takes over, they are still used.
CREATE TABLE postern_budgets.claims (
  nonce   uuid   PRIMARY KEY,
  xid     xid8   NOT NULL,
  expires bigint NOT NULL,
  -- Whether its transaction showed it more than once.
  again   boolean NOT NULL
);

CREATE TABLE postern_budgets.counters (
  limit_id integer  NOT NULL,
  -- Whom it is held against: the UTF-8 bytes of its name, in hex, as claims have it.
  key      text     NOT NULL,
  lane     smallint NOT NULL,
  -- The number of the newest step, the rows of that step, those of the eight steps before it one by one, and their sum.
  newest   bigint   NOT NULL,
  spent    bigint   NOT NULL,
  older    bigint   NOT NULL,
  counts   bigint[] NOT NULL,
  share    bigint   NOT NULL,
  -- The claim and the transaction that counted here last, and whether the one before was the same.
  claim    text     NOT NULL,
  xid      xid8     NOT NULL,
  again    boolean  NOT NULL,
  PRIMARY KEY (limit_id, key, lane)
) WITH (fillfactor = 50);

-- What dry runs have changed so far.
CREATE UNLOGGED TABLE postern_budgets.dry_runs (
  id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  xid      xid8   NOT NULL,
  schema   name   NOT NULL,
  relation name   NOT NULL,
  action   text   NOT NULL,
  rows     bigint NOT NULL
);
`
