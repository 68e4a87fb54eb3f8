import type { Budgets, OverBudget, RowAction, RowBudget, SigningKey } from '@postern/access'
import { compileBudgets, readSigningKey } from '@postern/access/start'
import { ConfigError, type Duration } from '@postern/core'
import * as z from 'zod/mini'
import { formed, key, parsed, required, section } from '../key/key.ts'
import { duration, flag, listOf, oneOf, storeUrl, text } from '../key/types.ts'

/** A row budget: how many rows one actor may change in any window of that length. */
export interface RowBudgetConfig {
  /** Rows that one actor may change, or read, in the window. */
  readonly rows: number
  /** Length of the window, from 1s to 366d. */
  readonly window: Duration
  /**
   * What the wrappers do when the database has refused: `deny`, `delay`, `stepUp` or `approval`. Default:
   * `deny`.
   */
  readonly over?: OverBudget | undefined
  /** Rows that all actors of one tenant may change in the window. Default: not limited. */
  readonly tenant?: number | undefined
  /** Rows of one table that all actors may change in the window. Default: not limited. */
  readonly table?: number | undefined
  /** Rows that all actors may change in the window, over all tables of the budget. Default: not limited. */
  readonly global?: number | undefined
  /** Whether old rows are kept for `postern undo`. Default: `true`. */
  readonly undo?: boolean | undefined
  /**
   * Tables that the budget counts: `orders`, `sales.orders`, or `*` for all. Default: what stands before the
   * last dot of the name.
   */
  readonly tables?: readonly string[] | undefined
  /**
   * Actions: `delete`, `update`, `insert`, which the database counts; `select`, which connections guarded
   * with `reads` count (`postern()` returns it). Default: what stands after the last dot of the name.
   */
  readonly actions?: readonly RowAction[] | undefined
}

/** Row budgets by name: `TABLE.ACTION`, or any name with `tables` and `actions`. */
export type BudgetsConfig = Readonly<Record<string, RowBudgetConfig>>

/**
 * The application's database, in which `postern budgets install` counts rows. Keys are a number, a colon and
 * base64.
 */
export interface BudgetDatabaseConfig {
  /** Address of the application's PostgreSQL, as the owner of its tables or a superuser. */
  readonly url: string
  /** Keys that the application signs claims with, e.g. `1:` and the output of `openssl rand -base64 32`. */
  readonly claimKeys: readonly string[]
  /** Keys that approvals are signed with; the application does not have them. Default: none. */
  readonly grantKeys?: readonly string[] | undefined
  /** Keys that the journal of old rows is sealed with; the first seals. Default: none: it is not sealed. */
  readonly journalKeys?: readonly string[] | undefined
  /** How long old rows can be put back. Default: `30d`. */
  readonly retention?: Duration | undefined
  /** A change without a claim is refused, or counted for the database role. Default: `refuse`. */
  readonly unclaimed?: 'refuse' | 'count' | undefined
  /** Database roles that are not counted without a claim. Default: none. */
  readonly exempt?: readonly string[] | undefined
  /** Schemas in which table names without a schema are looked up. Default: `public`. */
  readonly schemas?: readonly string[] | undefined
}

/** The application's database with its keys. */
export interface CompiledBudgetDatabase {
  readonly url: string
  readonly claimKeys: readonly SigningKey[]
  readonly grantKeys: readonly SigningKey[]
  readonly journalKeys: readonly SigningKey[]
  /** Milliseconds. */
  readonly retention: number
  readonly unclaimed: 'refuse' | 'count'
  readonly exempt: readonly string[]
  readonly schemas: readonly string[]
}

const rowCount: z.ZodMiniType<number, number> = z.int().check(z.minimum(0))

/** Durations stay as they were written: `compileBudgets` reads them. */
const length: z.ZodMiniType<Duration, Duration> = formed(
  z.union([z.string(), z.number()]),
  'a duration such as "1h"',
)

const rowBudget: z.ZodMiniType<RowBudgetConfig, RowBudgetConfig> = section<RowBudgetConfig, RowBudgetConfig>(
  'RowBudgetConfig',
  () => ({
    rows: required(rowCount, {
      description: 'Rows that one actor may change, or read, in the window.',
      example: 50,
    }),
    window: required(length, { description: 'Length of the window, from 1s to 366d.', example: '1h' }),
    over: key(oneOf('deny', 'delay', 'stepUp', 'approval'), {
      description:
        'What the wrappers do when the database has refused: `deny`, `delay`, `stepUp` or `approval`.',
      defaultText: '`deny`',
      example: 'approval',
    }),
    tenant: key(rowCount, {
      description: 'Rows that all actors of one tenant may change in the window.',
      defaultText: 'not limited',
      example: 500,
    }),
    table: key(rowCount, {
      description: 'Rows of one table that all actors may change in the window.',
      defaultText: 'not limited',
      example: 5_000,
    }),
    global: key(rowCount, {
      description: 'Rows that all actors may change in the window, over all tables of the budget.',
      defaultText: 'not limited',
      example: 20_000,
    }),
    undo: key(flag, {
      description: 'Whether old rows are kept for `postern undo`.',
      defaultText: '`true`',
      example: false,
    }),
    tables: key(listOf(text), {
      description: 'Tables that the budget counts: `orders`, `sales.orders`, or `*` for all.',
      defaultText: 'what stands before the last dot of the name',
      example: ['orders', 'order_items'],
    }),
    actions: key(listOf(oneOf('delete', 'update', 'insert', 'select')), {
      description:
        'Actions: `delete`, `update`, `insert`, which the database counts; `select`, which connections guarded with `reads` count (`postern()` returns it).',
      defaultText: 'what stands after the last dot of the name',
      example: ['delete', 'update'],
    }),
  }),
)

