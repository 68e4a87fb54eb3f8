// What is written about configuration keys, made from the table of keys: the reference in
// docs/configuration.md, the JSON Schema, and the docstrings of the interfaces.
import { stringify } from 'yaml'
import { annotatedSchema, type SchemaNode } from '../packages/config/src/table/json-schema.ts'

const LINE = 110

type Applies = 'reload' | 'restart'
type Row = readonly [name: string, node: SchemaNode]

/** The reference of all keys as Markdown. */
export function referenceMarkdown(): string {
  const properties = Object.entries(annotatedSchema().properties ?? {})
  const values = properties.filter(([, node]) => objectsIn(node).length === 0)
  const sections = properties.filter(([, node]) => objectsIn(node).length > 0)
  const parts = [
    '### Single values',
    table(values, 'reload'),
    ...sections.flatMap(([name, node]) => sectionParts(name, node, 'reload', '###')),
  ]
  return parts.join('\n\n')
}

function sectionParts(name: string, node: SchemaNode, around: Applies, heading: string): readonly string[] {
  const applies = node.applies ?? around
  const standard = defaultOf(node)
  const facts = [node.description ?? '', ...(standard === '' ? [] : [`Default: ${standard}.`])]
  const parts = [`${heading} \`${name}\``, facts.join(' ')]
  const deeper: Row[] = []
  for (const object of objectsIn(node)) {
    const rows = Object.entries(object.properties ?? {})
    parts.push(table(rows, applies))
    for (const row of rows) if (isDescribed(row)) deeper.push(row)
  }
  if (node.example !== undefined) parts.push(`\`\`\`yaml\n${exampleOf(name, node)}\`\`\``)
  return [
    ...parts,
    ...deeper.flatMap(([key, inner]) => sectionParts(`${name}.${key}`, inner, applies, '####')),
  ]
}

/** Whether a key of a section has keys of its own that are not described as a section elsewhere. */
function isDescribed([, node]: Row): boolean {
  return objectsIn(node).some(object =>
    Object.values(object.properties ?? {}).some(one => one.description !== undefined),
  )
}

/** The example of a key as YAML, from the outermost key on. */
function exampleOf(path: string, { example }: SchemaNode): string {
  return stringify(exampleConfig(path.split('.'), example), { flowCollectionPadding: true })
}

/** What stands between the name of a section by name and the keys of one of its entries. */
const ENTRY: Readonly<Record<string, string>> = { routes: 'POST /login', limits: 'api' }

/** A configuration that holds an example at a place of the table. */
function exampleConfig([first = '', ...rest]: readonly string[], example: unknown): unknown {
  const entry = ENTRY[first]
  const path = entry === undefined || rest.length === 0 ? [first, ...rest] : [first, entry, ...rest]
  return path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), example)
}

function table(rows: readonly Row[], around: Applies): string {
  const lines = rows.map(([name, node]) => {
    const cells = [typeText(node), defaultOf(node), node.applies ?? around, node.description ?? '']
    return `| \`${name}\` | ${cells.map(cell).join(' | ')} |`
  })
  return ['| key | value | default | takes effect | |', '|---|---|---|---|---|', ...lines].join('\n')
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}

/** A default as people read it. */
function defaultOf({ default: standard, defaultText }: SchemaNode): string {
  if (defaultText !== undefined) return defaultText
  if (standard === undefined) return ''
  if (Array.isArray(standard))
    return standard.length === 0 ? 'none' : standard.map(item => `\`${String(item)}\``).join(', ')
  return `\`${typeof standard === 'string' ? standard : JSON.stringify(standard)}\``
}

/** What may be written, in one line. */
function typeText(node: SchemaNode): string {
  if (node.form !== undefined) return node.form
  if (node.anyOf !== undefined) return [...new Set(node.anyOf.map(typeText))].join(' or ')
  if (node.const !== undefined) return `\`${JSON.stringify(node.const)}\``
  if (node.enum !== undefined) return node.enum.map(value => `\`${String(value)}\``).join(', ')
  if (node.type === 'array') return `list of ${node.items === undefined ? 'values' : typeText(node.items)}`
  if (node.properties !== undefined) return `\`{ ${Object.keys(node.properties).join(', ')} }\``
  if (node.type === 'object') return 'object'
  return KINDS[String(node.type)] ?? String(node.type)
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'whole number',
  number: 'number',
  boolean: '`true` or `false`',
}

/** The objects that a value may be, or its entries, or its items. */
function objectsIn(node: SchemaNode): readonly SchemaNode[] {
  if (node.properties !== undefined) return [node]
  const { additionalProperties: entries, items, anyOf = [] } = node
  const inner = [
    ...anyOf,
    ...(typeof entries === 'object' ? [entries] : []),
    ...(items === undefined ? [] : [items]),
  ]
  return inner.flatMap(objectsIn)
}

/** A source file with the docstrings of its configuration interfaces as the table says them. */
export function withDocstrings(source: string): string {
  const interfaces = new Map<string, Readonly<Record<string, SchemaNode>>>()
  collect(annotatedSchema(), interfaces)
  return source.replaceAll(
    /^(export interface (\w+) \{\n)((?:.*\n)*?)(^\}\n)/gm,
    (whole, start: string, name: string, body: string, end: string) => {
      const keys = interfaces.get(name)
      return keys === undefined
        ? whole
        : start +
            body.replaceAll(PROPERTY, (_, line: string, key: string) => documented(line, keys[key])) +
            end
    },
  )
}

const PROPERTY = /^(?: {2}\/\*\*(?:[^*]|\*(?!\/))*\*\/\n)?( {2}readonly (\w+)\??:)/gm

function collect(node: SchemaNode, found: Map<string, Readonly<Record<string, SchemaNode>>>): void {
  if (node.interface !== undefined && node.properties !== undefined)
    found.set(node.interface, node.properties)
  const { additionalProperties: entries, items, anyOf = [], properties = {} } = node
  for (const inner of [...anyOf, ...Object.values(properties)]) collect(inner, found)
  if (typeof entries === 'object') collect(entries, found)
  if (items !== undefined) collect(items, found)
}

function documented(line: string, node: SchemaNode | undefined): string {
  if (node?.description === undefined) return line
  const standard = defaultOf(node)
  const text = standard === '' ? node.description : `${node.description} Default: ${unlinked(standard)}.`
  const one = `  /** ${text} */`
  if (one.length <= LINE) return `${one}\n${line}`
  return `  /**\n${wrap(text, '   * ')}\n   */\n${line}`
}

function unlinked(text: string): string {
  return text.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
}

function wrap(text: string, start: string): string {
  const lines = ['']
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? ''
    if (last !== '' && start.length + last.length + 1 + word.length > LINE) lines.push(word)
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`
  }
  return lines.map(line => start + line).join('\n')
}
