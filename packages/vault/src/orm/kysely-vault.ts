import { AsyncLocalStorage } from 'node:async_hooks'
import { ConfigError } from '@postern/core'
import type { Row } from '../table/row-context.ts'
import type { OpenOptions, Vault } from '../table/vault.ts'
import { assertSealed } from './sealed-column.ts'

/** A node of a Kysely query, as far as it is read here. */
interface QueryNode {
  readonly kind: string
  readonly [key: string]: unknown
}

/** The parts of a `KyselyPlugin` (Kysely is not imported: an application without it does not need it). */
export interface KyselyVault {
  transformQuery<Node extends object>(args: { readonly node: Node; readonly queryId: object }): Node
  transformResult<Result extends { readonly rows: readonly object[] }>(args: {
    readonly result: Result
    readonly queryId: object
  }): Promise<Result>
  /** Runs queries on the authority of a capability. */
  withCapability<T>(capability: string, work: () => Promise<T>): Promise<T>
}

/**
 * A Kysely plugin that opens the rows of a SELECT from one declared table, a result in one round trip, and
 * refuses queries that would put a plain value into an encrypted column or compare one with it. Rows to
 * insert are sealed first: `db.insertInto('customers').values(await vault.sealRows('customers', rows))`.
 */
export function kyselyVault(vault: Vault, tables: readonly string[]): KyselyVault {
  const authority = new AsyncLocalStorage<OpenOptions>()
  const toOpen = new WeakMap<object, string>()
  const columns = new Map(
    tables.map(table => [table, new Set(vault.table(table).columns.map(({ name }) => name))]),
  )
  const encrypted = new Set([...columns.values()].flatMap(names => [...names]))
  return {
    transformQuery({ node, queryId }) {
      if (isNode(node)) {
        const [table] = namesIn(node['from'])
        if (node.kind === 'SelectQueryNode' && table !== undefined && columns.has(table))
          toOpen.set(queryId, table)
        checkWrites(node, columns, undefined)
        checkComparisons(node, encrypted)
      }
      return node
    },
    async transformResult({ result, queryId }) {
      const table = toOpen.get(queryId)
      if (table === undefined || result.rows.length === 0) return result
      return {
        ...result,
        rows: await vault.openRows(table, result.rows as readonly Row[], authority.getStore()),
      }
    },
    withCapability: (capability, work) => authority.run({ capability }, work),
  }
}

function isNode(value: unknown): value is QueryNode {
  return typeof value === 'object' && value !== null && typeof (value as { kind?: unknown }).kind === 'string'
}

/** Names of the tables that a statement writes, or that a SELECT reads. */
function namesIn(place: unknown): readonly string[] {
  if (!isNode(place)) return []
  const list = place['froms'] ?? place['items']
  return Array.isArray(list) ? list.flatMap(namesIn) : [nameIn(place) ?? '']
}

/** The identifier in a table, column or reference node. */
function nameIn(value: unknown): string | undefined {
  if (!isNode(value)) return undefined
  if (value.kind === 'IdentifierNode') return typeof value['name'] === 'string' ? value['name'] : undefined
  return nameIn(value['identifier'] ?? value['column'] ?? value['table'] ?? value['node'])
}

/** What the statement that is looked into writes: its encrypted columns, and a table's name for errors. */
interface Written {
  readonly table: string
  readonly encrypted: ReadonlySet<string>
}

/**
 * Looks for plain values of encrypted columns in every statement of a query: it may stand in a WITH, or be
 * what a MERGE does.
 */
