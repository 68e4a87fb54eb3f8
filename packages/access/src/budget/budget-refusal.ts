import { BudgetExceeded, CredentialError, StoreError } from '@postern/core'
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
    if (detail.over === 'approval') this.message += ' or ask for an approval'
    // Also in words: some query builders keep nothing of an error but code and message.
    this.message += ` (scope ${detail.scope}, over ${detail.over}${new.target === ReadBudgetExceeded ? ', reads' : ''})`
  }
}

/**
 * More rows than a budget of reads has left. `allowed` is what was left when the statement began, `asked` how
 * many it had read when it was stopped: how many more there are nobody counted.
 */
export class ReadBudgetExceeded extends RowBudgetExceeded {}

/**
 * Other transactions of the same actor (tenant, table) hold what is left of a budget, and did not end in time
 * or wait for this one. It was rolled back, and may pass when it is begun again. Retry loops for
 * `serialization_failure` know the database's own error, which is the `cause`.
 */
export class RowBudgetHeld extends StoreError {
  readonly budget: string
  readonly scope: RefusalDetail['scope']
  /** Answered so where the application does not answer it itself, as with `RowBudgetExceeded`. */
  readonly statusCode = 503
  readonly status = 503
  /** Seconds (RFC 9110 section 10.2.3). */
  readonly headers: { readonly 'retry-after': string } = { 'retry-after': '1' }

  constructor(detail: HeldDetail, options?: ErrorOptions) {
    const { budget, scope } = detail
    const message = `budget "${budget}" is held by other transactions of this ${scope} that have not ended; try again`
    super(message, { ...options, store: 'row budgets', retryable: true })
    this.budget = budget
    this.scope = scope
  }
}

/** What the database says of a budget that others hold. */
interface HeldDetail {
  readonly budget: string
  readonly scope: RefusalDetail['scope']
}

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
 * `RowBudgetHeld` when it is to be tried again, `CredentialError` when the claim or the grant did not hold;
 * every other error as it is. Looks into `cause`, `driverError`, `parent`, `nativeError` and `previous`,
 * where query builders put the driver's error.
 */
export function budgetError(error: unknown): unknown {
  let layer = error
  for (let depth = 0; depth < 5 && typeof layer === 'object' && layer !== null; depth++) {
    const meant = isMeaning(layer) ? layer : meaningOf(layer, error)
    if (meant !== undefined) return meant
    layer = innerOf(layer)
  }
  return error
}

function isMeaning(error: object): error is RowBudgetExceeded | RowBudgetHeld {
  return error instanceof RowBudgetExceeded || error instanceof RowBudgetHeld
}

/** What one layer of an error says of a budget or a claim; undefined when it is about something else. */
function meaningOf(
  layer: object,
  cause: unknown,
): RowBudgetExceeded | RowBudgetHeld | CredentialError | undefined {
  switch ('code' in layer ? layer.code : undefined) {
    case 'POSTERN_BUDGET_EXCEEDED':
      return 'message' in layer ? inWords(layer.message, cause) : undefined
    case 'POSTERN_CREDENTIAL':
      return layer instanceof CredentialError ? layer : credentialError(layer, cause)
    case 'POSTERN_STORE':
      return 'message' in layer ? heldInWords(layer.message, cause) : undefined
    case 'ERR_SQLITE_ERROR':
      return ofSqlite(layer, cause)
    case '40001': {
      const detail = 'detail' in layer ? readHeld(layer.detail) : undefined
      return detail === undefined ? undefined : new RowBudgetHeld(detail, { cause })
    }
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
  /budget "([^"\n]{1,128})" has (\d+) left and (\d+) were asked for; retry at (\S+)(?: or ask for an approval)? \(scope (actor|tenant|table|global), over (deny|delay|stepUp|approval)(, reads)?\)/

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

const HELD_IN_WORDS =
  /budget "([^"\n]{1,128})" is held by other transactions of this (actor|tenant|table|global) that have not ended/

/** The same of a budget that others hold. */
function heldInWords(message: unknown, cause: unknown): RowBudgetHeld | undefined {
  const found = typeof message === 'string' ? HELD_IN_WORDS.exec(message) : null
  if (found === null) return undefined
  const [, budget = '', scope] = found
  return new RowBudgetHeld({ budget, scope: scope as RefusalDetail['scope'] }, { cause })
}

const INNER = ['cause', 'driverError', 'parent', 'nativeError', 'previous']

function innerOf(error: object): unknown {
  const name = INNER.find(known => Reflect.get(error, known) !== undefined)
  return name === undefined ? undefined : Reflect.get(error, name)
}

/** The facts of a refusal, from the text that the database sent; undefined when it is something else. */
function readDetail(text: unknown): RefusalDetail | undefined {
  const { budget, scope, allowed, asked, retryAt, over } = readFacts(text)
  if (typeof budget !== 'string' || !SCOPES.includes(scope) || !MODES.includes(over)) return undefined
  if (typeof allowed !== 'number' || typeof asked !== 'number' || typeof retryAt !== 'number')
    return undefined
  return { budget, scope: scope as RefusalDetail['scope'], allowed, asked, retryAt, over: over as OverBudget }
}

function readHeld(text: unknown): HeldDetail | undefined {
  const { heldBudget: budget, scope } = readFacts(text)
  if (typeof budget !== 'string' || !SCOPES.includes(scope)) return undefined
  return { budget, scope: scope as RefusalDetail['scope'] }
}

function readFacts(text: unknown): Readonly<Record<string, unknown>> {
  if (typeof text !== 'string' || text.length > 2_000) return {}
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}
