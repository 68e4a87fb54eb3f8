// What is published of every package: its modules, and the declarations that a public one leads to.
import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { bundleModules } from './bundled-modules.ts'
import { packages, root } from './workspace.ts'

/** What the types of the configuration name of zod. */
const ZOD_TYPES = `/** A definition of a key: what is written, and what it compiles to. */
export interface ZodMiniType<Out = unknown, In = unknown> {
  readonly _output: Out;
  readonly _input: In;
}
`

const IMPORTED = /(?:from|import\(?)\s*['"](\.[^'"]+?)(?:\.[jt]s)?['"]/g

for (const each of packages()) {
  await bundleModules(each)
  const output = join(root, each.folder, 'dist')
  pruneTypes(each.folder, output)
  // What the compiler notes for its next run is not part of the package, and was a quarter of it.
  rmSync(join(output, '.tsbuildinfo'), { force: true })
}

/**
 * Removes declarations that no public declaration leads to, and those of zod, whose code is part of the
 * build.
 */
function pruneTypes(folder: string, output: string): void {
  const manifest = readFileSync(join(root, folder, 'package.json'), 'utf8')
  const queue = [...manifest.matchAll(/"\.\/dist\/([^"]+)\.d\.ts"/g)].map(([, name = '']) => name)
  const kept = new Set(queue)
  for (const name of queue) {
    const file = join(output, `${name}.d.ts`)
    const text = readFileSync(file, 'utf8')
    for (const [, place = ''] of text.matchAll(IMPORTED)) {
      const found = join(dirname(name), place)
      if (!kept.has(found)) queue.push(found)
      kept.add(found)
    }
    const zod = /^import (?:type )?\* as z from 'zod\/mini';$/m
    if (!zod.test(text)) continue
    const place = relative(dirname(file), join(output, 'zod-types.ts'))
    writeFileSync(
      file,
      text.replace(zod, `import type * as z from '${place.startsWith('.') ? place : `./${place}`}';`),
    )
    writeFileSync(join(output, 'zod-types.d.ts'), ZOD_TYPES)
    kept.add('zod-types')
  }
  for (const name of globSync('**/*.d.ts', { cwd: output }))
    if (!kept.has(name.replace(/\.d\.ts$/, ''))) rmSync(join(output, name))
}
