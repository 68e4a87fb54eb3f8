/**
 * Begins a transaction of the owner. Whoever may create in the schema `public` could put an operator there
 * that fits the types of an expression better than PostgreSQL's, and it would run with the owner's rights.
 */
export const SAFE_PATH = 'SET LOCAL search_path = pg_catalog, pg_temp'
