import { AsyncLocalStorage } from 'node:async_hooks'
import { ConfigError } from '@postern/core'
import { boundColumns } from '../sql/stored-key.ts'
import { isSealed } from '../table/column-value.ts'
import type { Row } from '../table/row-context.ts'
import type { Table } from '../table/table-schema.ts'
import type { OpenOptions, Vault } from '../table/vault.ts'
import { assertSealed } from './sealed-column.ts'

/** What Prisma's `$extends` calls around every operation of a model. */
interface Operation {
  readonly model: string
  readonly operation: string
  readonly args: unknown
  readonly query: (args: never) => Promise<unknown>
}

/** What `$extends` takes (Prisma is not imported: an application without it does not need it). */
export interface PrismaVault {
  readonly extension: {
    readonly name: string
    readonly query: { readonly $allModels: { $allOperations(operation: Operation): Promise<unknown> } }
  }
  /** Runs queries on the authority of a capability. Await them inside. */
  withCapability<T>(capability: string, work: () => Promise<T>): Promise<T>
}

type Fields = Readonly<Record<string, unknown>>

/** Operations whose results are rows that people read. What a write returns stays sealed. */
const READS = new Set(['findUnique', 'findUniqueOrThrow', 'findFirst', 'findFirstOrThrow', 'findMany'])
/** Places in arguments that are values to write. */
const WRITTEN = new Set(['data', 'create', 'update'])

/**
 * A Prisma extension: what a model's own `data` puts into an encrypted field is sealed on the way in, rows
 * that `find...` returns are opened, all of a result in one round trip. Plain values anywhere else (in
 * nested writes, in comparisons) are errors, so that none reaches SQL.
 * @param models which table of the vault a model is; fields have the names of its columns
 * @example
 * const { extension } = prismaVault(vault, { Customer: 'customers' })
 * const prisma = new PrismaClient({ adapter }).$extends(extension)
 */
export function prismaVault(vault: Vault, models: Readonly<Record<string, string>>): PrismaVault {
  const authority = new AsyncLocalStorage<OpenOptions>()
  const tables = new Map(Object.entries(models).map(([model, name]) => [model, vault.table(name)]))
  const encrypted = new Set([...tables.values()].flatMap(({ columns }) => columns.map(({ name }) => name)))
  return {
    extension: {
      name: 'postern vault',
      query: {
        $allModels: {
          async $allOperations({ model, operation, args, query }) {
            const table = tables.get(model)
            const sealed = table === undefined ? args : await sealArguments(vault, table, operation, args)
            checkArguments(sealed, encrypted, 'read')
            const result = await query(sealed as never)
            const bound =
              table === undefined ? undefined : await boundAsStored(vault, table, operation, args, result)
            if (bound !== undefined) return await query(bound as never)
            if (table === undefined || !READS.has(operation) || result === null) return result
            const rows = Array.isArray(result) ? (result as readonly Row[]) : [result as Row]
            const opened = await vault.openRows(table.name, rows, authority.getStore())
            return Array.isArray(result) ? opened : opened[0]
          },
        },
      },
    },
    withCapability: (capability, work) => authority.run({ capability }, work),
  }
}

/** The arguments of a write with the model's own values sealed. */
async function sealArguments(vault: Vault, table: Table, operation: string, args: unknown): Promise<unknown> {
  if (!isFields(args)) return args
  const { data, where, create, update } = args
  if (operation.startsWith('create')) {
    const rows = Array.isArray(data) ? (data as readonly Row[]) : [data as Row]
    const sealed = await vault.sealRows(table.name, rows)
    return { ...args, data: Array.isArray(data) ? sealed : sealed[0] }
  }
  if (operation.startsWith('updateMany')) assertStaysBound(table, {}, data)
  if (operation === 'update') return { ...args, data: await sealChange(vault, table, where, data) }
  if (operation === 'upsert') {
    const [made] = await vault.sealRows(table.name, [create as Row])
    return { ...args, create: made, update: await sealChange(vault, table, where, update) }
  }
  return args
}

/**
 * The arguments of a change once more, with values sealed for the key, tenant and subject of its result: a
 * row is found by another spelling of its key than the database stores (a UUID in capitals), and what was
 * sealed for that spelling would not open. Undefined where they are the same, or the result does not say.
 */
async function boundAsStored(
  vault: Vault,
  table: Table,
  operation: string,
  args: unknown,
  result: unknown,
): Promise<unknown> {
  const place = operation === 'update' ? 'data' : operation === 'upsert' ? 'update' : undefined
  if (place === undefined || !isFields(args) || !isFields(result)) return undefined
  const { where, [place]: change } = args
  if (!isFields(where) || !isFields(change)) return undefined
  const names = boundColumns(table)
  const given = flattened(where, names)
  const other = names.filter(name => isOtherText(given[name], result[name]))
  // Nothing else is written twice: a number would be raised twice, and what belongs to the row made twice.
  const again = Object.fromEntries(
    [...table.columns.map(({ name }) => name), ...(table.version === undefined ? [] : [table.version])]
      .filter(name => change[name] !== undefined)
      .map(name => [name, change[name]]),
  )
  const hasValue = table.columns.some(({ name }) => again[name] !== undefined)
  // What moves the row is sealed for where it goes to.
  if (other.length === 0 || !hasValue || names.some(name => change[name] !== undefined)) return undefined
  const stored = { ...given, ...Object.fromEntries(other.map(name => [name, result[name]])) }
  return {
    ...args,
    [place]: await sealChange(vault, table, stored, again),
    ...(await madeAs(vault, table, args)),
  }
}

