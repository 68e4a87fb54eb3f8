import { DEFINER, HOT, INNER, NOW_MS } from './functions.ts'

const EQ = 'OPERATOR(pg_catalog.=)'
const MINUS = 'OPERATOR(pg_catalog.-)'
const NOW = "(pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()) OPERATOR(pg_catalog.*) 1000)"
const JOIN = 'OPERATOR(pg_catalog.||)'

/**
 * Refuses: the one place that raises, so that every refusal is counted and logged, whatever the caller does
 * with the error.
 */
export const REFUSE_SQL: string = `
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
    HINT = CASE l.over
      WHEN 'approval' THEN 'Wait until then, change fewer rows, or ask for an approval.'
      WHEN 'stepUp' THEN 'Wait until then, change fewer rows, or confirm that it is you.'
      ELSE 'Wait until then, or change fewer rows.' END;
END $$;

CREATE FUNCTION postern_budgets.refuse_claim(code text, problem text, hint text) RETURNS void ${DEFINER} AS $$
BEGIN
  PERFORM nextval('postern_budgets.refused_claims');
  RAISE LOG 'postern: % (role %)', problem, session_user;
  RAISE EXCEPTION USING ERRCODE = code, MESSAGE = problem, HINT = hint;
END $$;

-- A name as claims have it, and back.
CREATE FUNCTION postern_budgets.name_of(key text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN convert_from(decode(key, 'hex'), 'UTF8');

CREATE FUNCTION postern_budgets.key_of(name text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN encode(convert_to(name, 'UTF8'), 'hex');
`

/**
 * Verifies a claim (HMAC-SHA-256, RFC 2104, over all of it but the signature) and uses it up: its nonce
 * becomes a row that belongs to this transaction. A claim that another transaction used finds the row of that
 * one, after waiting for it if it is still running. The planner must not fold the casts (so `concat`, which
 * is stable): they hold for fields of signed claims only.
 */
export const CLAIMS_SQL: string = `
CREATE FUNCTION postern_budgets.admit(given pg_catalog.text) RETURNS pg_catalog.bool ${HOT} AS $$
DECLARE ok pg_catalog.bool;
BEGIN
  INSERT INTO postern_budgets.claims AS x (nonce, xid, expires, again)
  SELECT pg_catalog.concat(pg_catalog.split_part(given, '|', 4))::pg_catalog.uuid, pg_catalog.pg_current_xact_id(), pg_catalog.concat(pg_catalog.split_part(given, '|', 3))::bigint, false
  FROM postern_budgets.keys AS k
  WHERE k.kind ${EQ} 'claim' AND k.id::pg_catalog.text ${EQ} pg_catalog.split_part(given, '|', 2) AND pg_catalog.split_part(given, '|', 1) ${EQ} 'c1'
    AND pg_catalog.encode(pg_catalog.sha256(k.outer_pad ${JOIN} pg_catalog.sha256(k.inner_pad ${JOIN}
      pg_catalog.convert_to(pg_catalog.left(given, -65), 'UTF8'))), 'hex') ${EQ} pg_catalog.split_part(given, '|', 8)
  ON CONFLICT (nonce) DO UPDATE SET again = true WHERE x.xid ${EQ} excluded.xid
  RETURNING (again OR (expires ${MINUS} ${NOW}) OPERATOR(pg_catalog.>=) 0 AND (expires ${MINUS} ${NOW}) OPERATOR(pg_catalog.<=) 3600000)
    AND pg_catalog.random() OPERATOR(pg_catalog.>) 0.001 INTO ok;
  IF ok THEN RETURN true; END IF;
  RETURN postern_budgets.admit_or_refuse(given, ok IS NOT NULL);
END $$;

-- What is left when a claim was not simply good: it is refused, or it is this transaction's turn to tidy up.
-- A transaction may outlast its claim: what counts is the time of its first change.
CREATE FUNCTION postern_budgets.admit_or_refuse(given text, is_signed boolean) RETURNS boolean ${DEFINER} AS $$
DECLARE
  expires bigint;
  is_again boolean;
BEGIN
  IF NOT is_signed THEN
    IF split_part(given, '|', 4) ~ '^[0-9a-f]{32}$' AND EXISTS (SELECT FROM postern_budgets.claims AS c WHERE c.nonce = split_part(given, '|', 4)::uuid) THEN
      PERFORM postern_budgets.refuse_claim('PB002', 'the claim of who acts was used by another transaction',
        'A claim is good for one transaction. Use a guarded connection.');
    END IF;
    PERFORM postern_budgets.refuse_claim('PB002', 'the claim of who acts was not signed with a key of this database',
      'Check that the application and postern budgets install use the same key.');
  END IF;
  SELECT c.expires, c.again INTO expires, is_again FROM postern_budgets.claims AS c WHERE c.nonce = split_part(given, '|', 4)::uuid;
  IF NOT is_again AND NOT expires - ${NOW_MS} BETWEEN 0 AND 3600000 THEN
    PERFORM postern_budgets.refuse_claim('PB002', 'the claim of who acts has expired',
      'Begin a new transaction; check that the clocks of the application and the database agree.');
  END IF;
  PERFORM postern_budgets.tidy();
  RETURN true;
END $$;

-- A change without a claim: refused, let pass (null), or counted for the role that logged in. Returns its key.
CREATE FUNCTION postern_budgets.unclaimed() RETURNS text ${DEFINER} AS $$
DECLARE s postern_budgets.settings;
BEGIN
  SELECT * INTO s FROM postern_budgets.settings;
  IF session_user = ANY (s.exempt) THEN RETURN NULL; END IF;
  IF s.unclaimed IS DISTINCT FROM 'count' THEN
    PERFORM postern_budgets.refuse_claim('PB002', 'a change to a guarded table needs a claim of who acts',
      'Use a guarded connection inside actingAs(), or exempt this role.');
  END IF;
  RETURN postern_budgets.key_of('role:' || session_user);
END $$;
`
