import { createRequire } from 'node:module'
import type Pg from 'pg'

/*
 * Loaded when first connected to: with embedded stores alone, a process does without some 40 ms at its start and 25 MB of memory. Both are
 * CommonJS, so that `require` can load them inside functions that are not asynchronous.
 */
const require = createRequire(import.meta.url)

/** The driver of PostgreSQL. */
export function postgresDriver(): typeof Pg {
  return require('pg')
}

/** The driver of Redis and Valkey. */
export function redisDriver(): typeof import('ioredis') {
  return require('ioredis')
}
