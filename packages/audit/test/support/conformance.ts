import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder =
  process.env['POSTERN_CONFORMANCE'] ??
  fileURLToPath(new URL('../../../../../shared/conformance', import.meta.url))

/**
 * Where a set of the audit material lies, or why the test that needs it cannot run.
 * With `CI=true` absence is a failure.
 */
export function conformance(set: string): { readonly path: string; readonly skip: string | false } {
  const path = join(folder, 'audit', set)
  if (existsSync(path)) return { path, skip: false }
  const problem = `conformance material is absent: ${path} (set POSTERN_CONFORMANCE)`
  if (process.env['POSTERN_REQUIRE_CONFORMANCE'] === '1') throw new Error(problem)
  return { path, skip: problem }
}

/** Every JSON document under a folder, by path. */
export function jsonUnder<T>(path: string): readonly { readonly file: string; readonly value: T }[] {
  return globSync('**/*.json', { cwd: path })
    .sort()
    .map(file => ({ file, value: JSON.parse(readFileSync(join(path, file), 'utf8')) as T }))
}
