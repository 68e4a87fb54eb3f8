/** Nodes by the nodes they import. */
export type Graph = ReadonlyMap<string, readonly string[]>

/** Every circle of a graph once, each as the nodes on the shortest way from one of its nodes back to it. */
export function circlesOf(graph: Graph): readonly (readonly string[])[] {
  const circles = new Map<string, readonly string[]>()
  for (const node of graph.keys()) {
    const circle = circleFrom(node, graph)
    if (circle === undefined) continue
    // One circle is found from each of its nodes; it is reported once.
    const nodes = [...new Set(circle)].sort().join()
    if (!circles.has(nodes)) circles.set(nodes, circle)
  }
  return [...circles.values()]
}

/**
 * Folders by the folders they import.
 * @param folderOf the folder of a file; undefined leaves the file out
 */
export function folderGraph(files: Graph, folderOf: (file: string) => string | undefined): Graph {
  const folders = new Map<string, Set<string>>()
  for (const [file, imports] of files) {
    const folder = folderOf(file)
    if (folder === undefined) continue
    const imported = folders.get(folder) ?? new Set()
    folders.set(folder, imported)
    for (const other of imports.map(folderOf))
      if (other !== undefined && other !== folder) imported.add(other)
  }
  return new Map([...folders].map(([folder, imported]) => [folder, [...imported]]))
}

function circleFrom(start: string, graph: Graph): readonly string[] | undefined {
  const cameFrom = new Map<string, string>()
  const queue = [start]
  for (const node of queue) {
    for (const next of graph.get(node) ?? []) {
      if (next === start) return [...wayTo(node, start, cameFrom), start]
      if (cameFrom.has(next)) continue
      cameFrom.set(next, node)
      queue.push(next)
    }
  }
  return undefined
}

function wayTo(node: string, start: string, cameFrom: ReadonlyMap<string, string>): readonly string[] {
  const way = [node]
  for (let at = node; at !== start; ) {
    at = cameFrom.get(at) ?? start
    way.unshift(at)
  }
  return way
}
