// Types of `postern` for TypeScript in CommonJS files under `module: node16`: Node loads the ES module with
// require(), but TypeScript asks for declarations of their own.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './workspace.ts'

const FROM = `import('./index.js', { with: { 'resolution-mode': 'import' } })`

/** Declarations for CommonJS of what an `index.d.ts` exports. */
function commonjsTypes(index: string): string {
  const values = [...index.matchAll(/^export \{([^}]*)\}/gm)]
    .flatMap(([, names = '']) => names.split(','))
    .map(name => name.trim())
    .filter(name => name !== '' && !name.startsWith('type '))
    .map(name => name.replace(/^.* as /, ''))
  const lines = values.flatMap(name => [
    `export declare const ${name}: typeof ${FROM}.${name}`,
    // A class is a type as well.
    ...(/^[A-Z][a-z]/.test(name) ? [`export type ${name} = ${FROM}.${name}`] : []),
  ])
  return `export type * from './index.js' with { 'resolution-mode': 'import' }\n${lines.join('\n')}\n`
}

const dist = join(root, 'packages/postern/dist')
writeFileSync(join(dist, 'index.d.cts'), commonjsTypes(readFileSync(join(dist, 'index.d.ts'), 'utf8')))
