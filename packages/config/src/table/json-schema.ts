import * as z from 'zod/mini'
import { configTable } from './table.ts'

/**
 * A part of a JSON Schema, with what the table says besides: `form`, `codeOnly`, `interface`, `applies`,
 * `defaultText`, `example`, `emptyMeans`.
 */
export interface SchemaNode {
  readonly [keyword: string]: unknown
  readonly description?: string
  readonly default?: unknown
  readonly defaultText?: string
  readonly example?: unknown
  readonly applies?: 'reload' | 'restart'
  readonly form?: string
  readonly codeOnly?: boolean
  readonly interface?: string
  readonly emptyMeans?: string
  readonly type?: string | readonly string[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly SchemaNode[]
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly required?: readonly string[]
  readonly additionalProperties?: SchemaNode | boolean
  readonly items?: SchemaNode
}

/** Module state: made of a constant when it is first asked for, since most processes never need it. */
let annotated: SchemaNode | undefined

/** The table as a JSON Schema with everything the table says; what errors and the reference are made from. */
export function annotatedSchema(): SchemaNode {
  annotated ??= z.toJSONSchema(configTable, { unrepresentable: 'any', io: 'input' }) as SchemaNode
  return annotated
}

/** Every form that the table knows for a place; a part without an example has that of the whole. */
export function nodesAt(path: readonly (string | number)[]): readonly SchemaNode[] {
  let nodes = branches(annotatedSchema())
  for (const part of path) nodes = nodes.flatMap(node => partOf(node, part))
  return nodes
}

function partOf(node: SchemaNode, part: string | number): readonly SchemaNode[] {
  const next = typeof part === 'number' ? node.items : (node.properties?.[part] ?? node.additionalProperties)
  if (typeof next !== 'object') return []
  const isNamed = typeof part === 'string' && node.properties?.[part] === undefined
  const example = exampleOf(node.example, isNamed ? 0 : part)
  return branches(example === undefined ? next : { example, ...next })
}

/**
 * What an example of the whole says of one of its parts. Of a list, or an object with names of one's own, the
 * first entry shows what entries look like.
 * @param part the name of a property, else 0
 */
function exampleOf(whole: unknown, part: string | number): unknown {
  if (typeof whole !== 'object' || whole === null) return typeof part === 'number' ? whole : undefined
  if (typeof part === 'number') return Object.values(whole)[0]
  return Object.hasOwn(whole, part) ? (whole as Readonly<Record<string, unknown>>)[part] : undefined
}

function branches(node: SchemaNode): readonly SchemaNode[] {
  if (node.anyOf === undefined || node.form !== undefined) return [node]
  const { example } = node
  const inner = node.anyOf.flatMap(branches)
  return example === undefined ? inner : inner.map(branch => ({ example, ...branch }))
}

/** Annotations of ours that are not keywords of JSON Schema. */
const OURS: ReadonlySet<string> = new Set([
  'form',
  'codeOnly',
  'interface',
  'applies',
  'defaultText',
  'example',
  'emptyMeans',
])

/**
 * JSON Schema (draft 2020-12) of a YAML or JSON configuration, with descriptions, defaults and examples, for
 * editors.
 */
export function configJsonSchema(): Readonly<Record<string, unknown>> {
  return {
    ...publish(annotatedSchema()),
    $id: 'https://postern.dev/schema/postern.schema.json',
    title: 'Postern configuration',
    description: 'Everything a postern.config.yaml or postern.config.json may say. Every key has a default.',
  }
}

/** The schema without what only code can write, and without annotations of ours. */
function publish(node: SchemaNode): Readonly<Record<string, unknown>> {
  const { example } = node
  const kept = Object.entries(node).flatMap(([keyword, value]) =>
    OURS.has(keyword) ? [] : [[keyword, publishValue(keyword, value)]],
  )
  const published = Object.fromEntries(kept) as Readonly<Record<string, unknown>>
  return example === undefined ? published : { ...published, examples: [example] }
}

/** Whether only code can write a value: a function, a list of guards. */
function isOnlyCode({ codeOnly, items }: SchemaNode): boolean {
  return codeOnly === true || items?.codeOnly === true
}

function publishValue(keyword: string, value: unknown): unknown {
  if (keyword === 'anyOf')
    return (value as readonly SchemaNode[]).filter(({ codeOnly }) => codeOnly !== true).map(publish)
  if (keyword === 'properties')
    return Object.fromEntries(
      Object.entries(value as Readonly<Record<string, SchemaNode>>).flatMap(([name, node]) =>
        isOnlyCode(node) ? [] : [[name, publish(node)]],
      ),
    )
  const isSchema = ['items', 'additionalProperties', 'propertyNames'].includes(keyword)
  return isSchema && typeof value === 'object' && value !== null ? publish(value as SchemaNode) : value
}
