import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root: string = dirname(dirname(fileURLToPath(import.meta.url)))

export interface Manifest {
  readonly name: string
  readonly version?: string
  readonly description?: string
  readonly license?: string
  readonly homepage?: string
  readonly repository?: Readonly<Record<string, string>>
  readonly bugs?: string
  readonly keywords?: readonly string[]
  readonly publishConfig?: Readonly<Record<string, string>>
  readonly private?: boolean
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly scripts?: Readonly<Record<string, string>>
}

export interface Package {
  /** Folder relative to the root: `packages/core`. */
  readonly folder: string
  readonly manifest: Manifest
}

/** Every package under `packages/`, by folder name. */
export function packages(): readonly Package[] {
  return globSync('packages/*/package.json', { cwd: root })
    .sort()
    .map(file => ({
      folder: dirname(file),
      manifest: JSON.parse(readFileSync(join(root, file), 'utf8')) as Manifest,
    }))
}

/** Whether a package is built whole: `npm test` builds its modules alone, without their types. */
export function isBuilt({ folder }: Pick<Package, 'folder'>): boolean {
  return ['index.js', 'index.d.ts'].every(name => existsSync(join(root, folder, 'dist', name)))
}

export interface Import {
  readonly file: string
  readonly line: number
  readonly specifier: string
  /** Names as exported by the other side; `*` for a namespace or a bare or dynamic import. */
  readonly names: readonly string[]
}

const STATIC = /^(?:import|export)\b([^'"`;]*?)\bfrom\s*['"]([^'"]+)['"]|^import\s*['"]([^'"]+)['"]/gm
const DYNAMIC = /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g

/** Every import and re-export of a source file. Relies on the formatter's layout: statements start a line. */
export function importsOf(file: string): readonly Import[] {
  const text = readFileSync(join(root, file), 'utf8')
  const line = (index: number): number => text.slice(0, index).split('\n').length
  const found: Import[] = []
  for (const match of text.matchAll(STATIC)) {
    found.push({
      file,
      line: line(match.index),
      specifier: match[2] ?? match[3] ?? '',
      names: namesIn(match[1] ?? '*'),
    })
  }
  for (const match of text.matchAll(DYNAMIC)) {
    found.push({ file, line: line(match.index), specifier: match[1] ?? '', names: ['*'] })
  }
  return found
}

function namesIn(clause: string): readonly string[] {
  const braces = /\{([^}]*)\}/.exec(clause)
  if (clause.includes('*') || braces === null) return ['*']
  return (braces[1] ?? '')
    .split(',')
    .map(name =>
      name
        .trim()
        .replace(/^type\s+/, '')
        .replace(/\s+as\s+.*$/, ''),
    )
    .filter(name => name !== '')
}
