import { DEFINER, INNER } from './functions.ts'

/**
 * Puts the triggers on a table; also on partitions and children that are made later,
 * when an event trigger may be created.
 */
export const PROTECT_SQL: string = `
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

-- The triggers that a table should have now, with what they run: an action's own, and that of TRUNCATE beside the one of DELETE.
CREATE FUNCTION postern_budgets.triggers_for(relation oid) RETURNS TABLE (kind text, action text, keeps boolean, runs name, args text[]) ${INNER} STABLE AS $$
BEGIN
  RETURN QUERY
    SELECT k.kind, w.action, k.keeps, k.runs::name,
      ARRAY[f.id::text, f.step::text, array_to_string(array_remove(w.limits, f.id), ','), w.action, w.root_schema::text, w.root_name::text] || k.more
    FROM postern_budgets.wanted($1) AS w
    CROSS JOIN LATERAL (SELECT l.id, l.step FROM postern_budgets.limits AS l WHERE l.id = ANY (w.limits) AND l.scope = 'actor' ORDER BY l.id LIMIT 1) AS f
    CROSS JOIN LATERAL (
      SELECT w.action AS kind, w.undo AND w.action <> 'insert' AS keeps,
        CASE WHEN w.action = 'insert' THEN 'count_new' WHEN w.undo THEN 'count_and_keep' ELSE 'count_old' END AS runs, '{}'::text[] AS more
      UNION ALL
      SELECT 'truncate', w.undo, 'count_truncate', ARRAY[CASE WHEN w.undo THEN 'undo' ELSE '' END] WHERE w.action = 'delete') AS k;
END $$;

-- As the catalog has the arguments of a trigger.
CREATE FUNCTION postern_budgets.bytes_of(args text[]) RETURNS bytea ${INNER} STABLE AS $$
BEGIN
  RETURN (SELECT string_agg(convert_to(u.arg, getdatabaseencoding()) || decode('00', 'hex'), ''::bytea ORDER BY u.place) FROM unnest(args) WITH ORDINALITY AS u (arg, place));
END $$;

CREATE FUNCTION postern_budgets.protect(relation regclass) RETURNS void ${DEFINER} SET client_min_messages = warning AS $$
DECLARE
  w record;
  args text;
  name text;
BEGIN
  IF EXISTS (SELECT FROM pg_class WHERE oid = relation AND relkind NOT IN ('r', 'p')) THEN RETURN; END IF;
  FOREACH name IN ARRAY ARRAY['delete', 'update', 'insert', 'truncate'] LOOP
    EXECUTE format('DROP TRIGGER IF EXISTS postern_budget_%s ON %s', name, relation);
  END LOOP;
  FOR w IN SELECT * FROM postern_budgets.triggers_for(relation) LOOP
    args := (SELECT string_agg(quote_literal(u.arg), ', ' ORDER BY u.place) FROM unnest(w.args) WITH ORDINALITY AS u (arg, place));
    EXECUTE format('CREATE TRIGGER postern_budget_%s %s %s ON %s %s FOR EACH STATEMENT EXECUTE FUNCTION postern_budgets.%s(%s)',
      w.kind, CASE w.kind WHEN 'truncate' THEN 'BEFORE' ELSE 'AFTER' END, w.kind, relation,
      CASE w.kind WHEN 'truncate' THEN '' WHEN 'insert' THEN 'REFERENCING NEW TABLE AS postern_new'
        WHEN 'update' THEN 'REFERENCING OLD TABLE AS postern_old' || CASE WHEN w.keeps THEN ' NEW TABLE AS postern_new' ELSE '' END
        ELSE 'REFERENCING OLD TABLE AS postern_old' END,
      w.runs, args);
  END LOOP;
END $$;

-- Every table that a rule is about, with its partitions and children, the triggers it has, and those of them that fire. A trigger
-- of a rule that the table was under before it was renamed, moved or attached does not count.
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
             JOIN postern_budgets.triggers_for(c.oid) AS k ON g.tgname = 'postern_budget_' || k.kind AND f.proname = k.runs AND g.tgargs = postern_budgets.bytes_of(k.args)
             WHERE g.tgrelid = c.oid AND f.pronamespace = 'postern_budgets'::regnamespace) AS h
    WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND c.relnamespace <> 'postern_budgets'::regnamespace
      AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace) AND w.actions IS NOT NULL
    ORDER BY 1;
END $$;

-- Triggers that somebody disabled stay disabled, and are reported: an owner may have a reason.
CREATE OR REPLACE FUNCTION postern_budgets.follow() RETURNS event_trigger ${DEFINER} AS $$
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

/**
 * Tables are guarded as they are made, renamed, moved or attached: by whichever statement. Only a superuser
 * may have it.
 */
export const FOLLOW_SQL: string = `
DROP EVENT TRIGGER IF EXISTS postern_budgets_follow;
CREATE EVENT TRIGGER postern_budgets_follow ON ddl_command_end
  WHEN TAG IN ('CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO', 'ALTER TABLE', 'ALTER INDEX', 'CREATE SCHEMA', 'ALTER SCHEMA',
    'CREATE EXTENSION', 'ALTER EXTENSION')
  EXECUTE FUNCTION postern_budgets.follow();
ALTER EVENT TRIGGER postern_budgets_follow ENABLE ALWAYS;
`
