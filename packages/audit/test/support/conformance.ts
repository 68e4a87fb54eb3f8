import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { conformance as shared, type TestMaterial } from '../../../../test/conformance.ts'

/** Where a set of the audit material lies, or why the test that needs it cannot run. */
export function conformance(set: string): TestMaterial {
  return shared(join('audit', set))
}

/** Every JSON document under a folder, by path. */
export function jsonUnder<T>(path: string): readonly { readonly file: string; readonly value: T }[] {
  return globSync('**/*.json', { cwd: path })
    .sort()
    .map(file => ({ file, value: JSON.parse(readFileSync(join(path, file), 'utf8')) as T }))
}
