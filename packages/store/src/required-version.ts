import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { ConfigError } from '@postern/core'

/** A package of others that a feature needs, and that who uses the feature installs. */
export interface OptionalPackage {
  readonly name: string
  /** The oldest version that works: `8.16.0`. */
  readonly least: string
  /** The version that the tests use. */
  readonly tested: string
  /** The key of the configuration that errors name. */
  readonly place: string
}

/** Module state: packages whose version was looked up; each file is read once. */
const accepted = new Set<string>()

/**
 * Refuses a version of a package that is too old. The range cannot stand in `peerDependencies`: where an
 * application has another version, npm installs several copies of what names the range, beside each other.
 * A version that cannot be found out, as in a bundle, is taken for the right one.
 * @param from the `import.meta.url` of who loads the package
 * @throws ConfigError with both versions, and the command that installs the tested one
 */
export function requireVersion({ name, least, tested, place }: OptionalPackage, from: string): void {
  const key = `${name} ${least} ${from}`
  if (accepted.has(key)) return
  const found = installedVersion(name, from)
  if (found === undefined || !isOlder(found, least)) {
    accepted.add(key)
    return
  }
  throw new ConfigError({
    place,
    problem: `${name} ${found} is installed, and Postern needs ${least} or newer`,
    hint: `npm install ${name}@${tested}`,
  })
}

/** What `package.json` says; few packages export it, so the file is read where the package stands. */
function installedVersion(name: string, from: string): string | undefined {
  try {
    const entry = createRequire(from).resolve(name).replaceAll('\\', '/')
    const folder = `/node_modules/${name}/`
    const at = entry.lastIndexOf(folder)
    if (at < 0) return undefined
    const text = readFileSync(`${entry.slice(0, at)}${folder}package.json`, 'utf8')
    const { version } = JSON.parse(text) as { readonly version?: unknown }
    return typeof version === 'string' && /^\d+\.\d+\.\d+/.test(version) ? version : undefined
  } catch {
    return undefined
  }
}

function isOlder(version: string, least: string): boolean {
  const [a = 0, b = 0, c = 0] = version.split(/[.+-]/, 3).map(Number)
  const [x = 0, y = 0, z = 0] = least.split('.').map(Number)
  return a !== x ? a < x : b !== y ? b < y : c < z
}
