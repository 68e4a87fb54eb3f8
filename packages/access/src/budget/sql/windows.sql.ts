import { INNER } from './functions.ts'

/**
 * Nine counts of a window, newest first: a window is eight steps long and nine are counted, for the
 * newest may just have begun. Pure.
 */
export const WINDOWS_SQL: string = `
-- The same counts, seen from a later step.
CREATE FUNCTION postern_budgets.aged(counts bigint[], newest bigint, step_now bigint) RETURNS bigint[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (array_fill(0::bigint, ARRAY[greatest(0, least(9, step_now - newest))::integer]) || counts)[1:9];

-- What still counts.
CREATE FUNCTION postern_budgets.used(counts bigint[], newest bigint, step_now bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (SELECT coalesce(sum(c), 0)::bigint FROM unnest(counts) WITH ORDINALITY AS u (c, i)
        WHERE i + greatest(0, step_now - newest) <= 9);

-- When so many will have left.
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
