import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { ConfigError, errorCode } from '@postern/core'

/** A package of others that a feature needs, and that who uses the feature installs. */
export interface OptionalPackage {
  readonly name: string
  /** The oldest version that works: `8.16.0`. */
  readonly least: string
  /** The version that the tests use. */
  readonly tested: string
  /** The key of the configuration that errors name. */
  readonly place: string
  /** Who needs it, and the verb: `SMTP needs`; what is left when `place` says who. */
  readonly needs: string
}

/** Module state: packages whose version was looked up; each file is read once. */
const accepted = new Set<string>()

/**
 * Loads such a package by `require`. One that is imported is not loaded here: bundlers leave an import that
 * they cannot resolve alone only where its failure is caught beside it. There `requireVersion` stands before
 * it, and `.catch(notLoaded(wanted))` behind.
 * @param from the `import.meta.url` of who loads it
 * @throws ConfigError with the command that installs it, when it is not there or too old
 */
export function requireOptional<Module>(wanted: OptionalPackage, from: string, load: () => Module): Module {
  requireVersion(wanted, from)
  try {
    return load()
  } catch (cause) {
    return notLoaded(wanted)(cause)
  }
}

/**
 * What to do where loading a package failed: an error of the package itself says more than that it failed.
 * @returns a function that throws ConfigError when the package is missing, and else what it is given
 */
export function notLoaded({ name, tested, place, needs }: OptionalPackage): (cause: unknown) => never {
  return cause => {
    const code = errorCode(cause)
    if (code !== 'MODULE_NOT_FOUND' && code !== 'ERR_MODULE_NOT_FOUND') throw cause
    throw new ConfigError(
      {
        place,
        problem: `${needs} the package ${name}, which is not installed`,
        hint: `npm install ${name}@${tested}`,
      },
      { cause },
    )
  }
}

/**
 * Refuses a version that is too old. The range cannot stand in `peerDependencies`: where an application has
 * another version, npm installs several copies of what names the range, beside each other. A version that
 * cannot be found out, as in a bundle, is taken for the right one.
 * @param from the `import.meta.url` of who loads it
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

/**
 * Why a package cannot be used, for a feature that does without it: it is not there, or too old.
 * @param from the `import.meta.url` of who loads it
 */
export function troubleOf(wanted: OptionalPackage, from: string): string | undefined {
  const { name, least, tested } = wanted
  if (!isThere(name, from)) return `${name} is not installed; npm install ${name}@${tested}`
  const found = installedVersion(name, from)
  if (found === undefined || !isOlder(found, least)) return undefined
  return `${name} ${found} is older than ${least}; npm install ${name}@${tested}`
}

function isThere(name: string, from: string): boolean {
  try {
    createRequire(from).resolve(name)
    return true
  } catch (error) {
    // A package that exports nothing to `require` is there.
    return errorCode(error) !== 'MODULE_NOT_FOUND'
  }
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
