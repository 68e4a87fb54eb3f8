// No file of a package imports itself through other files, not even through a type: files in a circle can
// only be understood together. The same holds for the folders of a package.
import { globSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { circlesOf, folderGraph, type Graph } from './import-graph.ts'
import { importsOf, packages, root } from './workspace.ts'

function filesOf(folder: string): Graph {
  return new Map(
    globSync(`${folder}/src/**/*.{ts,tsx}`, { cwd: root }).map(file => [
      file,
      importsOf(file)
        .filter(({ specifier }) => specifier.startsWith('.'))
        .map(({ specifier }) => normalize(join(dirname(file), specifier))),
    ]),
  )
}

const problems: string[] = []
const report = (circles: readonly (readonly string[])[], advice: string): void => {
  for (const circle of circles) problems.push(`${circle.join('\n    imports ')}\n  a circle: ${advice}`)
}

for (const { folder } of packages()) {
  const files = filesOf(folder)
  report(circlesOf(files), 'move what both need into a file of its own')
  // What a package exports comes from everywhere, and nothing in the package imports it.
  const entry = `${folder}/src/index.ts`
  const circles = circlesOf(folderGraph(files, file => (file === entry ? undefined : dirname(file))))
  report(circles, 'move a file to the folder that needs it')
}
for (const problem of problems) console.error(problem)
if (problems.length > 0) process.exit(1)
