// A package may import only from floors below its own, and only what its manifest names; a dependency that it
// names is imported somewhere.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { BUNDLED } from './bundled-code.ts'
import { importsOf, packages, root } from './workspace.ts'

/** The house, ground floor first. Siblings never import each other. */
const FLOORS: readonly (readonly string[])[] = [
  ['@postern/core'],
  ['@postern/store', '@postern/access-log'],
  [
    '@postern/throttle',
    '@postern/inspect',
    '@postern/scenarios',
    '@postern/remediate',
    '@postern/protocol',
    '@postern/identity',
    '@postern/access',
    '@postern/vault',
    '@postern/audit',
  ],
  ['@postern/http', '@postern/gateway'],
  ['@postern/config', '@postern/console'],
  ['@postern/runtime'],
  ['@postern/server'],
  ['@postern/cli'],
  ['postern'],
]

const floorOf = (name: string): number => FLOORS.findIndex(floor => floor.includes(name))
const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')

const breaches: string[] = []
for (const { folder, manifest } of packages()) {
  const floor = floorOf(manifest.name)
  if (floor < 0) {
    breaches.push(
      `${folder}/package.json: "${manifest.name}" has no floor; add it to scripts/check-floors.ts and say why`,
    )
    continue
  }
  const runtime = { ...manifest.dependencies, ...manifest.peerDependencies, ...manifest.optionalDependencies }
  const development = { ...runtime, ...manifest.devDependencies }
  for (const file of globSync(`${folder}/{src,test}/**/*.{ts,tsx}`)) {
    const isSource = file.startsWith(`${folder}/src/`)
    for (const { line, specifier } of importsOf(file)) {
      const at = `${file}:${line}`
      if (specifier.startsWith('.')) {
        if (
          isSource &&
          specifier.split('/').filter(part => part === '..').length > file.split('/').length - 4
        ) {
          breaches.push(
            `${at}: "${specifier}" leaves the package's src; import the other package by its name`,
          )
        }
        continue
      }
      if (specifier.startsWith('node:')) continue
      const target = packageOf(specifier)
      if (target === manifest.name) {
        if (isSource)
          breaches.push(`${at}: a package imports its own files by relative path, not as "${target}"`)
        continue
      }
      const targetFloor = floorOf(target)
      if (targetFloor >= 0 && targetFloor >= floor) {
        const relation = targetFloor === floor ? 'stands on the same floor' : 'stands above it'
        breaches.push(
          `${at}: ${manifest.name} (floor ${floor}) may not import ${target}, which ${relation} (floor ${targetFloor}); ` +
            'let both meet through an interface in @postern/core',
        )
      }
      const declared = isSource ? runtime : development
      const rootTool = !isSource && ['fast-check'].includes(target)
      const isBundled = (BUNDLED[manifest.name] ?? []).includes(target) && target in development
      if (!(target in declared) && !rootTool && !isBundled) {
        breaches.push(
          `${at}: "${target}" is not in the ${isSource ? 'dependencies' : 'dependencies or devDependencies'} of ${folder}/package.json`,
        )
      }
    }
  }
}
for (const { folder, manifest } of packages()) {
  const sources = globSync(`${folder}/{src,page}/**/*.{ts,tsx,css}`, { cwd: root })
    .map(file => readFileSync(join(root, file), 'utf8'))
    .join('\n')
  const named = { ...manifest.dependencies, ...manifest.peerDependencies, ...manifest.optionalDependencies }
  for (const name of Object.keys(named))
    if (
      !['/', "'", '"'].some(end => sources.includes(`'${name}${end}`) || sources.includes(`"${name}${end}`))
    )
      breaches.push(`${folder}/package.json: "${name}" is a dependency, and no source imports it`)
}

for (const breach of breaches) console.error(breach)
if (breaches.length > 0) process.exit(1)
