import { DEFINER } from './functions.ts'

/** What installing calls: the rest of the configuration is plain rows. */
export const CONFIGURE_SQL: string = `
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
  IF before.step <> l.step THEN
    DELETE FROM postern_budgets.counters WHERE limit_id = l.id;
  ELSIF before.rows <> l.rows THEN
    PERFORM postern_budgets.share_anew(l, k.key) FROM (SELECT DISTINCT key FROM postern_budgets.counters WHERE limit_id = l.id ORDER BY key) AS k;
  END IF;
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

/** Attempts that are kept: of one actor, of all that come without a claim, and in all. */
const ATTEMPTS_OF_ONE = 1_000
const ATTEMPTS_OF_NOBODY = 10_000
const ATTEMPTS_OF_ALL = 110_000

/** What the application's role may call. */
export const CALLABLE_SQL: string = `
-- What the dry run of this transaction has changed so far.
CREATE FUNCTION postern_budgets.pending() RETURNS TABLE (schema name, relation name, action text, rows bigint) ${DEFINER} AS $$
BEGIN
  RETURN QUERY SELECT d.schema, d.relation, d.action, sum(d.rows)::bigint FROM postern_budgets.dry_runs AS d
    WHERE d.xid = pg_current_xact_id_if_assigned() GROUP BY d.schema, d.relation, d.action ORDER BY 1, 2, 3;
END $$;

-- A refusal, told by the wrapper in a transaction of its own. Everyone may call it, so nobody may push out what others have: an actor
-- whom a claim names keeps its newest ${ATTEMPTS_OF_ONE}, all that come without one the newest ${ATTEMPTS_OF_NOBODY}.
CREATE FUNCTION postern_budgets.record_attempt(actor text, budget text, scope text, allowed bigint, asked bigint, claim text DEFAULT '') RETURNS void ${DEFINER} AS $$
DECLARE
  is_signed boolean := claim <> '' AND postern_budgets.admit(claim);
  who text := left(CASE WHEN is_signed THEN postern_budgets.name_of(split_part(claim, '|', 5)) ELSE actor END, 256);
BEGIN
  INSERT INTO postern_budgets.attempts (role, actor, budget, scope, allowed, asked, signed)
  VALUES (session_user, who, left(budget, 128), left(scope, 16), allowed, asked, is_signed);
  -- Not random(): whoever calls this may have seeded it, so that it is never so small.
  IF get_byte(uuid_send(gen_random_uuid()), 0) < 3 THEN
    DELETE FROM postern_budgets.attempts AS a WHERE a.signed = is_signed AND (NOT is_signed OR a.actor = who) AND a.id <=
      (SELECT x.id FROM postern_budgets.attempts AS x WHERE x.signed = is_signed AND (NOT is_signed OR x.actor = who)
       ORDER BY x.id DESC OFFSET CASE WHEN is_signed THEN ${ATTEMPTS_OF_ONE} ELSE ${ATTEMPTS_OF_NOBODY} END LIMIT 1);
    DELETE FROM postern_budgets.attempts AS a WHERE a.id <= (SELECT x.id FROM postern_budgets.attempts AS x ORDER BY x.id DESC OFFSET ${ATTEMPTS_OF_ALL} LIMIT 1);
  END IF;
END $$;
`

/** Nobody but the owner runs any of it directly; triggers need no right. */
export const RIGHTS_SQL: string = `
REVOKE ALL ON ALL TABLES IN SCHEMA postern_budgets FROM PUBLIC;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA postern_budgets FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA postern_budgets FROM PUBLIC;
GRANT EXECUTE ON FUNCTION postern_budgets.pending() TO PUBLIC;
GRANT EXECUTE ON FUNCTION postern_budgets.record_attempt(text, text, text, bigint, bigint, text) TO PUBLIC;
`

/**
 * Takes every right on the schema from everyone but its owner, at the end of each installation: default
 * privileges (`ALTER DEFAULT PRIVILEGES GRANT ... ON TABLES TO shop`, and on functions) give the role of the
 * application rights on whatever the owner creates, the keys and the counters included.
 */
export const OWNER_ONLY_SQL: string = `
DO $$
DECLARE o record;
BEGIN
  FOR o IN
    SELECT DISTINCT format('REVOKE ALL ON %s FROM %s CASCADE', x.object, CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE x.grantee::regrole::text END) AS statement
    FROM (
      SELECT format('SCHEMA %I', n.nspname) AS object, n.nspowner AS owner, a.grantee FROM pg_namespace AS n, aclexplode(n.nspacl) AS a
      WHERE n.nspname = 'postern_budgets' AND a.grantee <> 0
      UNION ALL
      SELECT format('%s %s', CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.oid::regclass), c.relowner, a.grantee
      FROM pg_class AS c, aclexplode(c.relacl) AS a WHERE c.relnamespace = 'postern_budgets'::regnamespace
      UNION ALL
      SELECT format('TABLE %s', c.oid::regclass), c.relowner, a.grantee
      FROM pg_class AS c JOIN pg_attribute AS t ON t.attrelid = c.oid, aclexplode(t.attacl) AS a WHERE c.relnamespace = 'postern_budgets'::regnamespace
      UNION ALL
      SELECT format('FUNCTION %s', p.oid::regprocedure), p.proowner, a.grantee
      FROM pg_proc AS p, aclexplode(p.proacl) AS a WHERE p.pronamespace = 'postern_budgets'::regnamespace AND a.grantee <> 0
    ) AS x WHERE x.grantee <> x.owner
  LOOP
    EXECUTE o.statement;
  END LOOP;
END $$`
