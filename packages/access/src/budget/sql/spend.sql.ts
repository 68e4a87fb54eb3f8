import { DEFINER, HOT, NOW_MS } from './functions.ts'

const EQ = 'OPERATOR(pg_catalog.=)'
const PLUS = 'OPERATOR(pg_catalog.+)'

/** Lanes of a counter. */
const LANES = 16
const LAST = LANES - 1
/** How long a statement waits for transactions of the same actor that hold the rest of the budget. */
const PATIENCE = '5s'

/**
 * A lane that nobody else is counting in, by a lock on its number that lasts as long as the transaction. Who
 * holds such locks for no reason makes others wait for the patience of a statement and then be refused, and
 * changes no count.
 */
export const freeLane = (limit: string, key: string): string => {
  const number = `pg_catalog.hashtextextended(${key}, ${limit})`
  return `CASE WHEN pg_catalog.pg_try_advisory_xact_lock(${number}) THEN 0 ELSE postern_budgets.other_lane(${limit}::integer, ${key}) END`
}

/**
 * Whether a counter that was raised still holds: the step is the newest, and the rows are within the share.
 */
export const stillFits = (step: string): string =>
  `c.newest ${EQ} pg_catalog.floor(pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()) OPERATOR(pg_catalog.*) 1000 OPERATOR(pg_catalog./) ${step})
     AND c.spent ${PLUS} c.older OPERATOR(pg_catalog.<=) c.share`

/** What a statement writes into the lane it counts in. */
export const raise = (rows: string): string =>
  `spent = c.spent ${PLUS} ${rows}, claim = given, xid = pg_catalog.pg_current_xact_id(), again = c.claim ${EQ} given AND c.xid ${EQ} pg_catalog.pg_current_xact_id()`

/**
 * Counts rows against a limit. A lane whose step has passed, or whose share is used up, goes to `stretch`,
 * which moves the window on and takes of the other lanes what they do not need. It takes from lanes that
 * nobody is changing first; only when these have not enough does it wait for the others, and refuses when
 * they have not enough either. Where they do not answer in time, the statement is to be tried again, unless
 * what is committed is too much already.
 */
