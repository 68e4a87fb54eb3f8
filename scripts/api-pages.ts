import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ApiEntry, apiEntries } from './api-exports.ts'
import { referencePages } from './api-reference.ts'
import { root } from './workspace.ts'

/** Writes docs/api, and removes pages of packages that are gone. */
export function writeApiReference(): void {
  const pages = referencePages(apiEntries())
  mkdirSync(join(root, 'docs/api'), { recursive: true })
  for (const { file, text } of pages) writeFileSync(join(root, file), text)
  for (const file of otherPages(pages.map(page => page.file))) rmSync(join(root, file))
}

/** The pages of docs/api that differ from the docstrings. */
export function staleApiPages(entries: readonly ApiEntry[] = apiEntries()): readonly string[] {
  const pages = referencePages(entries)
  const stale = pages.filter(({ file, text }) => written(file) !== text).map(({ file }) => file)
  return [...stale, ...otherPages(pages.map(({ file }) => file))]
}

function otherPages(files: readonly string[]): readonly string[] {
  return globSync('docs/api/*.md', { cwd: root })
    .map(file => file.replaceAll('\\', '/'))
    .filter(file => !files.includes(file))
}

function written(file: string): string | undefined {
  try {
    return readFileSync(join(root, file), 'utf8')
  } catch {
    return undefined
  }
}
