// No file of a package imports itself through other files, not even through a type: files in a
// circle can only be understood together.
import { globSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { importsOf, packages, root } from './workspace.ts'

/** Files by the files they import. */
type Graph = ReadonlyMap<string, readonly string[]>

/** A shortest way from a file back to itself; undefined when there is none. */
function circleFrom(start: string, graph: Graph): readonly string[] | undefined {
  const cameFrom = new Map<string, string>()
  const queue = [start]
  for (const file of queue) {
    for (const next of graph.get(file) ?? []) {
      if (next === start) return [...wayTo(file, start, cameFrom), start]
      if (cameFrom.has(next)) continue
      cameFrom.set(next, file)
      queue.push(next)
    }
  }
  return undefined
}

function wayTo(file: string, start: string, cameFrom: ReadonlyMap<string, string>): readonly string[] {
  const way = [file]
  for (let at = file; at !== start; ) {
    at = cameFrom.get(at) ?? start
    way.unshift(at)
  }
  return way
}

const circles = new Map<string, string>()
for (const { folder } of packages()) {
  const graph = new Map(
    globSync(`${folder}/src/**/*.{ts,tsx}`, { cwd: root }).map(file => [
      file,
      importsOf(file)
        .filter(({ specifier }) => specifier.startsWith('.'))
        .map(({ specifier }) => normalize(join(dirname(file), specifier))),
    ]),
  )
  for (const file of graph.keys()) {
    const circle = circleFrom(file, graph)
    if (circle === undefined) continue
    // One circle is found from each of its files; it is reported once.
    circles.set([...new Set(circle)].sort().join(), circle.join('\n    imports '))
  }
}
for (const circle of circles.values())
  console.error(`${circle}\n  a circle: move what both need into a file of its own`)
if (circles.size > 0) process.exit(1)
