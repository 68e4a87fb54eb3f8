import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import {
  type ClassDeclaration,
  type ExportDeclaration,
  type NamedExports,
  type Node,
  type SourceFile,
  type Statement,
  SyntaxKind,
  type VariableStatement,
} from 'typescript/unstable/ast'
import { API, type Program } from 'typescript/unstable/sync'
import { packages, root } from './workspace.ts'

/** One public name. */
export interface ApiExport {
  readonly name: string
  /** `function`, `class`, `type` (interfaces too) or `const`. */
  readonly kind: 'function' | 'class' | 'type' | 'const'
  /** The text of its docstring without comment marks; empty when it has none. */
  readonly doc: string
  /** Its declaration as a caller sees it: no bodies, nothing private. */
  readonly declaration: string
  /** The file that declares it, from the root. */
  readonly file: string
}

/** What one import path offers. */
export interface ApiEntry {
  /** `postern`, `@postern/access/sqlite`. */
  readonly path: string
  readonly exports: readonly ApiExport[]
}

/** Every import path of every package that is published, with what it offers, in the order of the source. */
export function apiEntries(): readonly ApiEntry[] {
  const api = new API({ cwd: root })
  try {
    const config = join(root, 'scripts/api-reference.tsconfig.json')
    const program = api.updateSnapshot({ openProjects: [config] }).getProject(config)?.program
    if (program === undefined) throw new Error(`${config} cannot be opened`)
    return entryFiles().map(({ path, file }) => ({
      path,
      exports: exportsOf(program, file).toSorted((a, b) => a.name.localeCompare(b.name)),
    }))
  } finally {
    api.close()
  }
}

function entryFiles(): readonly { readonly path: string; readonly file: string }[] {
  return packages()
    .filter(({ manifest }) => manifest.private !== true)
    .flatMap(({ folder, manifest }) =>
      sourcesOf(folder).map(({ subpath, source }) => ({
        path: `${manifest.name}${subpath.slice(1)}`,
        file: join(root, folder, source),
      })),
    )
}

/** The subpaths of a package that are written in TypeScript, with their source. */
function sourcesOf(folder: string): readonly { readonly subpath: string; readonly source: string }[] {
  const { exports } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as {
    readonly exports?: Readonly<Record<string, Readonly<Record<string, unknown>> | string>>
  }
  return Object.entries(exports ?? {}).flatMap(([subpath, target]) => {
    const source = typeof target === 'string' ? undefined : target['@postern/source']
    return typeof source === 'string' ? [{ subpath, source }] : []
  })
}

/** Names of other packages are looked up where they are declared. */
function exportsOf(program: Program, file: string): readonly ApiExport[] {
  const source = sourceFile(program, file)
  return source.statements.flatMap(statement => {
    if (statement.kind === SyntaxKind.ExportDeclaration)
      return reExported(program, file, statement as ExportDeclaration)
    const name = declaredName(statement)
    return name === undefined || !isExported(statement)
      ? []
      : [described(source, file, statement, name, name)]
  })
}

function reExported(program: Program, file: string, statement: ExportDeclaration): readonly ApiExport[] {
  const from = resolved(file, textOf(statement.moduleSpecifier))
  if (from === undefined) return []
  const all = exportsOf(program, from)
  const { exportClause } = statement
  if (exportClause?.kind !== SyntaxKind.NamedExports) return all
  return (exportClause as NamedExports).elements.flatMap(element => {
    const inside = textOf(element.propertyName ?? element.name)
    const name = textOf(element.name)
    const found = all.find(other => other.name === inside) ?? localExport(program, from, inside)
    if (found === undefined) throw new Error(`${relative(root, file)}: ${inside} is declared nowhere`)
    return [
      name === inside ? found : { ...found, name, declaration: renamed(found.declaration, inside, name) },
    ]
  })
}

/** A name that its file declares and exports in a clause of its own. */
function localExport(program: Program, file: string, name: string): ApiExport | undefined {
  const source = sourceFile(program, file)
  const statement = source.statements.find(other => declaredName(other) === name)
  return statement === undefined ? undefined : described(source, file, statement, name, name)
}

function sourceFile(program: Program, file: string): SourceFile {
  const source = program.getSourceFile(file)
  if (source === undefined) throw new Error(`${relative(root, file)} is not a source file`)
  return source
}

