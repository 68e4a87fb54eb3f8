/**
 * What budgets keep in the database, in a schema of its own that the application's role has no
 * right to. The owner is who installs it.
 *
 * One statement on a guarded table costs one row count and one upsert of this transaction's own
 * row in `transactions`; the shared counters are touched when the transaction commits, by a
 * deferred trigger, in one order for everyone. So no lock of a counter is held while the
 * application works, and counters add no deadlock to it.
 */
const TABLES_SQL = `
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

-- One for each guarded table and action; the number is an argument of its triggers. Partitions have that of their root.
CREATE TABLE postern_budgets.slots (
  id       integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  schema   name NOT NULL,
  relation name NOT NULL,
  action   text NOT NULL,
  limits   integer[] NOT NULL,
  UNIQUE (schema, relation, action)
);

-- What a transaction has changed, and that its claim is used. Not logged: after a crash of the server its transactions are gone as well.
CREATE UNLOGGED TABLE postern_budgets.transactions (
  nonce      text     PRIMARY KEY,
  xid        xid8     NOT NULL,
  claim      text     NOT NULL,
  actor      text     NOT NULL,
  tenant     text     NOT NULL,
  act        text     NOT NULL,
  expires    bigint   NOT NULL,
  slots      integer[] NOT NULL,
  counts     bigint[] NOT NULL,
  statements integer  NOT NULL,
  settled    boolean  NOT NULL,
  dry        boolean  NOT NULL
) WITH (fillfactor = 60);

-- Rows changed, per limit and whom it is held against: the newest step, and nine counts, newest first.
CREATE TABLE postern_budgets.counters (
  limit_id integer  NOT NULL,
  key      text     NOT NULL,
  newest   bigint   NOT NULL,
  counts   bigint[] NOT NULL,
  -- The limit when it was last counted against.
  rows     bigint   NOT NULL,
  PRIMARY KEY (limit_id, key)
) WITH (fillfactor = 50);

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
  asked    bigint NOT NULL
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
 * What the caller's statements run into: as the owner, with a search path that holds nothing of the
 * caller's before the system's own names.
 */
const DEFINER = 'LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp'
/** For what runs in every transaction: to plan it anew each time would cost more than to run it. */
const HOT = `${DEFINER} SET plan_cache_mode = force_generic_plan`
/**
 * Called by those only, under their rights and search path: nobody else may execute them, and to
 * set both again would cost microseconds.
 */
const INNER = 'LANGUAGE plpgsql'

/** Sums what still counts, moves counts on in time, and says when enough will have left. Pure. */
const WINDOW_SQL = `
CREATE FUNCTION postern_budgets.used(counts bigint[], newest bigint, step_now bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (SELECT coalesce(sum(c), 0)::bigint FROM unnest(counts) WITH ORDINALITY AS u (c, i)
        WHERE i + greatest(0, step_now - newest) <= 9);

CREATE FUNCTION postern_budgets.opens(counts bigint[], newest bigint, step bigint, needed bigint) RETURNS bigint
${INNER} IMMUTABLE AS $$
DECLARE freed bigint := 0;
BEGIN
  FOR i IN REVERSE 9..1 LOOP
    freed := freed + coalesce(counts[i], 0);
    IF freed >= needed THEN RETURN (newest + 10 - i) * step; END IF;
  END LOOP;
  RETURN (newest + 9) * step;
END $$;
`

/**
 * Refuses: the one place that raises, so that every refusal is counted and logged,
 * whatever the caller does with the error.
 */
const REFUSE_SQL = `
CREATE FUNCTION postern_budgets.refuse(limit_id integer, actor text, allowed bigint, asked bigint, retry_at bigint)
RETURNS void ${INNER} AS $$
DECLARE l postern_budgets.limits;
BEGIN
  SELECT * INTO l FROM postern_budgets.limits WHERE id = limit_id;
  PERFORM nextval(l.refusals);
  RAISE LOG 'postern: budget "%" (%) refused % rows to % with % left', l.budget, l.scope, asked, actor, allowed;
  RAISE EXCEPTION USING ERRCODE = 'PB001',
    MESSAGE = format('budget "%s" has %s rows left for this %s and %s were asked for', l.budget, allowed, l.scope, asked),
    DETAIL = json_build_object('budget', l.budget, 'scope', l.scope, 'allowed', allowed, 'asked', asked,
                               'retryAt', retry_at, 'over', l.over)::text,
    HINT = 'Wait until then, change fewer rows, or ask for an approval.';
END $$;

CREATE FUNCTION postern_budgets.refuse_claim(code text, problem text, hint text) RETURNS void ${INNER} AS $$
BEGIN
  PERFORM nextval('postern_budgets.refused_claims');
  RAISE LOG 'postern: % (role %)', problem, session_user;
  RAISE EXCEPTION USING ERRCODE = code, MESSAGE = problem, HINT = hint;
END $$;
CREATE SEQUENCE postern_budgets.refused_claims;
`

/** What a transaction asks of each limit: `asked(limit, rows)` for a row of `transactions`. */
const ASKED = `
  SELECT l.id, l.budget, l.scope, l.rows, l.step, sum(s.n)::bigint AS asked,
         CASE l.scope WHEN 'actor' THEN t.actor WHEN 'tenant' THEN t.tenant
                      WHEN 'table' THEN format('%I.%I', p.schema, p.relation) ELSE '' END AS key
  FROM unnest(t.slots, t.counts) AS s (slot, n)
  JOIN postern_budgets.slots AS p ON p.id = s.slot
  JOIN postern_budgets.limits AS l ON l.id = ANY (p.limits)
  WHERE NOT l.budget = ANY (granted) AND (l.scope <> 'tenant' OR t.tenant <> '')
  GROUP BY l.id, 7`

/**
 * The rows that the grant of this transaction allows, per budget; checks its signature, its expiry, and that
 * it was given to this actor for this act.
 */
const GRANT_SQL = `
CREATE FUNCTION postern_budgets.open_grant(t postern_budgets.transactions, OUT id text, OUT budgets text[], OUT rows bigint, OUT expires bigint)
${INNER} AS $$
DECLARE
  token text := current_setting('postern.grant', true);
  fields text[];
  pads record;
BEGIN
  IF token IS NULL OR token = '' THEN RETURN; END IF;
  fields := string_to_array(token, '|');
  IF cardinality(fields) = 10 AND fields[1] = 'g1' THEN
    SELECT k.inner_pad, k.outer_pad INTO pads FROM postern_budgets.keys AS k WHERE k.kind = 'grant' AND k.id::text = fields[2];
  END IF;
  IF pads.inner_pad IS NULL
     OR encode(sha256(pads.outer_pad || sha256(pads.inner_pad || convert_to(left(token, -65), 'UTF8'))), 'hex') <> fields[10] THEN
    PERFORM postern_budgets.refuse_claim('PB003', 'the grant is not one that was signed here', 'Ask for a new approval.');
  END IF;
  IF fields[9]::bigint < extract(epoch FROM clock_timestamp()) * 1000 THEN
    PERFORM postern_budgets.refuse_claim('PB003', 'the grant has expired', 'Ask for a new approval.');
  END IF;
  IF convert_from(decode(fields[4], 'hex'), 'UTF8') <> t.actor OR convert_from(decode(fields[5], 'hex'), 'UTF8') <> t.tenant
     OR fields[6] <> t.act THEN
    PERFORM postern_budgets.refuse_claim('PB003', 'the grant was given to another actor or for another act',
      'A grant is good for what was approved, and nothing else.');
  END IF;
  id := fields[3];
  budgets := ARRAY(SELECT convert_from(decode(b, 'hex'), 'UTF8') FROM unnest(string_to_array(fields[7], '.')) AS b);
  rows := fields[8]::bigint;
  expires := fields[9]::bigint;
END $$;
`

/**
 * Looks ahead while the transaction runs, so that a large statement is refused at
 * once. What counts is `settle`.
 */
const LOOK_AHEAD_SQL = `
CREATE FUNCTION postern_budgets.look_ahead(t postern_budgets.transactions) RETURNS void ${INNER} AS $$
DECLARE
  now_ms bigint := extract(epoch FROM clock_timestamp()) * 1000;
  g record := postern_budgets.open_grant(t);
  granted text[] := coalesce(g.budgets, '{}');
  o record;
BEGIN
  SELECT a.*, postern_budgets.used(c.counts, c.newest, now_ms / a.step) AS used, c.counts, c.newest INTO o
  FROM (${ASKED}) AS a LEFT JOIN postern_budgets.counters AS c ON c.limit_id = a.id AND c.key = a.key
  WHERE a.asked + coalesce(postern_budgets.used(c.counts, c.newest, now_ms / a.step), 0) > a.rows
  ORDER BY a.rows - coalesce(postern_budgets.used(c.counts, c.newest, now_ms / a.step), 0) LIMIT 1;
  IF FOUND THEN
    PERFORM postern_budgets.refuse(o.id, t.actor, greatest(0, o.rows - coalesce(o.used, 0)), o.asked,
      CASE WHEN o.asked > o.rows OR o.counts IS NULL THEN now_ms + o.step * 9
           ELSE postern_budgets.opens(o.counts, o.newest, o.step, o.asked + o.used - o.rows) END);
  END IF;
  PERFORM postern_budgets.check_grant(t, g.budgets, g.rows, now_ms);
END $$;

CREATE FUNCTION postern_budgets.check_grant(t postern_budgets.transactions, granted text[], allowed bigint, now_ms bigint)
RETURNS void ${INNER} AS $$
DECLARE o record;
BEGIN
  IF granted IS NULL THEN RETURN; END IF;
  SELECT l.budget, min(l.id) AS id, min(l.step) AS step, a.asked INTO o
  FROM postern_budgets.grant_asks(t, granted) AS a JOIN postern_budgets.limits AS l ON l.budget = a.budget
  WHERE a.asked > allowed GROUP BY l.budget, a.asked LIMIT 1;
  IF FOUND THEN PERFORM postern_budgets.refuse(o.id, t.actor, allowed, o.asked, now_ms + o.step * 9); END IF;
END $$;

CREATE FUNCTION postern_budgets.grant_asks(t postern_budgets.transactions, granted text[])
RETURNS TABLE (budget text, asked bigint) ${INNER} AS $$
BEGIN
  RETURN QUERY
    SELECT b.budget, sum(s.n)::bigint
    FROM unnest(t.slots, t.counts) AS s (slot, n) JOIN postern_budgets.slots AS p ON p.id = s.slot,
    LATERAL (SELECT DISTINCT l.budget FROM postern_budgets.limits AS l WHERE l.id = ANY (p.limits) AND l.budget = ANY (granted)) AS b
    GROUP BY b.budget;
END $$;
`

/**
 * Takes what a transaction asks from the counters, or from its grant, as the transaction
 * commits. Nobody can catch what this raises.
 */
const SETTLE_SQL = `
CREATE FUNCTION postern_budgets.settle() RETURNS trigger ${HOT} AS $$
DECLARE
  t postern_budgets.transactions;
  granted text[] := '{}';
  excess integer;
BEGIN
  UPDATE postern_budgets.transactions SET settled = true WHERE nonce = NEW.nonce AND NOT settled RETURNING * INTO t;
  IF t.nonce IS NULL THEN RETURN NULL; END IF;
  IF t.dry THEN
    PERFORM postern_budgets.refuse_claim('PB004', 'a dry run cannot be committed', 'Roll it back.');
  END IF;
  IF current_setting('postern.grant', true) <> '' THEN granted := postern_budgets.redeem(t); END IF;
  WITH a AS MATERIALIZED (${ASKED} ORDER BY 1, 7),
  taken AS (
    INSERT INTO postern_budgets.counters AS c (limit_id, key, newest, counts, rows)
    SELECT a.id, a.key, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint / a.step, ARRAY[a.asked, 0, 0, 0, 0, 0, 0, 0, 0], a.rows FROM a
    ON CONFLICT (limit_id, key) DO UPDATE SET
      newest = greatest(c.newest, excluded.newest),
      rows = excluded.rows,
      counts = CASE
        WHEN excluded.newest <= c.newest THEN (c.counts[1] + excluded.counts[1]) || c.counts[2:9]
        WHEN excluded.newest - c.newest >= 9 THEN excluded.counts
        ELSE excluded.counts[1:(excluded.newest - c.newest)::integer] || c.counts[1:(9 - excluded.newest + c.newest)::integer] END
    RETURNING limit_id,
      counts[1] + counts[2] + counts[3] + counts[4] + counts[5] + counts[6] + counts[7] + counts[8] + counts[9] > rows AS is_over)
  SELECT min(limit_id) INTO excess FROM taken WHERE is_over;
  IF excess IS NOT NULL THEN PERFORM postern_budgets.refuse_excess(t, granted, excess); END IF;
  IF random() < 0.001 THEN PERFORM postern_budgets.tidy(); END IF;
  RETURN NULL;
END $$;

-- Says by how much a transaction is over a limit: its own rows are in the counter already.
CREATE FUNCTION postern_budgets.refuse_excess(t postern_budgets.transactions, granted text[], excess integer) RETURNS void ${INNER} AS $$
DECLARE
  now_ms bigint := extract(epoch FROM clock_timestamp()) * 1000;
  o record;
BEGIN
  SELECT a.id, a.asked, a.rows, a.step, c.newest, c.counts, postern_budgets.used(c.counts, c.newest, c.newest) AS used INTO o
  FROM (${ASKED}) AS a JOIN postern_budgets.counters AS c ON c.limit_id = a.id AND c.key = a.key
  WHERE a.id = excess ORDER BY a.rows - postern_budgets.used(c.counts, c.newest, c.newest) LIMIT 1;
  o.counts[1] := o.counts[1] - o.asked;
  PERFORM postern_budgets.refuse(o.id, t.actor, greatest(0, o.rows - o.used + o.asked), o.asked,
    CASE WHEN o.asked > o.rows THEN now_ms + o.step * 9
         ELSE postern_budgets.opens(o.counts, o.newest, o.step, o.used - o.rows) END);
END $$;

-- Takes this transaction's rows from its grant, and returns the budgets that the grant stands in for.
CREATE FUNCTION postern_budgets.redeem(t postern_budgets.transactions) RETURNS text[] ${INNER} AS $$
DECLARE
  g record := postern_budgets.open_grant(t);
  now_ms bigint := extract(epoch FROM clock_timestamp()) * 1000;
  before postern_budgets.redeemed;
  tally bigint[];
  o record;
BEGIN
  IF NOT EXISTS (SELECT FROM postern_budgets.grant_asks(t, g.budgets)) THEN RETURN '{}'; END IF;
  INSERT INTO postern_budgets.redeemed AS r (id, xid, actor, act, budgets, counts, rows, expires)
  VALUES (g.id, t.xid, t.actor, t.act, g.budgets, array_fill(0::bigint, ARRAY[cardinality(g.budgets)]), g.rows, g.expires)
  ON CONFLICT (id) DO UPDATE SET at = r.at WHERE r.xid = excluded.xid
  RETURNING * INTO before;
  IF before.id IS NULL THEN
    PERFORM postern_budgets.refuse_claim('PB003', 'the grant was used before', 'Ask for a new approval.');
  END IF;
  tally := before.counts;
  FOR o IN SELECT a.budget, a.asked, array_position(g.budgets, a.budget) AS place,
      (SELECT min(l.id) FROM postern_budgets.limits AS l WHERE l.budget = a.budget) AS limit_id
    FROM postern_budgets.grant_asks(t, g.budgets) AS a
  LOOP
    IF tally[o.place] + o.asked > g.rows THEN
      PERFORM postern_budgets.refuse(o.limit_id, t.actor, g.rows - tally[o.place], o.asked, now_ms);
    END IF;
    tally[o.place] := tally[o.place] + o.asked;
  END LOOP;
  UPDATE postern_budgets.redeemed SET counts = tally WHERE id = g.id;
  RETURN g.budgets;
END $$;

CREATE FUNCTION postern_budgets.tidy() RETURNS void ${INNER} AS $$
DECLARE now_ms bigint := extract(epoch FROM clock_timestamp()) * 1000;
BEGIN
  DELETE FROM postern_budgets.transactions WHERE nonce IN (
    SELECT nonce FROM postern_budgets.transactions WHERE expires < now_ms LIMIT 2000 FOR UPDATE SKIP LOCKED);
  DELETE FROM postern_budgets.redeemed WHERE id IN (
    SELECT id FROM postern_budgets.redeemed WHERE expires < now_ms - 86400000 LIMIT 100 FOR UPDATE SKIP LOCKED);
END $$;

CREATE CONSTRAINT TRIGGER settle AFTER INSERT ON postern_budgets.transactions
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION postern_budgets.settle();
-- After SET CONSTRAINTS ... IMMEDIATE, what follows has to be settled again.
CREATE CONSTRAINT TRIGGER settle_again AFTER UPDATE ON postern_budgets.transactions
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.settled AND NOT NEW.settled) EXECUTE FUNCTION postern_budgets.settle();
`

/**
 * Notes rows that a statement changed for the transaction. One statement counts them, verifies the claim
 * and makes or raises this transaction's row: each statement and each expression of a function is prepared
 * anew in every transaction, and that is most of what a small change costs. A claim that another
 * transaction has used finds the row of that one, and is refused. `FROM` says where the number of rows
 * `s.n` comes from; no row is noted when it is 0.
 */
const note = (from: string): string => `
  INSERT INTO postern_budgets.transactions AS x
    (nonce, xid, claim, actor, tenant, act, expires, slots, counts, statements, settled, dry)
  SELECT c.f[4], pg_current_xact_id(), given, convert_from(decode(c.f[5], 'hex'), 'UTF8'), convert_from(decode(c.f[6], 'hex'), 'UTF8'),
    c.f[7], c.f[3]::bigint, ARRAY[slot], ARRAY[s.n], 1, false, coalesce(current_setting('postern.dry_run', true), '') = 'on'
  FROM (${from}) AS s, (SELECT string_to_array(given, '|') AS f) AS c
  JOIN postern_budgets.keys AS k ON k.kind = 'claim' AND k.id::text = c.f[2]
  WHERE s.n > 0 AND cardinality(c.f) = 8 AND c.f[1] = 'c1'
    AND encode(sha256(k.outer_pad || sha256(k.inner_pad || convert_to(left(given, -65), 'UTF8'))), 'hex') = c.f[8]
  ON CONFLICT (nonce) DO UPDATE SET
    statements = x.statements + 1,
    settled = false,
    dry = x.dry OR excluded.dry,
    slots = CASE WHEN x.settled THEN excluded.slots WHEN slot = ANY (x.slots) THEN x.slots ELSE x.slots || slot END,
    counts = CASE WHEN x.settled THEN excluded.counts WHEN slot = ANY (x.slots)
      THEN x.counts[:array_position(x.slots, slot) - 1] || (x.counts[array_position(x.slots, slot)] + excluded.counts[1])
           || x.counts[array_position(x.slots, slot) + 1:]
      ELSE x.counts || excluded.counts END
  WHERE x.xid = excluded.xid AND x.claim = excluded.claim
  RETURNING * INTO t;`

const SPEND_SQL = `
-- What is noted is looked at once more when it is the transaction's first, or much: n rows of this table by so many statements. A small change is left to settle(): looking ahead costs as much as the change.
CREATE FUNCTION postern_budgets.look_at(t postern_budgets.transactions, n bigint) RETURNS void ${INNER} AS $$
BEGIN
  IF t.statements = 1 AND NOT t.expires - extract(epoch FROM clock_timestamp()) * 1000 BETWEEN 0 AND 3600000 THEN
    PERFORM postern_budgets.refuse_claim('PB002', 'the claim of who acts has expired',
      'Begin a new transaction; check that the clocks of the application and the database agree.');
  END IF;
  IF (n >= t.statements + 9 OR t.statements % 16 = 0) AND NOT t.dry THEN PERFORM postern_budgets.look_ahead(t); END IF;
