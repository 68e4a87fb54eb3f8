import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type Package, root } from './workspace.ts'

/** The condition under which the workspace loads sources, which are not published. */
const SOURCE_CONDITION = '@postern/source'
/** What npm publishes of every package, whatever its `files` name. */
const ALWAYS = ['README.md', 'LICENSE', 'CHANGELOG.md']

/** A manifest as JSON holds it. */
export type Manifest = Readonly<Record<string, unknown>>

/**
 * The manifest that goes into the tarball: without what only the workspace can use, the condition
 * `@postern/source`, side effects of sources, and development dependencies.
 */
export function publishedManifest(manifest: Manifest): Manifest {
  const { devDependencies: _, ...rest } = manifest
  const { exports, sideEffects, files } = manifest
  return {
    ...rest,
    // npm adds the README and the licence by itself, and the changes only when they are named.
    ...(Array.isArray(files) && { files: [...files, 'CHANGELOG.md'] }),
    ...(exports !== undefined && { exports: withoutSources(exports) }),
    ...(Array.isArray(sideEffects) && {
      sideEffects: sideEffects.filter(path => !String(path).startsWith('./src/')),
    }),
  }
}

function withoutSources(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => name !== SOURCE_CONDITION)
      .map(([name, inner]) => [name, withoutSources(inner)]),
  )
}

/** Every path inside the package that a manifest names: `./dist/index.js`. */
export function pathsIn(manifest: Manifest): readonly string[] {
  const found: string[] = []
  const look = (value: unknown): void => {
    if (typeof value === 'string') {
      if (value.startsWith('./')) found.push(value)
    } else if (typeof value === 'object' && value !== null)
      for (const inner of Object.values(value)) look(inner)
  }
  for (const field of ['main', 'types', 'exports', 'bin', 'sideEffects']) look(manifest[field])
  return found
}

/**
 * Lays a package out as it is published. Needs a build.
 * @param into a folder; the package gets one of its own in it
 * @returns that folder, for `npm pack` and `npm publish`
 */
export function stagePackage({ folder }: Package, into: string): string {
  const staged = join(into, basename(folder))
  mkdirSync(staged, { recursive: true })
  const from = join(root, folder)
  const manifest = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8')) as Manifest
  const files = Array.isArray(manifest['files']) ? manifest['files'].map(String) : []
  for (const name of [...ALWAYS, ...files])
    if (existsSync(join(from, name))) cpSync(join(from, name), join(staged, name), { recursive: true })
  writeFileSync(
    join(staged, 'package.json'),
    `${JSON.stringify(publishedManifest(manifest), undefined, 2)}\n`,
  )
  return staged
}
