/**
 * Text of rows as the journal has it, whatever the session is set to: values of these
 * types are read back as they were written.
 */
export const EXACT_TEXT = `
  SET LOCAL datestyle = 'ISO, YMD';
  SET LOCAL intervalstyle = 'postgres';
  SET LOCAL extra_float_digits = 3;
  SET LOCAL bytea_output = 'hex';
  SET LOCAL lc_monetary = 'C';
  SET LOCAL xmlbinary = 'base64';
  SET LOCAL timezone = 'UTC';
  SET LOCAL row_security = off;
  SET LOCAL search_path = pg_catalog, pg_temp`

export const CHANGES = `
  SELECT change, min(at) AS at, min(actor) AS actor, min(tenant) AS tenant, json_agg(json_build_object(
    'table', format('%I.%I', schema, relation), 'action', action, 'rows', rows, 'undone', undone IS NOT NULL) ORDER BY id) AS entries
  FROM postern_budgets.journal AS j
  WHERE ($1::text IS NULL OR actor = $1) AND ($2::timestamptz IS NULL OR at >= $2) AND ($3::text IS NULL OR change = $3)
  GROUP BY change ORDER BY min(j.id) DESC LIMIT $4`

/** Locked, so that of two who undo a change at once the second sees what the first has put back. */
export const ENTRIES = `
  SELECT id::text AS id, change, schema::text AS schema, relation::text AS relation, format('%I.%I', schema, relation) AS "table", action,
    rows, columns, old, became::text[] AS became, sealed, undone IS NOT NULL AS "isUndone"
  FROM postern_budgets.journal WHERE change = $1 ORDER BY journal.id DESC FOR UPDATE`

/**
 * Entries that wait to be sealed, those of this process alone: others skip them. $2: the entry before; $3:
 * those that need not be measured, which takes as long as to read them.
 */
export const UNSEALED = `
  SELECT j.id::text AS id, CASE WHEN j.id = ANY ($3::bigint[]) THEN 0 ELSE (SELECT sum(octet_length(o))::float8 FROM unnest(j.old) AS o) END AS bytes
  FROM postern_budgets.journal AS j WHERE j.sealed IS NULL AND j.id > $2 ORDER BY j.id LIMIT $1 FOR UPDATE SKIP LOCKED`

export const ENTRY = `
  SELECT id::text AS id, change, schema::text AS schema, relation::text AS relation, action, old, became::text[] AS became
  FROM postern_budgets.journal WHERE id = $1`

export const SEAL = 'UPDATE postern_budgets.journal SET sealed = $2, old = NULL, became = NULL WHERE id = $1'

export const MARK_UNDONE =
  'UPDATE postern_budgets.journal SET undone = clock_timestamp() WHERE id = ANY ($1::bigint[])'

export const EXPIRE = `
  WITH gone AS (DELETE FROM postern_budgets.journal WHERE id IN (
    SELECT id FROM postern_budgets.journal WHERE at < clock_timestamp() - $1 * interval '1 millisecond' ORDER BY id LIMIT 10000) RETURNING 1)
  SELECT count(*)::int AS n FROM gone`

/** The table as it is now: its columns, its key, and everything below it that has triggers of its own. */
export const DESCRIBE = `
  SELECT postern_budgets.columns_of(c.oid) AS columns,
    ARRAY(SELECT quote_ident(a.attname) FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
          AND a.attgenerated = '' ORDER BY a.attnum)::text[] AS stored,
    ARRAY(SELECT quote_ident(a.attname) FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
          AND a.attgenerated = '' AND a.attidentity <> 'a' ORDER BY a.attnum)::text[] AS settable,
    ARRAY(SELECT CASE WHEN a.attgenerated = 'v' THEN format('NULL::%s', format_type(a.atttypid, a.atttypmod)) ELSE 't.' || quote_ident(a.attname) END
          FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum)::text[] AS written,
    ARRAY(SELECT quote_ident(a.attname) FROM pg_index AS i JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
          WHERE i.indrelid = c.oid AND i.indisprimary ORDER BY a.attnum)::text[] AS key,
    ARRAY(WITH RECURSIVE down (id) AS (SELECT c.oid UNION ALL SELECT i.inhrelid FROM pg_inherits AS i JOIN down ON i.inhparent = down.id)
          SELECT id::regclass::text FROM down ORDER BY id)::text[] AS tree,
    (WITH RECURSIVE down (id) AS (SELECT c.oid UNION ALL SELECT i.inhrelid FROM pg_inherits AS i JOIN down ON i.inhparent = down.id)
     SELECT min(r.rolname) FROM down JOIN pg_class AS d ON d.oid = down.id JOIN pg_roles AS r ON pg_has_role(r.oid, d.relowner, 'MEMBER')
     WHERE r.rolcanlogin AND NOT r.rolsuper AND r.rolname <> current_user
       AND r.rolname <> ALL ((SELECT s.exempt FROM postern_budgets.settings AS s)::name[]))::text AS stranger
  FROM pg_class AS c WHERE c.oid = to_regclass($1)`

/** Triggers of these tables that fire, and how. */
export const TRIGGERS = `
  SELECT tgrelid::regclass::text AS "table", quote_ident(tgname) AS name, tgenabled::text AS mode FROM pg_trigger
  WHERE tgrelid = ANY ($1::regclass[]) AND NOT tgisinternal AND tgenabled <> 'D' ORDER BY tgrelid, tgname`
