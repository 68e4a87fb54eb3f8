import { BudgetExceeded, CredentialError } from '@postern/core'
import type { OverBudget } from './budget.ts'

/**
 * A refusal of the database, with whom the limit was held against and how to go on. An application that does
 * not answer it by `budgetAnswer` does not answer 500 either: `statusCode`, `status` and `headers` are what
 * Express, Fastify, Koa and Nest look for on an error.
 *
 * On SQLite `allowed` is always 0 and `asked` 1: they are those of the row at which the statement was
 * stopped. It is taken back whole, so more may be left.
 */
export class RowBudgetExceeded extends BudgetExceeded {
  readonly scope: 'actor' | 'tenant' | 'table' | 'global'
  readonly over: OverBudget
  /** 403 when a step-up or an approval is needed, 429 otherwise. */
  readonly statusCode: 403 | 429
  readonly status: 403 | 429
  /** When to retry, as a date (RFC 9110 section 10.2.3). */
  readonly headers: { readonly 'retry-after': string }

  constructor(detail: RefusalDetail, options?: ErrorOptions) {
    super({ ...detail, ...options })
    this.scope = detail.scope
    this.over = detail.over
    this.statusCode = detail.over === 'approval' || detail.over === 'stepUp' ? 403 : 429
    this.status = this.statusCode
    this.headers = { 'retry-after': new Date(detail.retryAt).toUTCString() }
    // Also in words: some query builders keep nothing of an error but code and message.
    this.message += ` (scope ${detail.scope}, over ${detail.over}${new.target === ReadBudgetExceeded ? ', reads' : ''})`
  }
}

/**
 * More rows than a budget of reads has left. `allowed` is what was left when the statement began, `asked` how
 * many it had read when it was stopped: how many more there are nobody counted.
 */
export class ReadBudgetExceeded extends RowBudgetExceeded {}

/** What the database says of a refusal. */
export interface RefusalDetail {
  readonly budget: string
  readonly scope: 'actor' | 'tenant' | 'table' | 'global'
  readonly allowed: number
  readonly asked: number
  readonly retryAt: number
  readonly over: OverBudget
}

const SCOPES: readonly unknown[] = ['actor', 'tenant', 'table', 'global']
const MODES: readonly unknown[] = ['deny', 'delay', 'stepUp', 'approval']

/**
 * An error of any driver or query builder as what it means: `RowBudgetExceeded` when a budget refused,
 * `CredentialError` when the claim or the grant did not hold; every other error as it is. Looks into `cause`,
 * `driverError`, `parent`, `nativeError` and `previous`, where query builders put the driver's error.
 */
export function budgetError(error: unknown): unknown {
  let layer = error
  for (let depth = 0; depth < 5 && typeof layer === 'object' && layer !== null; depth++) {
    const meant = layer instanceof RowBudgetExceeded ? layer : meaningOf(layer, error)
    if (meant !== undefined) return meant
    layer = innerOf(layer)
  }
  return error
}

/** What one layer of an error says of a budget or a claim; undefined when it is about something else. */
function meaningOf(layer: object, cause: unknown): RowBudgetExceeded | CredentialError | undefined {
  switch ('code' in layer ? layer.code : undefined) {
    case 'POSTERN_BUDGET_EXCEEDED':
      return 'message' in layer ? inWords(layer.message, cause) : undefined
    case 'POSTERN_CREDENTIAL':
      return layer instanceof CredentialError ? layer : credentialError(layer, cause)
    case 'ERR_SQLITE_ERROR':
      return ofSqlite(layer, cause)
    case 'PB001': {
      const detail = 'detail' in layer ? readDetail(layer.detail) : undefined
      return detail === undefined ? undefined : new RowBudgetExceeded(detail, { cause })
    }
    case 'PB002':
    case 'PB003':
      return credentialError(layer, cause)
    default:
      return undefined
  }
}

function credentialError(layer: object, cause: unknown): CredentialError {
  return new CredentialError(layer instanceof Error ? layer.message : 'the claim does not hold', { cause })
}

/** What a trigger of `guardSqlite` says, which is all that `node:sqlite` tells of it. */
function ofSqlite(layer: object, cause: unknown): RowBudgetExceeded | CredentialError | undefined {
  const message = layer instanceof Error ? layer.message : ''
  if (message.startsWith(SQLITE_UNCLAIMED)) return credentialError(layer, cause)
  const detail = message.startsWith(SQLITE_REFUSAL)
    ? readDetail(message.slice(SQLITE_REFUSAL.length))
    : undefined
  return detail === undefined ? undefined : new RowBudgetExceeded(detail, { cause })
}

const SQLITE_REFUSAL = 'postern budget '
const SQLITE_UNCLAIMED = 'postern: a change to a guarded table '

const IN_WORDS =
  /budget "([^"\n]{1,128})" has (\d+) left and (\d+) were asked for; retry at (\S+) or ask for an approval \(scope (actor|tenant|table|global), over (deny|delay|stepUp|approval)(, reads)?\)/

/** A refusal of which only the message is left: Prisma makes an error of its own from it. */
function inWords(message: unknown, cause: unknown): RowBudgetExceeded | undefined {
  const found = typeof message === 'string' ? IN_WORDS.exec(message) : null
  if (found === null) return undefined
  const [, budget = '', allowed, asked, retryAt = '', scope, over, reads] = found
  const facts = {
    budget,
    scope,
    allowed: Number(allowed),
    asked: Number(asked),
    retryAt: Date.parse(retryAt),
    over,
  }
  const detail = readDetail(JSON.stringify(facts))
  if (detail === undefined) return undefined
  return reads === undefined
    ? new RowBudgetExceeded(detail, { cause })
    : new ReadBudgetExceeded(detail, { cause })
}

const INNER = ['cause', 'driverError', 'parent', 'nativeError', 'previous']

function innerOf(error: object): unknown {
  const name = INNER.find(known => Reflect.get(error, known) !== undefined)
  return name === undefined ? undefined : Reflect.get(error, name)
}

/** The facts of a refusal, from the text that the database sent; undefined when it is something else. */
function readDetail(text: unknown): RefusalDetail | undefined {
  if (typeof text !== 'string' || text.length > 2_000) return undefined
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { budget, scope, allowed, asked, retryAt, over } = value as Record<string, unknown>
  if (typeof budget !== 'string' || !SCOPES.includes(scope) || !MODES.includes(over)) return undefined
  if (typeof allowed !== 'number' || typeof asked !== 'number' || typeof retryAt !== 'number')
    return undefined
  return { budget, scope: scope as RefusalDetail['scope'], allowed, asked, retryAt, over: over as OverBudget }
}