END $$;

-- A change without a claim: refused, let pass (null), or counted for the role that logged in, under a claim that the database makes for this transaction.
CREATE FUNCTION postern_budgets.unclaimed() RETURNS text ${INNER} AS $$
DECLARE
  s postern_budgets.settings;
  k postern_budgets.keys;
  claim text;
BEGIN
  SELECT * INTO s FROM postern_budgets.settings;
  IF session_user = ANY (s.exempt) THEN RETURN NULL; END IF;
  SELECT * INTO k FROM postern_budgets.keys WHERE kind = 'claim' ORDER BY id LIMIT 1;
  IF s.unclaimed IS DISTINCT FROM 'count' OR k.id IS NULL THEN
    PERFORM postern_budgets.refuse_claim('PB002', 'a change to a guarded table needs a claim of who acts',
      'Use a guarded connection inside actingAs(), or exempt this role.');
  END IF;
  -- The expiry is that of the transaction's begin, so that every statement of it makes the same text.
  claim := concat_ws('|', 'c1', k.id, floor(extract(epoch FROM transaction_timestamp()) * 1000)::bigint + 3500000, 'x' || pg_current_xact_id(),
    encode(convert_to('role:' || session_user, 'UTF8'), 'hex'), '', '');
  RETURN claim || '|' || encode(sha256(k.outer_pad || sha256(k.inner_pad || convert_to(claim, 'UTF8'))), 'hex');
