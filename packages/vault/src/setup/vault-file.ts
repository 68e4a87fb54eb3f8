import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { ConfigError, type ConfigIssue, errorCode, fileProblem } from '@postern/core'
import { isObject } from '../holder/holder-request.ts'
import type { HolderAddress } from '../split/holder-link.ts'
import { HOLDERS, type HolderId } from '../split/part.ts'
import { compileTables, type TableSchemas } from '../table/table-schema.ts'

/** What `vault.json` says, with paths made absolute. */
export interface VaultFile {
  readonly path: string
  readonly tables: TableSchemas
  /** Key file of mode `local`. */
  readonly keys?: string
  /** File with the 32 bytes of the search key, base64url. */
  readonly searchKey?: string
  /** File with the seed of the application's TLS identity, base64url. */
  readonly identity?: string
  /** Where the holders are. */
  readonly holders?: Readonly<Record<HolderId, HolderAddress>>
  /** How many holders must agree about a search term: see `SplitKeysOptions`. */
  readonly termsNeed?: 2 | 3
  /** SQLite file of the salts of subjects. */
  readonly subjects?: string
  /** `postgres://...`, or a SQLite file. `${NAME}` is taken from the environment. */
  readonly database?: string
}

const KEYS = ['tables', 'keys', 'searchKey', 'identity', 'holders', 'termsNeed', 'subjects', 'database']
const PATHS = ['keys', 'searchKey', 'identity', 'subjects'] as const

/**
 * Reads `vault.json`. Relative paths start from its folder.
 * @throws ConfigError with every issue found
 */
export function readVaultFile(
  path: string,
  environment: Readonly<Record<string, string | undefined>>,
): VaultFile {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    if (error instanceof SyntaxError)
      throw new ConfigError({
        place: path,
        problem: 'is not JSON',
        hint: 'correct the file, or restore it from a backup',
      })
    throw new ConfigError({
      place: path,
      problem: fileProblem(error),
      // A file that is there is not to be made again.
      ...(errorCode(error) === 'ENOENT' && { hint: 'make one with postern vault init' }),
    })
  }
  if (!isObject(value) || !isObject(value['tables']))
    throw new ConfigError({
      place: path,
      problem: 'must be an object with tables',
      hint: 'postern vault init writes one',
    })
  const issues: ConfigIssue[] = []
  for (const key of Object.keys(value))
    if (!KEYS.includes(key))
      issues.push({ place: `${path}: ${key}`, problem: `is not a key (${KEYS.join(', ')})` })
  const folder = dirname(resolve(path))
  const paths = pathsOf(value, folder, path, issues)
  const holders = value['holders'] === undefined ? undefined : parseHolders(value['holders'])
  if (value['holders'] !== undefined && holders === undefined)
    issues.push({
      place: `${path}: holders`,
      problem: 'needs "1", "2" and "3", each with host, port and fingerprint, or unix',
    })
  const { termsNeed } = value
  if (termsNeed !== undefined && termsNeed !== 2 && termsNeed !== 3)
    issues.push({ place: `${path}: termsNeed`, problem: 'must be 2 or 3' })
  const database = databaseOf(value['database'], folder, path, environment, issues)
  if (issues.length > 0) throw new ConfigError(issues)
  const tables = value['tables'] as TableSchemas
  compileTables(tables)
  return {
    path,
    tables,
    ...paths,
    ...(holders !== undefined && { holders }),
    ...((termsNeed === 2 || termsNeed === 3) && { termsNeed }),
    ...(database !== undefined && { database }),
  }
}

function pathsOf(
  value: Readonly<Record<string, unknown>>,
  folder: string,
  path: string,
  issues: ConfigIssue[],
): Partial<Record<(typeof PATHS)[number], string>> {
  const paths: Partial<Record<(typeof PATHS)[number], string>> = {}
  for (const name of PATHS) {
    const given = value[name]
    if (typeof given === 'string' && given !== '') paths[name] = resolve(folder, given)
    else if (given !== undefined)
      issues.push({
        place: `${path}: ${name}`,
        problem: 'must name a file',
        hint: 'write its path in quotes, or remove the key',
      })
  }
  return paths
}

function databaseOf(
  given: unknown,
  folder: string,
  path: string,
  environment: Readonly<Record<string, string | undefined>>,
  issues: ConfigIssue[],
): string | undefined {
  if (given === undefined) return undefined
  if (typeof given !== 'string' || given === '') {
    issues.push({
      place: `${path}: database`,
      problem: 'must be a URL or a file',
      hint: 'e.g. "${DATABASE_URL}" or "shop.db"',
    })
    return undefined
  }
  const url = given.replace(/\$\{(\w+)\}/g, (_whole, name: string) => {
    const value = environment[name]
    if (value === undefined)
      issues.push({
        place: `${path}: database`,
        problem: `the environment variable ${name} is not set`,
        hint: `set it where the process starts, e.g. export ${name}=postgres://127.0.0.1/shop, or write the path of a SQLite file`,
      })
    return value ?? ''
  })
  return /^postgres(?:ql)?:/.test(url) ? url : resolve(folder, url)
}

function parseHolders(value: unknown): Readonly<Record<HolderId, HolderAddress>> | undefined {
  if (!isObject(value) || Object.keys(value).length !== 3) return undefined
  const found = new Map<HolderId, HolderAddress>()
  for (const id of HOLDERS) {
    const entry = value[`${id}`]
    if (!isObject(entry)) return undefined
    const { host, port, fingerprint, unix } = entry
    if (typeof unix === 'string') found.set(id, { unix })
    else if (typeof host === 'string' && typeof port === 'number' && typeof fingerprint === 'string')
      found.set(id, { host, port, fingerprint })
  }
  const [one, two, three] = HOLDERS.map(id => found.get(id))
  return one === undefined || two === undefined || three === undefined
    ? undefined
    : { 1: one, 2: two, 3: three }
}
