/** Counters of version 1 had no lanes, and names as keys. Tables that only it has are dropped. */
export const COUNTS_OF_1_SQL: string = `
CREATE TEMP TABLE postern_counts_of_1 ON COMMIT DROP AS
  SELECT limit_id, encode(convert_to(key, 'UTF8'), 'hex') AS key, newest, counts FROM postern_budgets.counters;
SET LOCAL client_min_messages = warning;
DROP TABLE postern_budgets.transactions, postern_budgets.slots, postern_budgets.counters CASCADE;
`

/**
 * Its functions, with the triggers that ran them. One stays, for an event trigger may depend on it that only
 * a superuser may drop.
 */
export const FUNCTIONS_OF_1_SQL: string = `
DO $$
DECLARE o record;
BEGIN
  FOR o IN SELECT p.oid::regprocedure AS name FROM pg_proc AS p
    WHERE p.pronamespace = 'postern_budgets'::regnamespace AND p.proname <> 'follow'
  LOOP
    EXECUTE format('DROP FUNCTION IF EXISTS %s CASCADE', o.name);
  END LOOP;
END $$;
RESET client_min_messages;
`

/** Its counts, in the first lane of each counter. */
export const KEEP_COUNTS_OF_1_SQL: string = `
INSERT INTO postern_budgets.counters (limit_id, key, lane, newest, spent, older, counts, share, claim, xid, again)
SELECT limit_id, key, 0, newest, counts[1], postern_budgets.used(counts[2:9], 0, 0), counts[2:9], 0, '', pg_current_xact_id(), false
FROM postern_counts_of_1;
SELECT postern_budgets.share_anew(l, c.key) FROM postern_budgets.counters AS c JOIN postern_budgets.limits AS l ON l.id = c.limit_id WHERE c.lane = 0;
`
