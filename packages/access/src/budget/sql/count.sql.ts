import { DEFINER, HOT, INNER } from './functions.ts'
import { freeLane, raise, stillFits } from './spend.sql.ts'

const EQ = 'OPERATOR(pg_catalog.=)'

/**
 * Rows are written as text under settings of our own: the caller's could round numbers or swap days and
 * months. To set all seven for a function costs more than the rest of it, so they are set only where the
 * caller's would write something else: dates in ISO order are written alike whatever the order of days and
 * months, and floats exactly from one extra digit on.
 */
const EXACT: Readonly<Record<string, string>> = {
  datestyle: 'ISO, YMD',
  intervalstyle: 'postgres',
  extra_float_digits: '3',
  bytea_output: 'hex',
  lc_monetary: 'C',
  xmlbinary: 'base64',
  timezone: 'UTC',
}
const SET_EXACT: string = Object.entries(EXACT)
  .map(([name, value]) => `SET ${name} = '${value}'`)
  .join(' ')
const IS_EXACT = `concat_ws('|', left(current_setting('datestyle'), 3), current_setting('intervalstyle'), current_setting('bytea_output'),
    current_setting('lc_monetary'), current_setting('xmlbinary'), replace(current_setting('timezone'), 'Etc/', '')) = 'ISO|postgres|hex|C|base64|UTC'
    AND current_setting('extra_float_digits')::integer > 0`

/**
 * What a transaction is called in the journal: when it began, in microseconds, and its number. A number alone
 * comes again when a dump is restored into another server, and two changes would be put back as one.
 */
const CHANGE_ID =
  '(floor(extract(epoch FROM transaction_timestamp()) * 1000000)::bigint::text || pg_current_xact_id()::text)'

/**
 * Counts the rows of a transition table. Arguments of the trigger: the limit of the actor, its step in
 * milliseconds, and the other limits; what else they are is for `charge`.
 *
 * In every statement but the first of a transaction this is one UPDATE; what else there is to do is in other
 * functions. PL/pgSQL prepares each statement and expression again in every transaction, and that is most of
 * what a small change costs: so there are few of them. Leaves the rows in `n`.
 * @param done what to do when that was all
 */
const count = (table: string, done: string): string => `
  IF given ${EQ} '' IS NOT FALSE OR pg_catalog.concat(pg_catalog.current_setting('postern.grant', true), pg_catalog.current_setting('postern.dry_run', true)) OPERATOR(pg_catalog.<>) '' THEN
    SELECT pg_catalog.count(*) INTO n FROM ${table};
    n := postern_budgets.charge(TG_ARGV, given, n);
  ELSE
    who := pg_catalog.split_part(given, '|', 5);
    mine := ${freeLane('TG_ARGV[0]::pg_catalog.int8', 'who')};
    UPDATE postern_budgets.counters AS c SET ${raise('s.n')}
    FROM (SELECT pg_catalog.count(*) AS n FROM ${table}) AS s
    WHERE c.limit_id ${EQ} TG_ARGV[0]::pg_catalog.int4 AND c.key ${EQ} who AND c.lane ${EQ} mine AND s.n OPERATOR(pg_catalog.>) 0
    RETURNING s.n, c.again, ${stillFits('TG_ARGV[1]::pg_catalog.float8')} INTO n, again, fits;${done}
    IF n IS NULL THEN
      SELECT pg_catalog.count(*) INTO n FROM ${table};
      IF n ${EQ} 0 THEN RETURN NULL; END IF;
    END IF;
    IF again IS NOT TRUE THEN again := postern_budgets.admit(given); END IF;
    IF fits IS NOT TRUE THEN PERFORM postern_budgets.stretch(TG_ARGV[0]::pg_catalog.int4, who, mine, n, given, fits IS NOT NULL); END IF;
    IF TG_ARGV[2] OPERATOR(pg_catalog.<>) '' THEN PERFORM postern_budgets.charge_others(TG_ARGV, given, n); END IF;
  END IF;`

const DECLARE = `
DECLARE
  given pg_catalog.text := pg_catalog.current_setting('postern.claim', true);
  who pg_catalog.text;
  mine pg_catalog.int2;
  n pg_catalog.int8;
  again pg_catalog.bool;
  fits pg_catalog.bool;`

const countRows = (name: string, table: string): string => `
CREATE FUNCTION postern_budgets.${name}() RETURNS trigger ${HOT} AS $$${DECLARE}
BEGIN${count(
  table,
  `
    IF again AND fits AND TG_ARGV[2] ${EQ} '' THEN RETURN NULL; END IF;`,
)}
  RETURN NULL;
END $$;
`

/**
 * What the triggers of a guarded table run. Transition tables are visible in the trigger's own function only.
 */
