// Declarations that name a package which users may not have installed (an optional driver, or what the build
// put inside) compile without it, also where a project checks the declarations of its dependencies
// (skipLibCheck: false, TypeScript's default): what comes from it is then `any`.
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packages, root } from './workspace.ts'

/** Modules that a line of declarations names: `from 'pg'`, `import('pg')`, `import 'pg'`. */
const NAMED = /(?:\bfrom\s+|\bimport\s*\(\s*|\bimport\s+)['"]([^'"]+)['"]/g
const IGNORED = '// @ts-ignore: a package that not everybody installs.'

for (const { folder, manifest } of packages()) {
  const installed = new Set([manifest.name, ...Object.keys(manifest.dependencies ?? {})])
  for (const file of globSync('dist/**/*.d.ts', { cwd: join(root, folder) })) {
    const path = join(root, folder, file)
    const text = readFileSync(path, 'utf8')
    const lines = text.split('\n').flatMap(line => (mayBeMissing(line, installed) ? [IGNORED, line] : [line]))
    if (lines.includes(IGNORED)) writeFileSync(path, lines.join('\n'))
  }
}

function mayBeMissing(line: string, installed: ReadonlySet<string>): boolean {
  // Comments hold examples.
  if (/^\s*(?:\*|\/[/*])/.test(line)) return false
  return [...line.matchAll(NAMED)].some(([, module = '']) => {
    if (module.startsWith('.') || module.startsWith('node:')) return false
    const name = module.split('/', module.startsWith('@') ? 2 : 1).join('/')
    return !installed.has(name)
  })
}