END $$;

CREATE FUNCTION postern_budgets.refuse_unusable(given text) RETURNS void ${INNER} AS $$
BEGIN
  IF EXISTS (SELECT FROM postern_budgets.transactions AS t WHERE t.claim = given AND t.nonce = split_part(given, '|', 4)) THEN
    PERFORM postern_budgets.refuse_claim('PB002', 'the claim of who acts was used by another transaction',
      'A claim is good for one transaction. Use a guarded connection.');
  END IF;
  PERFORM postern_budgets.refuse_claim('PB002', 'the claim of who acts is not one that was signed for this database',
    'Check that the application and postern budgets install use the same key.');
END $$;
`

/**
 * Rows are written as text under settings of our own: the caller's could round
 * numbers or swap days and months.
 */
const EXACT =
  "SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' SET extra_float_digits = 3 SET bytea_output = 'hex' SET lc_monetary = 'C' SET xmlbinary = 'base64' SET timezone = 'UTC'"

const DECLARE = `
DECLARE
  slot integer := TG_ARGV[0];
  given text := current_setting('postern.claim', true);
  t postern_budgets.transactions;
  n bigint;`

/** Without a claim, one is made or the change refused; `nothing` is what holds when no row was changed. */
const withClaim = (nothing: string): string => `
  IF given IS NULL OR given = '' THEN
    IF ${nothing} THEN RETURN NULL; END IF;
    given := postern_budgets.unclaimed();
    IF given IS NULL THEN RETURN NULL; END IF;
  END IF;`

const afterNote = (nothing: string): string => `
  IF t.nonce IS NULL THEN
    IF ${nothing} THEN RETURN NULL; END IF;
    PERFORM postern_budgets.refuse_unusable(given);
  END IF;`

/** Counts rows of one transition table. */
const countRows = (name: string, table: string): string => `
CREATE FUNCTION postern_budgets.${name}() RETURNS trigger ${HOT} AS $$${DECLARE}
BEGIN${withClaim(`NOT EXISTS (SELECT FROM ${table})`)}${note(`SELECT count(*) AS n FROM ${table}`)}${afterNote(`NOT EXISTS (SELECT FROM ${table})`)}
  n := t.counts[array_position(t.slots, slot)];
  IF t.statements = 1 OR n >= t.statements + 9 OR t.statements % 16 = 0 THEN PERFORM postern_budgets.look_at(t, n); END IF;
  RETURN NULL;