export const SPEND_SQL: string = `
CREATE FUNCTION postern_budgets.other_lane(for_limit integer, for_key text) RETURNS smallint ${DEFINER} AS $$
BEGIN
  FOR i IN 1..${LAST} LOOP
    IF pg_try_advisory_xact_lock(hashtextextended(for_key, for_limit) + i) THEN RETURN i; END IF;
  END LOOP;
  RETURN pg_backend_pid() % ${LANES};
END $$;

-- The share of a lane to begin with: half of the limit for the first, the other half for all others.
CREATE FUNCTION postern_budgets.first_share(lane integer, rows bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE lane WHEN 0 THEN rows - ${LAST} * (rows / ${LANES * 2}) ELSE rows / ${LANES * 2} END;

-- A lane that is not there yet, with the share that is its own, so that it can be taken.
CREATE FUNCTION postern_budgets.add_lane(for_limit integer, for_key text, new_lane integer, step_now bigint, rows bigint) RETURNS void LANGUAGE sql
BEGIN ATOMIC
  INSERT INTO postern_budgets.counters (limit_id, key, lane, newest, spent, older, counts, share, claim, xid, again)
  VALUES (for_limit, for_key, new_lane, step_now, 0, 0, array_fill(0::bigint, ARRAY[8]), postern_budgets.first_share(new_lane, rows), '', pg_current_xact_id(), true)
  ON CONFLICT (limit_id, key, lane) DO NOTHING;
END;

CREATE FUNCTION postern_budgets.spend(l postern_budgets.limits, for_key text, given text, n bigint) RETURNS void ${DEFINER} AS $$
DECLARE
  mine smallint := ${freeLane('l.id', 'for_key')};
  fits boolean;
BEGIN
  UPDATE postern_budgets.counters AS c SET ${raise('n')}
  WHERE c.limit_id = l.id AND c.key = for_key AND c.lane = mine
  RETURNING ${stillFits('l.step::float8')} INTO fits;
  IF fits IS NOT TRUE THEN PERFORM postern_budgets.stretch(l.id, for_key, mine, n, given, fits IS NOT NULL); END IF;
END $$;

CREATE FUNCTION postern_budgets.stretch(for_limit integer, for_key text, mine smallint, n bigint, given text, is_counted boolean) RETURNS void ${DEFINER} AS $$
DECLARE
  l postern_budgets.limits;
  c postern_budgets.counters;
  step_now bigint;
  window_now bigint[];
  lacking bigint;
  spare bigint;
  found bigint;
BEGIN
  SELECT * INTO l FROM postern_budgets.limits WHERE id = for_limit;
  step_now := floor(date_part('epoch', clock_timestamp()) * 1000 / l.step);
  IF is_counted THEN
    SELECT * INTO c FROM postern_budgets.counters WHERE limit_id = for_limit AND key = for_key AND lane = mine;
  ELSE
    INSERT INTO postern_budgets.counters AS x (limit_id, key, lane, newest, spent, older, counts, share, claim, xid, again)
    VALUES (for_limit, for_key, mine, step_now, 0, 0, array_fill(0::bigint, ARRAY[8]), postern_budgets.first_share(mine, l.rows), given, pg_current_xact_id(), false)
    ON CONFLICT (limit_id, key, lane) DO UPDATE SET claim = excluded.claim, xid = excluded.xid, again = false
    RETURNING * INTO c;
  END IF;
  -- Rows of this statement count in the newest step, whenever the rest was counted.
  IF is_counted THEN c.spent := c.spent - n; END IF;
  step_now := greatest(step_now, c.newest);
  window_now := postern_budgets.aged(c.spent || c.counts, c.newest, step_now);
  UPDATE postern_budgets.counters AS x
  SET newest = step_now, spent = window_now[1] + n, counts = window_now[2:9], older = postern_budgets.used(window_now[2:9], 0, 0)
  WHERE x.limit_id = for_limit AND x.key = for_key AND x.lane = mine RETURNING * INTO c;
  lacking := c.spent + c.older - c.share;
  IF lacking <= 0 THEN RETURN; END IF;
  spare := coalesce(postern_budgets.try_spare(l, for_key, mine, step_now, lacking, false), 0);
  IF spare >= lacking THEN RETURN; END IF;
  found := postern_budgets.try_spare(l, for_key, mine, step_now, lacking, true);
  IF found >= lacking THEN RETURN; END IF;
  IF found IS NULL THEN PERFORM postern_budgets.refuse_held(l, for_key, step_now); END IF;
  PERFORM postern_budgets.refuse_rows(l, for_key, step_now, n, greatest(0, c.share + coalesce(found, spare) - c.spent - c.older + n));
END $$;

-- Takes what is lacking of other lanes, the last ones first, and half of what else they can spare. Looks at as few lanes as will do, for
-- all that it looks at are locked as long as this transaction runs. Takes nothing when it is not enough. Returns what they can
-- spare, as far as it looked.
CREATE FUNCTION postern_budgets.take_spare(l postern_budgets.limits, for_key text, mine smallint, step_now bigint, lacking bigint, waits boolean) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
  o postern_budgets.counters;
  lanes smallint[] := '{}';
  spares bigint[] := '{}';
  spare bigint := 0;
  gives bigint;
  wanted bigint;
BEGIN
  FOR g IN REVERSE ${LAST}..0 LOOP
    CONTINUE WHEN g = mine;
    EXIT WHEN spare >= lacking;
    -- Only who holds the lock of a lane may have it: else a transaction that finds the lock free would wait for the row, and be ended
    -- with the deadlock of two others that wait for each other.
    IF waits THEN
      PERFORM pg_advisory_xact_lock(hashtextextended(for_key, l.id) + g);
    ELSE
      CONTINUE WHEN NOT pg_try_advisory_xact_lock(hashtextextended(for_key, l.id) + g);
    END IF;
    PERFORM postern_budgets.add_lane(l.id, for_key, g, step_now, l.rows)
    WHERE NOT EXISTS (SELECT FROM postern_budgets.counters AS c WHERE c.limit_id = l.id AND c.key = for_key AND c.lane = g);
    IF waits THEN
      SELECT * INTO o FROM postern_budgets.counters AS c WHERE c.limit_id = l.id AND c.key = for_key AND c.lane = g FOR UPDATE;
    ELSE
      SELECT * INTO o FROM postern_budgets.counters AS c WHERE c.limit_id = l.id AND c.key = for_key AND c.lane = g FOR UPDATE SKIP LOCKED;
    END IF;
    CONTINUE WHEN NOT FOUND;
    gives := o.share - postern_budgets.used(o.spent || o.counts, o.newest, step_now);
    CONTINUE WHEN gives <= 0;
    lanes := lanes || o.lane;
    spares := spares || gives;
    spare := spare + gives;
  END LOOP;
  IF spare < lacking THEN RETURN spare; END IF;
  wanted := lacking + (spare - lacking) / 2;
  UPDATE postern_budgets.counters AS c SET share = c.share + wanted WHERE c.limit_id = l.id AND c.key = for_key AND c.lane = mine;
  FOR i IN 1..cardinality(lanes) LOOP
    gives := least(spares[i], wanted);
    UPDATE postern_budgets.counters AS c SET share = c.share - gives, again = true WHERE c.limit_id = l.id AND c.key = for_key AND c.lane = lanes[i];
    wanted := wanted - gives;
  END LOOP;
  RETURN spare;
END $$;

-- The same, and null when other transactions do not let go of their lanes in time, or wait for those of this one.
CREATE FUNCTION postern_budgets.try_spare(l postern_budgets.limits, for_key text, mine smallint, step_now bigint, lacking bigint, waits boolean) RETURNS bigint
LANGUAGE plpgsql SET lock_timeout = '${PATIENCE}' AS $$
BEGIN
  RETURN postern_budgets.take_spare(l, for_key, mine, step_now, lacking, waits);
EXCEPTION WHEN lock_not_available OR deadlock_detected THEN RETURN NULL;
END $$;

-- Raises what is to be tried again, unless what is committed, with what this transaction has counted, is over the limit whatever the
-- others do.
CREATE FUNCTION postern_budgets.refuse_held(l postern_budgets.limits, for_key text, step_now bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  IF l.rows < (SELECT sum(postern_budgets.used(c.spent || c.counts, c.newest, step_now)) FROM postern_budgets.counters AS c WHERE c.limit_id = l.id AND c.key = for_key)
  THEN RETURN; END IF;
  RAISE LOG 'postern: budget "%" (%) of % was held by transactions that did not end', l.budget, l.scope, postern_budgets.name_of(for_key);
  RAISE EXCEPTION USING ERRCODE = 'serialization_failure',
    MESSAGE = format('budget "%s" is held by other transactions of this %s that have not ended', l.budget, l.scope),
    DETAIL = json_build_object('heldBudget', l.budget, 'scope', l.scope)::text,
    HINT = 'Begin the transaction again: it may be within the budget. Change tables in the same order everywhere.';
END $$;

-- Rows count from the end of their transaction on: one that outlasts a step is moved to the step in which it commits.
CREATE FUNCTION postern_budgets.at_commit() RETURNS trigger ${HOT} AS $$
BEGIN
  IF pg_catalog.clock_timestamp() OPERATOR(pg_catalog.<) (pg_catalog.transaction_timestamp() OPERATOR(pg_catalog.+) '0.1 second'::pg_catalog.interval) THEN RETURN NULL; END IF;
  PERFORM postern_budgets.count_from_now(NEW.limit_id, NEW.key, NEW.lane);
  RETURN NULL;
END $$;

CREATE FUNCTION postern_budgets.count_from_now(for_limit integer, for_key text, for_lane smallint) RETURNS void ${DEFINER} AS $$
DECLARE l postern_budgets.limits;
BEGIN
  SELECT * INTO l FROM postern_budgets.limits WHERE id = for_limit;
  UPDATE postern_budgets.counters AS c SET newest = floor(date_part('epoch', clock_timestamp()) * 1000 / l.step)
  WHERE c.limit_id = for_limit AND c.key = for_key AND c.lane = for_lane AND c.newest < floor(date_part('epoch', clock_timestamp()) * 1000 / l.step);
END $$;

CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT OR UPDATE ON postern_budgets.counters
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NOT NEW.again) EXECUTE FUNCTION postern_budgets.at_commit();

CREATE FUNCTION postern_budgets.refuse_rows(l postern_budgets.limits, for_key text, step_now bigint, asked bigint, allowed bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE window_now bigint[];
BEGIN
  SELECT array_agg(x.n ORDER BY x.place) INTO window_now FROM (
    SELECT u.place, sum(u.n)::bigint AS n FROM postern_budgets.counters AS c,
      unnest(postern_budgets.aged(c.spent || c.counts, c.newest, step_now)) WITH ORDINALITY AS u (n, place)
    WHERE c.limit_id = l.id AND c.key = for_key GROUP BY u.place) AS x;
  window_now[1] := window_now[1] - asked;
  PERFORM postern_budgets.refuse(l.id, postern_budgets.name_of(for_key), allowed, asked,
    CASE WHEN asked > l.rows THEN ${NOW_MS} + l.step * 9
         ELSE postern_budgets.opens(window_now, step_now, l.step, asked - allowed) END);
END $$;

-- After a change of the limit: every lane keeps what it has used, and the first has all the rest.
CREATE FUNCTION postern_budgets.share_anew(l postern_budgets.limits, for_key text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE step_now bigint := floor(date_part('epoch', clock_timestamp()) * 1000 / l.step);
BEGIN
  PERFORM postern_budgets.add_lane(l.id, for_key, g, step_now, l.rows) FROM generate_series(0, ${LAST}) AS g;
  PERFORM FROM postern_budgets.counters AS c WHERE c.limit_id = l.id AND c.key = for_key ORDER BY c.lane FOR UPDATE;
  UPDATE postern_budgets.counters AS c SET share = postern_budgets.used(c.spent || c.counts, c.newest, step_now)
  WHERE c.limit_id = l.id AND c.key = for_key AND c.lane > 0;
  UPDATE postern_budgets.counters AS c SET share = l.rows - (
    SELECT sum(o.share) FROM postern_budgets.counters AS o WHERE o.limit_id = l.id AND o.key = for_key AND o.lane > 0)
  WHERE c.limit_id = l.id AND c.key = for_key AND c.lane = 0;
END $$;

-- What was used of each limit, per key; those that have used nothing are not shown.
CREATE FUNCTION postern_budgets.usage() RETURNS TABLE (limit_id integer, key text, used bigint) ${DEFINER} STABLE AS $$
BEGIN
  RETURN QUERY SELECT x.id, postern_budgets.name_of(x.key), x.used FROM (
    SELECT l.id, c.key, sum(postern_budgets.used(c.spent || c.counts, c.newest, floor(date_part('epoch', clock_timestamp()) * 1000 / l.step)::bigint))::bigint AS used
    FROM postern_budgets.counters AS c JOIN postern_budgets.limits AS l ON l.id = c.limit_id GROUP BY l.id, c.key) AS x
  WHERE x.used > 0 ORDER BY 1, 2;
END $$;

-- Forgets what no longer matters: claims and grants that have expired, and lanes that hold no rows and their first share.
CREATE FUNCTION postern_budgets.tidy() RETURNS void ${DEFINER} AS $$
DECLARE now_ms bigint := ${NOW_MS};
BEGIN
  DELETE FROM postern_budgets.claims WHERE nonce IN (
    SELECT nonce FROM postern_budgets.claims WHERE expires < now_ms LIMIT 2000 FOR UPDATE SKIP LOCKED);
  DELETE FROM postern_budgets.redeemed WHERE id IN (
    SELECT id FROM postern_budgets.redeemed WHERE expires < now_ms - 86400000 LIMIT 100 FOR UPDATE SKIP LOCKED);
  DELETE FROM postern_budgets.counters AS d USING (
    SELECT c.limit_id, c.key, c.lane FROM postern_budgets.counters AS c JOIN postern_budgets.limits AS l ON l.id = c.limit_id
    WHERE c.newest < now_ms / l.step - 9 AND c.share = postern_budgets.first_share(c.lane, l.rows) LIMIT 500 FOR UPDATE OF c SKIP LOCKED) AS o
  WHERE d.limit_id = o.limit_id AND d.key = o.key AND d.lane = o.lane;
END $$;
`
