/**
 * What the caller's statements run into rarely: as the owner, with a search path that holds nothing of
 * the caller's before the system's own names.
 */
export const DEFINER = 'LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp'

/**
 * What runs in every statement: as the owner, under the caller's search path. To set another one costs
 * as much as a third of the count itself, so everything in these functions is named with its schema,
 * operators included. A test puts operators, functions and types of all these names first in the path.
 */
export const HOT = 'LANGUAGE plpgsql SECURITY DEFINER'

/** Called by the others only, under their rights and search path: nobody else may execute them. */
export const INNER = 'LANGUAGE plpgsql'

/** Milliseconds since 1970, by a clock that goes on within a transaction. */
export const NOW_MS = '(extract(epoch FROM clock_timestamp()) * 1000)::bigint'