END $$;
`

/**
 * What the triggers of a guarded table run. Transition tables are visible in the trigger's own function only.
 */
const COUNT_SQL = `
${countRows('count_old', 'postern_old')}
${countRows('count_new', 'postern_new')}
CREATE FUNCTION postern_budgets.count_and_keep() RETURNS trigger ${HOT} ${EXACT} AS $$${DECLARE}
  olds text[];
  news uuid[];
BEGIN
  SELECT count(*) INTO n FROM postern_old;
  IF n = 0 THEN RETURN NULL; END IF;${withClaim('false')}${note('SELECT n')}${afterNote('false')}
  PERFORM postern_budgets.look_at(t, t.counts[array_position(t.slots, slot)]);
  IF t.dry THEN RETURN NULL; END IF;
  IF n <= 20000 THEN
    SELECT array_agg(o::text) INTO olds FROM postern_old AS o;
    IF TG_OP = 'UPDATE' THEN SELECT array_agg(md5(w::text)::uuid) INTO news FROM postern_new AS w; END IF;
    INSERT INTO postern_budgets.journal (change, actor, tenant, schema, relation, action, rows, columns, old, became)
    VALUES (t.xid::text, t.actor, t.tenant, TG_TABLE_SCHEMA, TG_TABLE_NAME, lower(TG_OP), n, postern_budgets.columns_of(TG_RELID), olds, news);
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO postern_budgets.journal (change, actor, tenant, schema, relation, action, rows, columns, old)
    SELECT t.xid::text, t.actor, t.tenant, TG_TABLE_SCHEMA, TG_TABLE_NAME, 'delete', count(*), postern_budgets.columns_of(TG_RELID), array_agg(p.old)
    FROM (SELECT o::text AS old, (row_number() OVER () - 1) / 20000 AS part FROM postern_old AS o) AS p GROUP BY p.part;
  ELSE
    INSERT INTO postern_budgets.journal (change, actor, tenant, schema, relation, action, rows, columns, old, became)
    SELECT t.xid::text, t.actor, t.tenant, TG_TABLE_SCHEMA, TG_TABLE_NAME, 'update', count(*), postern_budgets.columns_of(TG_RELID),
      array_agg(p.old), array_agg(q.became)
    FROM (SELECT o::text AS old, row_number() OVER () AS place FROM postern_old AS o) AS p
    JOIN (SELECT md5(w::text)::uuid AS became, row_number() OVER () AS place FROM postern_new AS w) AS q USING (place)
    GROUP BY (place - 1) / 20000;
  END IF;
  RETURN NULL;
