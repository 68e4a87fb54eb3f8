// Every export is public (re-exported by the package's index or named in its manifest), imported by another
// file, or a type in the signature of another export of its file. A public value is named by another package,
// a test or a page of the documentation.
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { importsOf, packages, root } from './workspace.ts'

const EXPORT =
  /^export (?:declare )?(?:abstract )?(?:async )?(const|let|function\*?|class|interface|type|enum) (\w+)/gm

const unused: string[] = []
for (const { folder, manifest } of packages()) {
  const files = globSync(`${folder}/{src,test}/**/*.{ts,tsx}`, { cwd: root })
  const extra = globSync(['bench/**/*.ts', 'e2e/**/*.ts', 'scripts/**/*.ts', 'test/**/*.ts'], {
    cwd: root,
    exclude: ['**/node_modules/**'],
  })
  const used = new Map<string, Set<string>>()
  for (const file of [...files, ...extra]) {
    for (const { specifier, names } of importsOf(file)) {
      if (!specifier.startsWith('.')) continue
      const target = normalize(join(dirname(file), specifier))
      const known = used.get(target) ?? new Set()
      for (const name of names) known.add(name)
      used.set(target, known)
    }
  }
  const manifestText = JSON.stringify(manifest)
  for (const file of files) {
    if (!file.startsWith(`${folder}/src/`) || manifestText.includes(`./${file.slice(folder.length + 1)}`))
      continue
    const names = used.get(file)
    if (names?.has('*')) continue
    const text = readFileSync(join(root, file), 'utf8')
    for (const match of text.matchAll(EXPORT)) {
      const name = match[2] ?? ''
      const isType = match[1] === 'interface' || match[1] === 'type'
      if (names?.has(name) || (isType && text.split(new RegExp(`\\b${name}\\b`)).length > 2)) continue
      unused.push(`${file}: export "${name}" is used nowhere; drop the word export, or the code`)
    }
  }
}
const readers = new Map(
  globSync(
    [
      'packages/*/{src,test}/**/*.{ts,tsx}',
      ...['docs/*.md', '{.,packages/*}/README.md', '{bench,e2e,examples,scripts,test}/**/*.{ts,js,mjs,md}'],
    ],
    { cwd: root, exclude: ['**/node_modules/**'] },
  ).map(file => [file, readFileSync(join(root, file), 'utf8')]),
)

/** Whether another package, a test or a page names it. */
function isNamed(folder: string, name: string): boolean {
  const word = new RegExp(`\\b${name}\\b`)
  for (const [file, text] of readers) if (!file.startsWith(`${folder}/src/`) && word.test(text)) return true
  return false
}

for (const { folder } of packages()) {
  const file = `${folder}/src/index.ts`
  for (const [, names = ''] of (readers.get(file) ?? '').matchAll(/^export \{([^}]*)\}/gm))
    for (const name of names.split(',').map(part => part.trim().split(' as ').at(-1) ?? ''))
      if (name !== '' && !name.startsWith('type ') && !isNamed(folder, name))
        unused.push(`${file}: "${name}" is public, and no other package, test or page names it`)
}

for (const line of unused) console.error(line)
if (unused.length > 0) process.exit(1)