function checkWrites(
  value: unknown,
  columns: ReadonlyMap<string, ReadonlySet<string>>,
  outer: Written | undefined,
): void {
  if (Array.isArray(value)) {
    for (const item of value as readonly unknown[]) checkWrites(item, columns, outer)
    return
  }
  if (!isNode(value)) return
  const place = value['into'] ?? (value.kind === 'UpdateQueryNode' ? value['table'] : undefined)
  const written = place === undefined ? outer : writtenOf(namesIn(place), columns)
  if (written !== undefined && value.kind === 'InsertQueryNode') checkInsert(value, written)
  if (written !== undefined && value.kind === 'ColumnUpdateNode') {
    const column = nameIn(value['column'])
    if (column === undefined || written.encrypted.has(column))
      checkValue(value['value'], written, column ?? '(an expression)')
  }
  for (const child of Object.values(value))
    if (typeof child === 'object') checkWrites(child, columns, written)
}

function writtenOf(
  names: readonly string[],
  columns: ReadonlyMap<string, ReadonlySet<string>>,
): Written | undefined {
  const known = names.filter(name => columns.has(name))
  const [table] = known
  if (table === undefined) return undefined
  return { table, encrypted: new Set(known.flatMap(name => [...(columns.get(name) ?? [])])) }
}

function checkInsert(node: QueryNode, written: Written): void {
  const columns = asList(node['columns']).map(nameIn)
  const values = node['values']
  if (isNode(values) && values.kind === 'ValuesNode') {
    for (const list of asList(values['values'])) {
      if (!isNode(list)) continue
      for (const [index, value] of asList(list['values']).entries()) {
        const column = columns[index]
        if (column !== undefined && written.encrypted.has(column)) checkValue(value, written, column)
      }
    }
    return
  }
  // Rows of a SELECT: they are bound to where they are, if they are sealed at all.
  const [first] = written.encrypted
  const column = columns.length === 0 ? first : columns.find(name => name && written.encrypted.has(name))
  if (values !== undefined && column !== undefined) checkValue(values, written, column)
}

/**
 * A value, or a node that holds one. Another encrypted column is one, as of the row that was in the way; any
 * other expression cannot be looked into, and is refused.
 */
function checkValue(value: unknown, { table, encrypted }: Written, column: string): void {
  if (isNode(value) && value.kind === 'ReferenceNode' && encrypted.has(nameIn(value) ?? '')) return
  const given = isNode(value) && value.kind === 'ValueNode' ? value['value'] : value
  if (given !== null && given !== undefined) assertSealed(given, `${table}.${column}`)
}

/** Looks for comparisons of an encrypted column, or of what is made of one, anywhere in the query. */
function checkComparisons(value: unknown, encrypted: ReadonlySet<string>): void {
  if (Array.isArray(value)) {
    for (const item of value as readonly unknown[]) checkComparisons(item, encrypted)
    return
  }
  if (!isNode(value)) return
  const compared = comparedIn(value)
    .flatMap(operand => namedIn(operand))
    .find(name => encrypted.has(name))
  if (compared !== undefined)
    throw new ConfigError({
      place: compared,
      problem: 'is encrypted, and a query compares it',
      hint: 'compare its search term: vault.equals(table, column, value)',
    })
  for (const child of Object.values(value)) if (typeof child === 'object') checkComparisons(child, encrypted)
}

/** What a node compares. Whether a column is null may be asked. */
function comparedIn(node: QueryNode): readonly unknown[] {
  if (node.kind === 'CaseNode') return [node['value']]
  if (node.kind !== 'BinaryOperationNode') return []
  const { leftOperand, rightOperand } = node
  const isNullTest =
    isNode(rightOperand) && rightOperand.kind === 'ValueNode' && rightOperand['value'] === null
  return isNullTest ? [] : [leftOperand, rightOperand]
}

/** Names of the columns in an expression, but for those that a query within it only reads. */
function namedIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(namedIn)
  if (!isNode(value) || value.kind.endsWith('QueryNode')) return []
  if (value.kind === 'ReferenceNode' || value.kind === 'ColumnNode') return [nameIn(value) ?? '']
  return Object.values(value).flatMap(child => (typeof child === 'object' ? namedIn(child) : []))
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : []
}