END $$;

-- TRUNCATE deletes every row. Partitions are truncated, and so counted, one by one.
CREATE FUNCTION postern_budgets.count_truncate() RETURNS trigger ${DEFINER} SET row_security = off ${EXACT} AS $$${DECLARE}
BEGIN
  EXECUTE format('SELECT count(*) FROM ONLY %s', TG_RELID::regclass) INTO n;
  IF n = 0 THEN RETURN NULL; END IF;${withClaim('false')}${note('SELECT n')}${afterNote('false')}
  PERFORM postern_budgets.look_at(t, t.counts[array_position(t.slots, slot)]);
  IF TG_ARGV[1] = 'undo' AND NOT t.dry THEN
    EXECUTE format('INSERT INTO postern_budgets.journal (change, actor, tenant, schema, relation, action, rows, columns, old)
      SELECT $1, $2, $3, $4, $5, ''delete'', count(*), postern_budgets.columns_of($6), array_agg(p.old)
      FROM (SELECT o::text AS old, (row_number() OVER () - 1) / 20000 AS part FROM ONLY %s AS o) AS p GROUP BY p.part', TG_RELID::regclass)
    USING t.xid::text, t.actor, t.tenant, TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_RELID;
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION postern_budgets.columns_of(relation oid) RETURNS text[] ${INNER} STABLE AS $$
BEGIN
  RETURN ARRAY(SELECT quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod) FROM pg_attribute AS a
    WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum);
