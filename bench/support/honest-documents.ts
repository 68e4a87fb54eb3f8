import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

/**
 * A text that somebody wrote, as it is on the disk of a machine with this repository
 * and Debian's documentation.
 */
export interface HonestDocument {
  readonly kind: string
  readonly text: string
}

const SOURCES: Readonly<Record<string, readonly [folder: string, name: RegExp, most: number]>> = {
  readme: ['node_modules', /\.md$/i, 600],
  javascript: ['node_modules', /\.[cm]?js$/, 400],
  yaml: ['node_modules', /\.ya?ml$/, 200],
  json: ['node_modules', /\.json$/, 300],
  html: ['/usr/share/doc', /\.html?(?:\.gz)?$/, 300],
  'debian documentation': [
    '/usr/share/doc',
    /(?:changelog|readme|news|\.txt)(?:[.\w-]{0,20})?(?:\.gz)?$/i,
    600,
  ],
  manual: ['/usr/share/man/man1', /\.gz$/, 400],
  python: ['/usr/lib/python3', /\.py$/, 400],
  perl: ['/usr/share/perl', /\.p[lm]$/, 200],
}
const MOST_FILES = 20_000
const LONGEST = 64_000

/** Texts of many kinds, none twice, at most a few hundred of a kind; of folders that are not there, none. */
export function honestDocuments(root: string): readonly HonestDocument[] {
  const documents: HonestDocument[] = []
  const known = new Set<string>()
  for (const [kind, [folder, name, most]] of Object.entries(SOURCES)) {
    let count = 0
    for (const file of filesIn(folder.startsWith('/') ? folder : join(root, folder), name)) {
      const text = textOf(file)
      if (text === undefined || known.has(text)) continue
      known.add(text)
      documents.push({ kind, text })
      if (++count === most) break
    }
  }
  return documents
}

function* filesIn(root: string, name: RegExp): Generator<string> {
  const folders = existsSync(root) ? [root] : []
  let seen = 0
  for (let folder = folders.pop(); folder !== undefined && seen < MOST_FILES; folder = folders.pop()) {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name)
      if (entry.isSymbolicLink()) continue
      if (entry.isDirectory()) folders.push(path)
      else if (++seen <= MOST_FILES && name.test(entry.name)) yield path
    }
  }
}

function textOf(file: string): string | undefined {
  if (statSync(file).size > 400_000) return undefined
  const bytes = readFileSync(file)
  const content = file.endsWith('.gz') ? gunzipSync(bytes) : bytes
  return content.length < 300 || content.includes(0) ? undefined : content.toString('utf8').slice(0, LONGEST)
}
