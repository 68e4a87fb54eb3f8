/** Types of values in statements of Postern, whose pairs PostgreSQL has no operator for. */
const TYPES = [
  ...['smallint', 'integer', 'bigint', 'numeric', 'double precision', 'text', 'name', 'boolean', 'oid'],
  ...['timestamptz', 'interval', 'bytea', 'regclass'],
]
const OPERATORS = ['=', '<>', '<', '>', '<=', '>=', '+', '-', '*', '/', '||', '~~']

/**
 * Operators as somebody leaves them in `public` who may create there: PostgreSQL takes one that fits the
 * types exactly before its own, after a conversion, and runs it with the rights of who sends the statement.
 * These return a type that nothing can be done with, so a statement that takes one fails.
 */
export const HOSTILE_OPERATORS: string = `
CREATE TYPE public.trapped AS (x integer);
DO $do$
DECLARE l text; r text; o text;
BEGIN
  FOREACH l IN ARRAY ARRAY['${TYPES.join("','")}'] LOOP
    FOREACH r IN ARRAY ARRAY['${TYPES.join("','")}'] LOOP
      EXECUTE format('CREATE FUNCTION public.trap(%s, %s) RETURNS public.trapped LANGUAGE sql RETURN NULL::public.trapped', l, r);
      FOREACH o IN ARRAY ARRAY['${OPERATORS.join("','")}'] LOOP
        CONTINUE WHEN EXISTS (SELECT FROM pg_operator WHERE oprname = o AND oprnamespace = 'pg_catalog'::regnamespace::oid
          AND oprleft = l::regtype::oid AND oprright = r::regtype::oid);
        EXECUTE format('CREATE OPERATOR public.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = public.trap)', o, l, r);
      END LOOP;
    END LOOP;
  END LOOP;
END $do$`