END $$;
`

/**
 * Puts the triggers on a table; also on partitions and children that are made later,
 * when an event trigger may be had.
 */
const PROTECT_SQL = `
-- The table whose budgets a partition falls under: its topmost ancestor.
CREATE FUNCTION postern_budgets.root_of(relation oid) RETURNS oid ${INNER} STABLE AS $$
BEGIN
  RETURN (WITH RECURSIVE up (id, depth) AS (
      SELECT relation, 0 UNION ALL
      SELECT i.inhparent, up.depth + 1 FROM pg_inherits AS i JOIN up ON i.inhrelid = up.id WHERE up.depth < 32)
    SELECT id FROM up ORDER BY depth DESC LIMIT 1);
END $$;

-- What should guard a table, and what does: one row for each action that a rule names.
CREATE FUNCTION postern_budgets.wanted(relation oid)
RETURNS TABLE (root_schema name, root_name name, action text, undo boolean, limits integer[]) ${INNER} STABLE AS $$
BEGIN
  RETURN QUERY
    SELECT n.nspname, c.relname, r.action, bool_or(r.undo), array_agg(DISTINCT l.id ORDER BY l.id)
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN postern_budgets.rules AS r
      ON (r.relation = c.relname OR r.relation = '')
      AND (r.schema = n.nspname OR (r.schema = '' AND n.nspname = ANY ((SELECT s.schemas FROM postern_budgets.settings AS s)::name[])))
    JOIN postern_budgets.limits AS l ON l.budget = r.budget
    WHERE c.oid = postern_budgets.root_of($1) AND c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
    GROUP BY n.nspname, c.relname, r.action;
