import { createRequire } from 'node:module'
import type Pg from 'pg'
import { requireOptional } from './optional-package.ts'

/*
 * Loaded when first connected to: with embedded stores alone, a process does without some 40 ms at its start
 * and 25 MB of memory. Both are CommonJS, so that `require` can load them inside functions that are not
 * asynchronous. Both are optional: an installation for the embedded stores is 22 packages smaller without
 * them. A bundle in CommonJS knows its file by another name.
 */
const here = import.meta.url ?? __filename
const require = createRequire(here)

/** The driver of PostgreSQL. @throws ConfigError when it is not installed */
export function postgresDriver(): typeof Pg {
  return loadDriver('pg', 'PostgreSQL') as typeof Pg
}

/** The driver of Redis and Valkey. @throws ConfigError when it is not installed */
export function redisDriver(): typeof import('ioredis') {
  return loadDriver('ioredis', 'Redis') as typeof import('ioredis')
}

/** The versions that the tests of Postern use, and the oldest that work. */
const VERSIONS = {
  pg: { tested: '8.23.1', least: '8.16.0' },
  ioredis: { tested: '6.0.0', least: '5.11.0' },
} as const

/**
 * Loads a driver.
 * @param load default: `require`
 * @throws ConfigError with the command that installs it, when it is not there or too old
 */
export function loadDriver(
  name: keyof typeof VERSIONS,
  server: string,
  load: (name: string) => unknown = require,
): unknown {
  const wanted = { name, place: 'stores', needs: `${server} needs`, ...VERSIONS[name] }
  return requireOptional(wanted, here, () => load(name))
}