/** `budgets`. */
export const budgets: z.ZodMiniType<Budgets | undefined, BudgetsConfig | undefined> = key(
  parsed(z.record(z.string(), rowBudget), undefined, value => {
    const given = Object.fromEntries(Object.entries(value).map(([name, budget]) => [name, defined(budget)]))
    compileBudgets(given, '')
    return given
  }),
  {
    description:
      'How many rows an actor may delete, edit or insert, counted inside the database: see `postern budgets`. Named `TABLE.ACTION`, or freely with `tables` and `actions`.',
    defaultText: 'none',
    example: { 'orders.delete': { rows: 50, window: '1h', over: 'approval' } },
    applies: 'restart',
  },
)

/** Without the keys that are undefined. */
function defined({
  rows,
  window,
  over,
  tenant,
  table,
  global,
  undo,
  tables,
  actions,
}: RowBudgetConfig): RowBudget {
  return {
    rows,
    window,
    ...(over !== undefined && { over }),
    ...(tenant !== undefined && { tenant }),
    ...(table !== undefined && { table }),
    ...(global !== undefined && { global }),
    ...(undo !== undefined && { undo }),
    ...(tables !== undefined && { tables }),
    ...(actions !== undefined && { actions }),
  }
}

const signingKey: z.ZodMiniType<SigningKey, string> = parsed(text, 'a key such as "1:" and base64', value => {
  try {
    return readSigningKey(value, 'key')
  } catch (error) {
    // Where it stands is known; what was written is a secret, and is not repeated.
    const [issue] = error instanceof ConfigError ? error.issues : []
    throw new ConfigError({ place: '', problem: issue?.problem ?? 'is not a key', hint: KEY_HINT })
  }
})

const KEY_HINT = 'a number, a colon and 32 random bytes in base64: echo "1:$(openssl rand -base64 32)"'

/** `budgetDatabase`. */
export const budgetDatabase: z.ZodMiniType<
  CompiledBudgetDatabase | undefined,
  BudgetDatabaseConfig | undefined
> = key(
  section<CompiledBudgetDatabase, BudgetDatabaseConfig>('BudgetDatabaseConfig', () => ({
    url: required(storeUrl('postgres:', 'postgresql:'), {
      description: "Address of the application's PostgreSQL, as the owner of its tables or a superuser.",
      example: '${APP_OWNER_URL}',
    }),
    claimKeys: required(listOf(signingKey), {
      description:
        'Keys that the application signs claims with, e.g. `1:` and the output of `openssl rand -base64 32`.',
      example: ['${CLAIM_KEY}'],
    }),
    grantKeys: key(listOf(signingKey), {
      description: 'Keys that approvals are signed with; the application does not have them.',
      default: [],
      defaultText: 'none',
      example: ['${GRANT_KEY}'],
    }),
    journalKeys: key(listOf(signingKey), {
      description: 'Keys that the journal of old rows is sealed with; the first seals.',
      default: [],
      defaultText: 'none: it is not sealed',
      example: ['${JOURNAL_KEY}'],
    }),
    retention: key(duration, {
      description: 'How long old rows can be put back.',
      default: '30d',
      example: '7d',
    }),
    unclaimed: key(oneOf('refuse', 'count'), {
      description: 'A change without a claim is refused, or counted for the database role.',
      default: 'refuse',
      example: 'count',
    }),
    exempt: key(listOf(text), {
      description: 'Database roles that are not counted without a claim.',
      default: [],
      defaultText: 'none',
      example: ['migrator'],
    }),
    schemas: key(listOf(text), {
      description: 'Schemas in which table names without a schema are looked up.',
      default: ['public'],
      defaultText: '`public`',
      example: ['public', 'sales'],
    }),
  })),
  {
    description:
      "The application's database, in which `postern budgets install` counts rows. Keys are a number, a colon and base64.",
    defaultText: 'none',
    example: { url: '${APP_OWNER_URL}', claimKeys: ['${CLAIM_KEY}'] },
    applies: 'restart',
  },
)
