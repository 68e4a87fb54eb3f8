// What is written about configuration keys, made from the table of keys: the reference in
// docs/configuration.md, the JSON Schema, and the docstrings of the interfaces.
import { stringify } from 'yaml'
import { annotatedSchema, type SchemaNode } from '../packages/config/src/table/json-schema.ts'

const LINE = 110
/** The route of examples. */
const LOGIN = 'POST /login'

type Applies = 'reload' | 'restart'
type Row = readonly [name: string, node: SchemaNode]

/** The reference of all keys as Markdown. */
export function referenceMarkdown(): string {
  const properties = Object.entries(annotatedSchema().properties ?? {})
  const values = properties.filter(([name, node]) => objectsIn(node, name).length === 0)
  const sections = properties.filter(([name, node]) => objectsIn(node, name).length > 0)
  const parts = [
    '### Single values',
    table(values, 'reload'),
    ...sections.flatMap(([name, node]) =>
      sectionParts(name, node, 'reload', '###', value => ({ [name]: value })),
    ),
  ]
  return parts.join('\n\n')
}

/** What a value stands in, from the outermost key on. */
type Hold = (value: unknown) => unknown

function sectionParts(
  name: string,
  node: SchemaNode,
  around: Applies,
  heading: string,
  hold: Hold,
): readonly string[] {
  const applies = node.applies ?? around
  const standard = defaultOf(node)
  const facts = [node.description ?? '', ...(standard === '' ? [] : [`Default: ${standard}.`])]
  const parts = [`${heading} \`${name}\``, facts.join(' ')]
  const deeper: (readonly [Row, Hold])[] = []
  for (const { object, within } of objectsIn(node, name)) {
    const rows = Object.entries(object.properties ?? {})
    parts.push(table(rows, applies))
    for (const row of rows)
      if (isDescribed(row))
        deeper.push([row, value => hold(within({ ...neededBeside(row[0], object), [row[0]]: value }))])
  }
  if (node.example !== undefined) {
    const config = withCompanions(hold(node.example), COMPANIONS[name])
    parts.push(`\`\`\`yaml\n${stringify(config, { flowCollectionPadding: true })}\`\`\``)
  }
  return [
    ...parts,
    ...deeper.flatMap(([[key, inner], around]) =>
      sectionParts(`${name}.${key}`, inner, applies, '####', around),
    ),
  ]
}

/** Examples of the other keys that an object must have. */
function neededBeside(key: string, { properties = {}, required = [] }: SchemaNode): Tree {
  return Object.fromEntries(
    [...required, ...ONE_OF.filter(other => other in properties)]
      .filter(other => other !== key)
      .map(other => [other, properties[other]?.example]),
  )
}

/** Keys of which an object needs this one or another: the check says so, and the table cannot. */
const ONE_OF: readonly string[] = ['jwks']

type Tree = Readonly<Record<string, unknown>>

/** What an example needs elsewhere, or what the table does not require and the check does. */
const COMPANIONS: Readonly<Record<string, Tree>> = {
  allow: { block: ['all'] },
  'limits.key': { limits: { api: { limit: '100/1m' } } },
  'routes.policy': { policies: './policies.mjs' },
  'routes.throttle.key': { routes: { [LOGIN]: { throttle: { limit: '5/1m' } } } },
}

/** A configuration with its companions first. */
function withCompanions(config: unknown, companions: Tree | undefined): unknown {
  if (companions === undefined || !isTree(config)) return config
  const merged = Object.entries(companions).map(([key, value]) => [
    key,
    isTree(value) ? withCompanions(config[key] ?? {}, value) : value,
  ])
  return {
    ...Object.fromEntries(merged),
    ...Object.fromEntries(Object.entries(config).filter(([key]) => !(key in companions))),
  }
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether a key of a section has keys of its own that are not described as a section elsewhere. */
function isDescribed([name, node]: Row): boolean {
  return objectsIn(node, name).some(({ object }) =>
    Object.values(object.properties ?? {}).some(one => one.description !== undefined),
  )
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

/** What the entry of a section by name is called that is shown. */
function entryName(section: string, entry: unknown): string {
  if (section !== 'routes') return 'api'
  // Whose record it is, a route says by the parameter that names the record.
  return isTree(entry) && 'owned' in entry ? 'GET /invoices/:id' : LOGIN
}

/** The objects that a value may be, or its entries, or its items, and how the value holds them. */
function objectsIn(
  node: SchemaNode,
  name: string,
): readonly { readonly object: SchemaNode; readonly within: Hold }[] {
  if (node.properties !== undefined) return [{ object: node, within: value => value }]
  const { additionalProperties: entries, items, anyOf = [] } = node
  const held = (inner: SchemaNode, hold: Hold): ReturnType<typeof objectsIn> =>
    objectsIn(inner, name).map(({ object, within }) => ({ object, within: value => hold(within(value)) }))
  return [
    ...anyOf.flatMap(branch => objectsIn(branch, name)),
    ...(typeof entries === 'object' ? held(entries, value => ({ [entryName(name, value)]: value })) : []),
    ...(items === undefined ? [] : held(items, value => [value])),
  ]
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