END $$;

CREATE FUNCTION postern_budgets.protect(relation regclass) RETURNS void ${DEFINER} SET client_min_messages = warning AS $$
DECLARE
  w record;
  slot integer;
  keeps boolean;
  name text;
BEGIN
  IF EXISTS (SELECT FROM pg_class WHERE oid = relation AND relkind NOT IN ('r', 'p')) THEN RETURN; END IF;
  FOREACH name IN ARRAY ARRAY['delete', 'update', 'insert', 'truncate'] LOOP
    EXECUTE format('DROP TRIGGER IF EXISTS postern_budget_%s ON %s', name, relation);
  END LOOP;
  FOR w IN SELECT * FROM postern_budgets.wanted(relation) LOOP
    INSERT INTO postern_budgets.slots AS s (schema, relation, action, limits)
    VALUES (w.root_schema, w.root_name, w.action, w.limits)
    ON CONFLICT ON CONSTRAINT slots_schema_relation_action_key DO UPDATE SET limits = excluded.limits
    RETURNING s.id INTO slot;
    keeps := w.undo AND w.action <> 'insert';
    EXECUTE format('CREATE TRIGGER postern_budget_%s AFTER %s ON %s REFERENCING %s FOR EACH STATEMENT EXECUTE FUNCTION postern_budgets.%s(%L)',
      w.action, w.action, relation,
      CASE w.action WHEN 'insert' THEN 'NEW TABLE AS postern_new'
        WHEN 'update' THEN 'OLD TABLE AS postern_old' || CASE WHEN keeps THEN ' NEW TABLE AS postern_new' ELSE '' END
        ELSE 'OLD TABLE AS postern_old' END,
      CASE WHEN keeps THEN 'count_and_keep' WHEN w.action = 'insert' THEN 'count_new' ELSE 'count_old' END, slot);
    IF w.action = 'delete' THEN
      EXECUTE format('CREATE TRIGGER postern_budget_truncate BEFORE TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION postern_budgets.count_truncate(%L, %L)',
        relation, slot, CASE WHEN keeps THEN 'undo' ELSE '' END);
    END IF;
  END LOOP;
END $$;

-- Every table that a rule is about, with its partitions and children, the triggers it has, and those of them that fire.
CREATE FUNCTION postern_budgets.tables()
RETURNS TABLE (relation regclass, root regclass, actions text[], present text[], triggers text[]) ${DEFINER} STABLE AS $$
BEGIN
  RETURN QUERY
    SELECT c.oid::regclass, postern_budgets.root_of(c.oid)::regclass, w.actions, coalesce(h.present, '{}'), coalesce(h.enabled, '{}')
    FROM pg_class AS c,
    LATERAL (SELECT array_agg(x.action ORDER BY x.action) AS actions FROM postern_budgets.wanted(c.oid) AS x) AS w,
    LATERAL (SELECT array_agg(substr(g.tgname, 16) ORDER BY g.tgname) AS present,
               array_agg(substr(g.tgname, 16) ORDER BY g.tgname) FILTER (WHERE g.tgenabled IN ('O', 'A')) AS enabled
             FROM pg_trigger AS g JOIN pg_proc AS f ON f.oid = g.tgfoid
             WHERE g.tgrelid = c.oid AND g.tgname LIKE 'postern\\_budget\\_%' AND f.pronamespace = 'postern_budgets'::regnamespace) AS h
    WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND c.relnamespace <> 'postern_budgets'::regnamespace
      AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace) AND w.actions IS NOT NULL
    ORDER BY 1;
END $$;

-- Triggers that somebody disabled stay disabled, and are reported: an owner may have a reason.
CREATE FUNCTION postern_budgets.follow() RETURNS event_trigger ${DEFINER} AS $$
DECLARE o record;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_event_trigger_ddl_commands() AS c WHERE c.schema_name IS DISTINCT FROM 'pg_temp') THEN RETURN; END IF;
  FOR o IN SELECT x.relation FROM postern_budgets.tables() AS x
    WHERE NOT x.present @> x.actions OR (x.actions @> '{delete}' AND NOT x.present @> '{truncate}')
  LOOP
    PERFORM postern_budgets.protect(o.relation);
  END LOOP;
END $$;
`

/** What installing calls: the rest of the configuration is plain rows. */
const CONFIGURE_SQL = `
CREATE FUNCTION postern_budgets.set_limit(budget_name text, scope_name text, row_limit bigint, step_ms bigint, over_mode text) RETURNS void ${DEFINER} AS $$
DECLARE
  before postern_budgets.limits;
  l postern_budgets.limits;
