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
  const encrypted = new Set(tables.flatMap(table => vault.table(table).columns.map(({ name }) => name)))
  return {
    transformQuery({ node, queryId }) {
      if (isNode(node)) {
        const table = tableOf(node)
        if (table !== undefined && tables.includes(table)) {
          checkWrites(node, table, new Set(vault.table(table).columns.map(({ name }) => name)))
          if (node.kind === 'SelectQueryNode') toOpen.set(queryId, table)
        }
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

/** Name of the one table a query is about. */
function tableOf(node: QueryNode): string | undefined {
  const place =
    node['into'] ??
    node['table'] ??
    (isNode(node['from']) ? (node['from']['froms'] as readonly unknown[])?.[0] : undefined)
  return nameIn(place)
}

/** The identifier in a table, column or reference node. */
function nameIn(value: unknown): string | undefined {
  if (!isNode(value)) return undefined
  if (value.kind === 'IdentifierNode') return typeof value['name'] === 'string' ? value['name'] : undefined
  return nameIn(value['identifier'] ?? value['column'] ?? value['table'] ?? value['node'])
}

function checkWrites(node: QueryNode, table: string, encrypted: ReadonlySet<string>): void {
  const columns = ((node['columns'] as readonly unknown[] | undefined) ?? []).map(nameIn)
  const lists = isNode(node['values']) ? ((node['values']['values'] as readonly unknown[]) ?? []) : []
  for (const list of lists) {
    if (!isNode(list)) continue
    for (const [index, value] of ((list['values'] as readonly unknown[]) ?? []).entries()) {
      const column = columns[index]
      if (column !== undefined && encrypted.has(column)) checkValue(value, `${table}.${column}`)
    }
  }
  const onConflict = isNode(node['onConflict']) ? node['onConflict'] : undefined
  for (const update of [...asList(node['updates']), ...asList(onConflict?.['updates'])]) {
    const column = isNode(update) ? nameIn(update['column']) : undefined
    if (isNode(update) && column !== undefined && encrypted.has(column))
      checkValue(update['value'], `${table}.${column}`)
  }
}

/** A value, or a node that holds one. An expression cannot be looked into, and is refused. */
function checkValue(value: unknown, name: string): void {
  if (isNode(value) && value.kind === 'ReferenceNode') return
  const given = isNode(value) && value.kind === 'ValueNode' ? value['value'] : value
  if (given !== null && given !== undefined) assertSealed(given, name)
}

/** Looks for comparisons of an encrypted column, anywhere in the query. */
function checkComparisons(value: unknown, encrypted: ReadonlySet<string>): void {
  if (Array.isArray(value)) {
    for (const item of value as readonly unknown[]) checkComparisons(item, encrypted)
    return
  }
  if (!isNode(value)) return
  if (value.kind === 'BinaryOperationNode') {
    const column = nameIn(value['leftOperand'])
    const right = value['rightOperand']
    const isNullTest = isNode(right) && right.kind === 'ValueNode' && right['value'] === null
    if (column !== undefined && encrypted.has(column) && !isNullTest)
      throw new ConfigError({
        place: column,
        problem: 'is encrypted, and a query compares it',
        hint: 'compare its search term: vault.equals(table, column, value)',
      })
  }
  for (const child of Object.values(value)) if (typeof child === 'object') checkComparisons(child, encrypted)
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : []
}