/** What an upsert makes: sealed, though the row is there by now. */
async function madeAs(vault: Vault, table: Table, { create }: Fields): Promise<Fields> {
  return isFields(create) ? { create: (await vault.sealRows(table.name, [create]))[0] } : {}
}

/** Whether the text of a key was given in another spelling than it is stored in. */
function isOtherText(given: unknown, stored: unknown): boolean {
  return typeof given === 'string' && typeof stored === 'string' && given !== stored
}

/** Sealed values are bound to their row, so a change needs its key and tenant, which are in `where`. */
async function sealChange(vault: Vault, table: Table, where: unknown, change: unknown): Promise<unknown> {
  if (!isFields(change)) return change
  const { tenant, subject } = table
  const bound = [...table.key, tenant, subject].filter(name => name !== undefined)
  const key = isFields(where) ? flattened(where, bound) : {}
  assertStaysBound(table, key, change)
  const names = table.columns.map(({ name }) => name).filter(name => change[name] !== undefined)
  if (names.length === 0) return change
  // Taken from the data, it would give the row of another tenant, found by its key, to whoever asks.
  if (tenant !== undefined && key[tenant] === undefined)
    throw new ConfigError({
      place: `${table.name}.${tenant}`,
      problem: 'is missing from "where": a change could reach the row of another tenant',
      hint: `give it beside the key: where: { id, ${tenant} }`,
    })
  const plain = Object.fromEntries(Object.entries(change).map(([name, value]) => [name, setValue(value)]))
  const [sealed] = await vault.sealRows(table.name, [{ ...key, ...plain }])
  const before = new Set(Object.keys(change))
  const added = Object.entries(sealed ?? {}).filter(
    ([name]) => names.includes(name) || (!before.has(name) && !bound.includes(name)),
  )
  return { ...change, ...Object.fromEntries(added) }
}

/**
 * A change of what values are bound to (key, tenant, version or subject) must bring every encrypted column
 * along: the others would not open any more.
 * @throws ConfigError naming a column that is missing
 */
function assertStaysBound(table: Table, key: Fields, change: unknown): void {
  if (!isFields(change)) return
  const moves = [...table.key, table.tenant, table.version, table.subject].some(
    name =>
      name !== undefined && change[name] !== undefined && `${setValue(change[name])}` !== `${key[name]}`,
  )
  const missing = table.columns.find(({ name, mode }) => mode !== 'held' && change[name] === undefined)
  if (!moves || missing === undefined) return
  throw new ConfigError({
    place: `${table.name}.${missing.name}`,
    problem: 'is missing from a change of what it is bound to (key, tenant, version or subject)',
    hint: 'give every encrypted column of the row',
  })
}

/** `{ set: value }` is how an update may say `value`. */
function setValue(value: unknown): unknown {
  return isFields(value) && Object.keys(value).length === 1 && 'set' in value ? value['set'] : value
}

/** Columns in a `where`, also of a compound key: `{ shop_id: { shop: 1, id: 2 } }`. */
function flattened(where: Fields, key: readonly string[]): Fields {
  const found: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(where)) {
    if (key.includes(name)) found[name] = isFields(value) && 'equals' in value ? value['equals'] : value
    else if (isFields(value)) for (const part of key) if (part in value) found[part] = value[part]
  }
  return found
}

/** Looks for plain values of encrypted fields at any depth: written, or compared. */
function checkArguments(value: unknown, encrypted: ReadonlySet<string>, purpose: 'read' | 'write'): void {
  if (Array.isArray(value)) {
    for (const item of value as readonly unknown[]) checkArguments(item, encrypted, purpose)
    return
  }
  if (!isFields(value)) return
  for (const [name, child] of Object.entries(value)) {
    // `select`, `omit` and `orderBy` name fields and hold no values; ordering by ciphertext means nothing.
    if (name === 'select' || name === 'omit' || name === 'include') {
      checkNested(child, encrypted)
      continue
    }
    if (encrypted.has(name) && isValue(child)) {
      if (purpose === 'write') assertSealed(setValue(child), name)
      else if (!isSealed(child)) refuseComparison(name)
      continue
    }
    checkArguments(child, encrypted, WRITTEN.has(name) ? 'write' : name === 'where' ? 'read' : purpose)
  }
}

/** Whether an argument at the name of a field is a value of it, and not a choice of fields. */
function isValue(argument: unknown): boolean {
  return argument !== null && argument !== undefined && typeof argument !== 'boolean'
}

/** Relations that are read along: their own conditions, but not the names of fields. */
function checkNested(value: unknown, encrypted: ReadonlySet<string>): void {
  if (!isFields(value)) return
  for (const child of Object.values(value)) if (isFields(child)) checkArguments(child, encrypted, 'read')
}

function refuseComparison(name: string): never {
  throw new ConfigError({
    place: name,
    problem: 'is encrypted, and a query compares or orders by it',
    hint: 'compare its search term: vault.equals(table, column, value)',
  })
}

function isFields(value: unknown): value is Fields {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !ArrayBuffer.isView(value) &&
    !(value instanceof Date)
  )
}
