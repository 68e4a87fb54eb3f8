import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError } from '@postern/core'

const NAMES: readonly string[] = [
  'postern.config.ts',
  'postern.config.mts',
  'postern.config.cts',
  'postern.config.js',
  'postern.config.mjs',
  'postern.config.cjs',
  'postern.config.yaml',
  'postern.config.yml',
  'postern.config.json',
]
/** What somebody means as the configuration: not a copy (`.bak`, `~`), a map or a declaration. */
const MEANT = /^postern\.config(?:\.(?:[cm]?[jt]sx?|ya?ml|json[5c]?|toml|ini|conf|cfg|xml|hcl|properties))?$/i
/** Names that other programs would give it. Manifests of containers are named so as well. */
const ALIKE = /^\.?postern(?:rc|(?:rc)?\.(?:ya?ml|json[5c]?|toml))$/i
/** A key of the configuration at the start of a line, or behind the bracket of a document in JSON. */
const OWN_KEY =
  /^\{?\s{0,8}"?(?:mode|upstream|listen|trustProxies|limits|routes|inspect|stores|identify|dataDirectory)"?\s{0,4}[:=]/m
/** Bytes of a file that is looked into. */
const LARGEST = 1_048_576

/**
 * The configuration file of a folder, or undefined when it has none. Looked for by name, in that folder only.
 * @throws ConfigError for a file that somebody means as the configuration and that would not be read: the
 * defaults would be in force instead, without a word
 */
export function findConfigFile(folder: string): string | undefined {
  const names = namesIn(folder)
  const meant = names.filter(name => MEANT.test(name))
  const [first, ...others] = NAMES.filter(name => meant.includes(name))
  const unread =
    meant.find(name => !NAMES.includes(name)) ??
    (first === undefined ? names.find(name => ALIKE.test(name) && isMeant(join(folder, name))) : undefined)
  if (unread !== undefined)
    throw new ConfigError({
      place: unread,
      problem: 'would not be read: no configuration file has that name',
      hint: `rename it, or name another with --config; read are ${NAMES.join(', ')}`,
    })
  if (first === undefined) return undefined
  // A compiler writes its result beside the source; both say the same.
  const other = others.find(name => name !== first.replace(/ts$/, 'js'))
  if (other !== undefined)
    throw new ConfigError({
      place: other,
      problem: `would not be read: ${first} is there too, and only one is the configuration`,
      hint: 'remove one of them, or name the one to read with --config',
    })
  return join(folder, first)
}

/** A folder that may be entered but not listed (mode 0711) is asked for each name. */
function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return NAMES.filter(name => existsSync(join(folder, name)))
  }
}

/** Whether a file with another name says what a configuration says. */
function isMeant(path: string): boolean {
  try {
    const stat = statSync(path)
    return stat.isFile() && stat.size <= LARGEST && OWN_KEY.test(readFileSync(path, 'utf8'))
  } catch {
    return false
  }
}