export const COUNT_SQL: string = `
-- The key that a limit is held against; null when it is not held against anybody here.
CREATE FUNCTION postern_budgets.key_for(l postern_budgets.limits, args text[], who text, tenant text) RETURNS text LANGUAGE sql STABLE
RETURN CASE l.scope WHEN 'actor' THEN who WHEN 'tenant' THEN nullif(tenant, '')
  WHEN 'table' THEN postern_budgets.key_of(format('%I.%I', args[4], args[5])) ELSE '' END;

-- All limits but the first of a trigger.
CREATE FUNCTION postern_budgets.charge_others(args text[], given text, n bigint) RETURNS void ${DEFINER} AS $$
DECLARE l postern_budgets.limits;
BEGIN
  FOR l IN SELECT * FROM postern_budgets.limits AS x WHERE x.id = ANY (string_to_array(args[2], ',')::integer[]) ORDER BY x.id LOOP
    PERFORM postern_budgets.spend(l, k, given, n)
    FROM postern_budgets.key_for(l, args, split_part(given, '|', 5), split_part(given, '|', 6)) AS k WHERE k IS NOT NULL;
  END LOOP;
END $$;

-- What is not the ordinary case: no claim, a grant, a dry run. Returns the rows that are to be kept for undo.
CREATE FUNCTION postern_budgets.charge(args text[], given text, n bigint) RETURNS bigint ${DEFINER} AS $$
DECLARE
  l postern_budgets.limits;
  g record;
  who text;
  tenant text := '';
  act text := '';
  paid text[] := '{}';
BEGIN
  IF n = 0 THEN RETURN 0; END IF;
  IF given = '' IS NOT FALSE THEN
    given := '';
    who := postern_budgets.unclaimed();
    IF who IS NULL THEN RETURN 0; END IF;
  ELSE
    PERFORM postern_budgets.admit(given);
    who := split_part(given, '|', 5);
    tenant := split_part(given, '|', 6);
    act := split_part(given, '|', 7);
  END IF;
  IF current_setting('postern.dry_run', true) = 'on' THEN
    INSERT INTO postern_budgets.dry_runs (xid, schema, relation, action, rows) VALUES (pg_current_xact_id(), args[4], args[5], args[3], n);
    RETURN 0;
  END IF;
  g := postern_budgets.open_grant(who, tenant, act);
  FOR l IN SELECT * FROM postern_budgets.limits AS x WHERE x.id = ANY (string_to_array(concat_ws(',', args[0], nullif(args[2], '')), ',')::integer[]) ORDER BY x.id LOOP
    IF l.budget = ANY (g.budgets) THEN
      IF l.budget = ANY (paid) THEN CONTINUE; END IF;
      paid := paid || l.budget;
      PERFORM postern_budgets.redeem(g, who, act, l, n);
    ELSE
      PERFORM postern_budgets.spend(l, k, given, n) FROM postern_budgets.key_for(l, args, who, tenant) AS k WHERE k IS NOT NULL;
    END IF;
  END LOOP;
  RETURN n;
END $$;

CREATE FUNCTION postern_budgets.end_dry_run() RETURNS trigger ${DEFINER} AS $$
BEGIN
  PERFORM postern_budgets.refuse_claim('PB004', 'a dry run cannot be committed', 'Roll it back.');
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER end_dry_run AFTER INSERT ON postern_budgets.dry_runs
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION postern_budgets.end_dry_run();

${countRows('count_old', 'postern_old')}
${countRows('count_new', 'postern_new')}
-- Who acts, for the journal.
CREATE FUNCTION postern_budgets.acting(OUT actor text, OUT tenant text) ${INNER} STABLE AS $$
DECLARE given text := current_setting('postern.claim', true);
BEGIN
  actor := CASE WHEN given = '' IS NOT FALSE THEN 'role:' || session_user ELSE postern_budgets.name_of(split_part(given, '|', 5)) END;
  tenant := postern_budgets.name_of(split_part(coalesce(given, ''), '|', 6));
END $$;

CREATE FUNCTION postern_budgets.write_as_before(before jsonb) RETURNS void ${INNER} AS $$
BEGIN
  PERFORM set_config(key, value, true) FROM jsonb_each_text(before);
END $$;

-- Writes rows as the journal has them from here on, and returns what the settings of the caller were.
CREATE FUNCTION postern_budgets.write_exactly() RETURNS jsonb ${INNER} AS $$
DECLARE
  before jsonb;
  exact jsonb;
BEGIN
  SELECT jsonb_object_agg(e.name, current_setting(e.name)), jsonb_object_agg(e.name, e.value) INTO before, exact
  FROM (VALUES ${Object.entries(EXACT)
    .map(([name, value]) => `('${name}', '${value}')`)
    .join(', ')}) AS e (name, value) WHERE current_setting(e.name) <> e.value;
  PERFORM postern_budgets.write_as_before(exact);
  RETURN before;
END $$;

CREATE FUNCTION postern_budgets.count_and_keep() RETURNS trigger ${DEFINER} AS $$${DECLARE}
  before jsonb;
  olds text[];
  news uuid[];
BEGIN${count('postern_old', '')}
  IF n = 0 THEN RETURN NULL; END IF;
  IF NOT (${IS_EXACT}) THEN before := postern_budgets.write_exactly(); END IF;
  IF n <= 20000 THEN
    SELECT array_agg(o::text) INTO olds FROM postern_old AS o;
    IF TG_OP = 'UPDATE' THEN SELECT array_agg(md5(w::text)::uuid) INTO news FROM postern_new AS w; END IF;
    INSERT INTO postern_budgets.journal (change, actor, tenant, schema, relation, action, rows, columns, old, became)
    SELECT ${CHANGE_ID}, a.actor, a.tenant, TG_TABLE_SCHEMA, TG_TABLE_NAME, lower(TG_OP), n, postern_budgets.columns_of(TG_RELID), olds, news
    FROM postern_budgets.acting() AS a;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO postern_budgets.journal (change, actor, tenant, schema, relation, action, rows, columns, old)
    SELECT ${CHANGE_ID}, a.actor, a.tenant, TG_TABLE_SCHEMA, TG_TABLE_NAME, 'delete', count(*), postern_budgets.columns_of(TG_RELID), array_agg(p.old)
    FROM (SELECT o::text AS old, (row_number() OVER () - 1) / 20000 AS part FROM postern_old AS o) AS p, postern_budgets.acting() AS a GROUP BY p.part, a.actor, a.tenant;
  ELSE
    INSERT INTO postern_budgets.journal (change, actor, tenant, schema, relation, action, rows, columns, old, became)
    SELECT ${CHANGE_ID}, a.actor, a.tenant, TG_TABLE_SCHEMA, TG_TABLE_NAME, 'update', count(*), postern_budgets.columns_of(TG_RELID),
      array_agg(p.old), array_agg(q.became)
    FROM (SELECT o::text AS old, row_number() OVER () AS place FROM postern_old AS o) AS p
    JOIN (SELECT md5(w::text)::uuid AS became, row_number() OVER () AS place FROM postern_new AS w) AS q USING (place), postern_budgets.acting() AS a
    GROUP BY (place - 1) / 20000, a.actor, a.tenant;
  END IF;
  IF before IS NOT NULL THEN PERFORM postern_budgets.write_as_before(before); END IF;
  RETURN NULL;
END $$;

-- TRUNCATE deletes every row, those included that the snapshot of its transaction does not show. Partitions are truncated, and so counted, one by one.
-- A cast of the row would be one that the table's owner may have made, run as the owner of this function; rows of a transition table are of no such type.
CREATE FUNCTION postern_budgets.count_truncate() RETURNS trigger ${DEFINER} SET row_security = off ${SET_EXACT} AS $$
DECLARE n bigint;
BEGIN
  IF current_setting('transaction_isolation') IN ('repeatable read', 'serializable') AND pg_relation_size(TG_RELID) > 0
     AND NOT (current_setting('postern.claim', true) = '' IS NOT FALSE AND session_user = ANY ((SELECT s.exempt FROM postern_budgets.settings AS s)::name[])) THEN
    PERFORM postern_budgets.refuse_claim('0A000', 'TRUNCATE of a table with a budget needs READ COMMITTED: an older snapshot does not show every row that goes',
      'Use DELETE, or BEGIN ISOLATION LEVEL READ COMMITTED.');
  END IF;
  EXECUTE format('SELECT count(*) FROM ONLY %s', TG_RELID::regclass) INTO n;
  IF n = 0 THEN RETURN NULL; END IF;
  n := postern_budgets.charge(TG_ARGV, current_setting('postern.claim', true), n);
  IF TG_ARGV[6] = 'undo' AND n > 0 THEN
    EXECUTE format('INSERT INTO postern_budgets.journal (change, actor, tenant, schema, relation, action, rows, columns, old)
      SELECT ${CHANGE_ID}, a.actor, a.tenant, $1, $2, ''delete'', count(*), postern_budgets.columns_of($3), array_agg(p.old)
      FROM (SELECT format(''%%s'', o) AS old, (row_number() OVER () - 1) / 20000 AS part FROM ONLY %s AS o) AS p, postern_budgets.acting() AS a
      GROUP BY p.part, a.actor, a.tenant', TG_RELID::regclass)
    USING TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_RELID;
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION postern_budgets.columns_of(relation oid) RETURNS text[] ${INNER} STABLE AS $$
BEGIN
  RETURN ARRAY(SELECT quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod) FROM pg_attribute AS a
    WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum);
END $$;
`
