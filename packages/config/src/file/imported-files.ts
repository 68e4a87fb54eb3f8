import { readFileSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { fileVersion } from './follow-file.ts'

/** `from './rules.ts'`, `import('./rules.ts')`, `require('./rules.cjs')`. */
const RELATIVE = /(?:\bfrom|\bimport|\brequire)\s*\(?\s*(['"])(\.{1,2}\/[^'"\n]{1,500})\1/g

/** Files that a configuration in code imports from beside it, and which content of them was read. */
export function importedFiles(path: string): ReadonlyMap<string, string | undefined> {
  const text = readFileSync(path, 'utf8')
  const found = [...text.matchAll(RELATIVE)].map(([, , name = '']) => resolve(dirname(path), name))
  return new Map(found.map(file => [file, fileVersion(file)]))
}

/** A configuration as it was read. */
interface ReadFile {
  readonly path: string | undefined
  readonly imported?: ReadonlyMap<string, string | undefined>
}

/**
 * Names of files that the configuration imports and that changed since they were read: a module is read once
 * in a process, because the application may use it too.
 * @param first as it was read at the start
 * @param next as it was read now
 */
function staleImports(first: ReadFile, next: ReadFile): readonly string[] {
  if (first.path !== next.path || first.imported === undefined) return []
  const { imported } = first
  return [...(next.imported ?? [])]
    .filter(([file, version]) => imported.has(file) && imported.get(file) !== version)
    .map(([file]) => basename(file))
}

/** What a reload says about them; undefined when there is nothing to say. */
export function staleImportsSentence(first: ReadFile, next: ReadFile): string | undefined {
  const names = staleImports(first, next)
  return names.length === 0
    ? undefined
    : `imported files are read again at a restart only: ${names.join(', ')} changed`
}