function resolved(from: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return join(dirname(from), specifier)
  const found = entryFiles().find(({ path }) => path === specifier)?.file
  return found !== undefined && existsSync(found) ? found : undefined
}

function textOf(node: Node | undefined): string {
  const text = (node as { readonly text?: unknown } | undefined)?.text
  return typeof text === 'string' ? text : ''
}

const KINDS: ReadonlyMap<SyntaxKind, ApiExport['kind']> = new Map([
  [SyntaxKind.FunctionDeclaration, 'function'],
  [SyntaxKind.ClassDeclaration, 'class'],
  [SyntaxKind.InterfaceDeclaration, 'type'],
  [SyntaxKind.TypeAliasDeclaration, 'type'],
  [SyntaxKind.VariableStatement, 'const'],
])

function declaredName(statement: Statement): string | undefined {
  if (!KINDS.has(statement.kind)) return undefined
  if (statement.kind === SyntaxKind.VariableStatement) {
    const list = (statement as VariableStatement).declarationList as {
      readonly declarations: readonly { readonly name: Node }[]
    }
    return textOf(list.declarations[0]?.name)
  }
  return textOf((statement as Statement & { readonly name?: Node }).name)
}

function isExported(statement: Statement): boolean {
  const { modifiers } = statement as { readonly modifiers?: readonly Node[] }
  return modifiers?.some(({ kind }) => kind === SyntaxKind.ExportKeyword) === true
}

function described(
  source: SourceFile,
  file: string,
  statement: Statement,
  inside: string,
  name: string,
): ApiExport {
  const text = source.text
  const start = statement.getStart(source)
  return {
    name,
    kind: KINDS.get(statement.kind) ?? 'const',
    doc: docstring(text.slice(statement.pos, start)),
    declaration: renamed(declarationOf(text, start, statement), inside, name).replace(/^export /, ''),
    file: relative(root, file),
  }
}

function renamed(declaration: string, from: string, to: string): string {
  return from === to ? declaration : declaration.replace(new RegExp(`\\b${from}\\b`), to)
}

function declarationOf(text: string, start: number, statement: Statement): string {
  switch (statement.kind) {
    case SyntaxKind.FunctionDeclaration:
      return signature(text, start, statement)
    case SyntaxKind.ClassDeclaration:
      return classOutline(text, start, statement as ClassDeclaration)
    case SyntaxKind.VariableStatement:
      return constant(text.slice(start, statement.end))
    default:
      return text.slice(start, statement.end)
  }
}

function signature(text: string, start: number, node: Node): string {
  const { body } = node as { readonly body?: Node }
  return text.slice(start, body?.pos ?? node.end).trim()
}

/** The type of a constant says what it is; one without is a literal. */
function constant(text: string): string {
  const [declared = text] = /^[^=]*?:[\s\S]*?(?= =\s)/.exec(text) ?? [
    text.length < 200 ? text : text.split(' = ')[0],
  ]
  return declared ?? text
}

function classOutline(text: string, start: number, node: ClassDeclaration): string {
  const first = node.members[0]
  const header = text.slice(start, first?.pos ?? node.end).trim()
  const members = node.members.filter(member => !isPrivate(member)).map(member => memberOutline(text, member))
  return `${header}\n${members.join('\n')}\n}`
}

function isPrivate(member: Node): boolean {
  const { name, modifiers } = member as { readonly name?: Node; readonly modifiers?: readonly Node[] }
  if (name?.kind === SyntaxKind.PrivateIdentifier) return true
  return modifiers?.some(({ kind }) => kind === SyntaxKind.PrivateKeyword) === true
}

function memberOutline(text: string, member: Node): string {
  const { body } = member as { readonly body?: Node }
  const whole = text.slice(member.pos, body?.pos ?? member.end).replace(/^\n+/, '')
  return whole.trimEnd()
}

/** The last `/** ... *` + `/` before a declaration. */
function docstring(trivia: string): string {
  const comment = [...trivia.matchAll(/\/\*\*([\s\S]*?)\*\//g)].at(-1)?.[1] ?? ''
  return comment
    .split('\n')
    .map(line => line.replace(/^\s*\* ?/, '').trimEnd())
    .join('\n')
    .trim()
}
