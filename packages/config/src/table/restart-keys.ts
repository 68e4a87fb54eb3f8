import { annotatedSchema, type SchemaNode } from './json-schema.ts'
import type { Config } from './table.ts'

type Path = readonly string[]

/** Every key of the table that takes effect only when the process starts, outermost first. */
function restartPaths(): readonly Path[] {
  return pathsIn(annotatedSchema(), [])
}

/**
 * The keys that differ between two configurations and take effect only when the process starts: `audit`,
 * `remediations.nftables`.
 */
export function changedRestartKeys(before: Config, after: Config): readonly string[] {
  return restartPaths()
    .filter(path => JSON.stringify(at(before, path)) !== JSON.stringify(at(after, path)))
    .map(path => path.join('.'))
}

/** A key that needs a restart speaks for everything below it. */
function pathsIn(node: SchemaNode, path: Path): readonly Path[] {
  if (node.applies === 'restart') return [path]
  const inner = (node.anyOf ?? []).flatMap(branch => pathsIn(branch, path))
  const below = Object.entries(node.properties ?? {}).flatMap(([name, child]) =>
    pathsIn(child, [...path, name]),
  )
  return [...inner, ...below]
}

function at(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (found, part) =>
      typeof found === 'object' && found !== null
        ? (found as Readonly<Record<string, unknown>>)[part]
        : undefined,
    value,
  )
}