BEGIN
  SELECT * INTO before FROM postern_budgets.limits WHERE budget = budget_name AND scope = scope_name;
  INSERT INTO postern_budgets.limits (budget, scope, rows, step, over) VALUES (budget_name, scope_name, row_limit, step_ms, over_mode)
  ON CONFLICT (budget, scope) DO UPDATE SET rows = excluded.rows, step = excluded.step, over = excluded.over
  RETURNING * INTO l;
  -- Counts of another window mean nothing in this one.
  IF before.step <> l.step THEN DELETE FROM postern_budgets.counters WHERE limit_id = l.id; END IF;
  IF l.refusals IS NULL THEN
    EXECUTE format('CREATE SEQUENCE postern_budgets.refused_%s', l.id);
    UPDATE postern_budgets.limits SET refusals = format('postern_budgets.refused_%s', l.id)::regclass WHERE id = l.id;
  END IF;
END $$;

-- Takes away limits that are no longer configured, and puts the triggers where they belong now.
CREATE FUNCTION postern_budgets.apply(budgets text[], scopes text[]) RETURNS void ${DEFINER} AS $$
DECLARE o record;
BEGIN
  FOR o IN DELETE FROM postern_budgets.limits AS l
    WHERE NOT EXISTS (SELECT FROM unnest(budgets, scopes) AS u (b, s) WHERE u.b = l.budget AND u.s = l.scope) RETURNING l.id, l.refusals
  LOOP
    DELETE FROM postern_budgets.counters WHERE limit_id = o.id;
    EXECUTE format('DROP SEQUENCE %s', o.refusals);
  END LOOP;
  FOR o IN SELECT DISTINCT t.tgrelid::regclass AS relation FROM pg_trigger AS t JOIN pg_proc AS p ON p.oid = t.tgfoid
    WHERE p.pronamespace = 'postern_budgets'::regnamespace AND t.tgname LIKE 'postern\\_budget\\_%'
    UNION SELECT x.relation FROM postern_budgets.tables() AS x
  LOOP
    PERFORM postern_budgets.protect(o.relation);
  END LOOP;
END $$;
`

/** What the application's role may call. */
const CALLABLE_SQL = `
-- What the running transaction has changed so far, for a dry run.
CREATE FUNCTION postern_budgets.pending() RETURNS TABLE (schema name, relation name, action text, rows bigint) ${DEFINER} AS $$
BEGIN
  RETURN QUERY SELECT p.schema, p.relation, p.action, sum(s.n)::bigint
    FROM postern_budgets.transactions AS t, unnest(t.slots, t.counts) AS s (slot, n) JOIN postern_budgets.slots AS p ON p.id = s.slot
    WHERE t.xid = pg_current_xact_id_if_assigned() GROUP BY p.schema, p.relation, p.action ORDER BY 1, 2, 3;
END $$;

-- A refusal, told by the wrapper in a transaction of its own. The newest 100,000 are kept.
CREATE FUNCTION postern_budgets.record_attempt(actor text, budget text, scope text, allowed bigint, asked bigint) RETURNS void ${DEFINER} AS $$
BEGIN
  INSERT INTO postern_budgets.attempts (role, actor, budget, scope, allowed, asked)
  VALUES (session_user, left(actor, 256), left(budget, 128), left(scope, 16), allowed, asked);
  IF random() < 0.01 THEN
    DELETE FROM postern_budgets.attempts WHERE id < (SELECT max(id) FROM postern_budgets.attempts) - 100000;
  END IF;
END $$;
`

/** Nobody but the owner runs any of it directly; triggers need no right. */
const RIGHTS_SQL = `
REVOKE ALL ON ALL TABLES IN SCHEMA postern_budgets FROM PUBLIC;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA postern_budgets FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA postern_budgets FROM PUBLIC;
GRANT EXECUTE ON FUNCTION postern_budgets.pending() TO PUBLIC;
GRANT EXECUTE ON FUNCTION postern_budgets.record_attempt(text, text, text, bigint, bigint) TO PUBLIC;
`

/** Schema, tables and functions, in the order they need each other. */
export const BUDGETS_SCHEMA_SQL: string = [
  TABLES_SQL,
  WINDOW_SQL,
  REFUSE_SQL,
  GRANT_SQL,
  LOOK_AHEAD_SQL,
  SETTLE_SQL,
  SPEND_SQL,
  COUNT_SQL,
  PROTECT_SQL,
  CONFIGURE_SQL,
  CALLABLE_SQL,
  RIGHTS_SQL,
].join('')

/** Tables made later are guarded as they are made. Only a superuser may have it. */
export const FOLLOW_SQL = `
CREATE EVENT TRIGGER postern_budgets_follow ON ddl_command_end
  WHEN TAG IN ('CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO', 'ALTER TABLE')
  EXECUTE FUNCTION postern_budgets.follow();
ALTER EVENT TRIGGER postern_budgets_follow ENABLE ALWAYS;
`

/** Takes everything away, with the triggers: those of guarded tables depend on the functions. */
export const REMOVE_SQL = `
DROP EVENT TRIGGER IF EXISTS postern_budgets_follow;
DROP SCHEMA IF EXISTS postern_budgets CASCADE;
`
