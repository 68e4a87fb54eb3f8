// Entries for require(): beside each public ES module X.js stand X.cjs, which loads that very module, so that
// both worlds share one instance, and X.d.cts, the declarations that TypeScript asks for in CommonJS files.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { packages, root } from './workspace.ts'

/** A value that a module exports. */
interface Exported {
  readonly name: string
  /** A class is a type as well; its type parameters as declared: `<Log extends AuditLog>`, or nothing. */
  readonly parameters: string | undefined
}

const CLAUSE = /^export \{([^}]*)\}(?: from '([^']+)')?/gm
const DECLARED = /^export declare (?:abstract )?(?:const|let|function|class) ([\w$]+)/gm

for (const { folder } of packages())
  for (const entry of entriesOf(folder)) {
    const file = join(root, folder, 'dist', entry)
    const from = `./${entry.slice(entry.lastIndexOf('/') + 1)}.js`
    writeFileSync(`${file}.cjs`, `'use strict'\nmodule.exports = require('${from}')\n`)
    writeFileSync(`${file}.d.cts`, declarations(`${file}.d.ts`, from))
  }

/** Public entries of a package that require() finds, relative to `dist`, without an ending. */
function entriesOf(folder: string): readonly string[] {
  const manifest = readFileSync(join(root, folder, 'package.json'), 'utf8')
  return [...manifest.matchAll(/"\.\/dist\/([^"]+)\.cjs"/g)].map(([, name = '']) => name)
}

/** Declarations for CommonJS of what the declarations of an ES module export. */
function declarations(file: string, from: string): string {
  const module = `import('${from}', { with: { 'resolution-mode': 'import' } })`
  const lines = valuesOf(file).flatMap(({ name, parameters }) => [
    `export declare const ${name}: typeof ${module}.${name}`,
    ...(parameters === undefined
      ? []
      : [
          `export type ${name}${parameters.replace(/(?<=extends )(?=\w)/g, `${module}.`)} = ` +
            `${module}.${name}${parameters.replace(/ extends \w+/g, '')}`,
        ]),
  ])
  return `export type * from '${from}' with { 'resolution-mode': 'import' }\n${lines.join('\n')}\n`
}

function valuesOf(file: string): readonly Exported[] {
  const text = readFileSync(file, 'utf8')
  const declared = [...text.matchAll(DECLARED)].map(([, name = '']) => ({
    name,
    parameters: classParameters(text, name),
  }))
  const listed = [...text.matchAll(CLAUSE)].flatMap(([, names = '', place]) =>
    names
      .split(',')
      .map(name => name.trim())
      .filter(name => name !== '' && !name.startsWith('type '))
      .map(name => {
        const [inner = '', outer = inner] = name.split(' as ')
        return { name: outer, parameters: parametersAt(file, place, inner) }
      }),
  )
  return [...declared, ...listed]
}

/** Type parameters of a class that a file takes from another; undefined for other values. */
function parametersAt(file: string, place: string | undefined, name: string): string | undefined {
  if (place === undefined) return classParameters(readFileSync(file, 'utf8'), name)
  const other = join(dirname(file), place.replace(/\.[jt]s$/, '.d.ts'))
  // Of another package: its classes are named as classes are, and have no parameters.
  if (!place.startsWith('.') || !existsSync(other)) return /^[A-Z][a-z]/.test(name) ? '' : undefined
  const text = readFileSync(other, 'utf8')
  const own = classParameters(text, name)
  if (own !== undefined) return own
  const again = valuesOf(other).find(value => value.name === name)
  return again?.parameters
}

function classParameters(text: string, name: string): string | undefined {
  const found = new RegExp(
    `\\bdeclare (?:abstract )?class ${name.replace('$', '\\$')}(<[^{]*?>)?(?= |\\{)`,
  ).exec(text)
  return found === null ? undefined : (found[1] ?? '')
}
