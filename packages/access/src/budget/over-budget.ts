import {
  type Clock,
  type Duration,
  escapeHtml,
  type Problem,
  parseDuration,
  plainPage,
  preferredLanguage,
  type RefusalLanguage,
  systemClock,
} from '@postern/core'
import { currentActing } from './acting-as.ts'
import { budgetError, ReadBudgetExceeded, RowBudgetExceeded, RowBudgetHeld } from './budget-refusal.ts'
import { BUDGET_WORDS } from './budget-words.ts'

/** An HTTP answer to a change that was over budget, or is to be tried again. */
export interface BudgetAnswer {
  readonly status: 403 | 429 | 503
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** For `budgetAnswer`: headers of the request that the answer is for, and where an approval is asked for. */
export interface BudgetAnswerOptions {
  /** Where an approval is asked for; named in the answer when the budget allows one. */
  readonly approvals?: string
  /** `Accept` of the request: a browser that wants a page gets one. */
  readonly accept?: string | undefined
  /** `Accept-Language` of the request: the page is in the language that it prefers. Default: English. */
  readonly acceptLanguage?: string | undefined
  readonly clock?: Clock
}

/**
 * The answer to a request whose change was over budget, as a problem document (RFC 9457), or as a page for a
 * browser: what is left, what was asked for, when to retry, and how to ask for an approval. 403 when a
 * step-up or an approval is needed, 429 otherwise; 503 when other transactions hold the budget and the
 * request may pass when it is sent again. In an application behind the middleware it names the request
 * (`instance`). Undefined for every other error.
 * @example
 * const answer = budgetAnswer(error, { approvals: '/.postern/approvals' })
 * if (answer !== undefined) response.writeHead(answer.status, answer.headers).end(answer.body)
 */
export function budgetAnswer(error: unknown, options: BudgetAnswerOptions = {}): BudgetAnswer | undefined {
  const meant = budgetError(error)
  if (meant instanceof RowBudgetHeld) return heldAnswer(meant, options)
  if (!(meant instanceof RowBudgetExceeded)) return undefined
  const { over, statusCode: status } = meant
  const retryAfter = secondsToRetry(meant, options.clock ?? systemClock)
  const approvals = over === 'approval' ? options.approvals : undefined
  if (wantsPage(options)) {
    const page = pageOf(meant, approvals, preferredLanguage(options.acceptLanguage))
    return answerWith(status, retryAfter, PAGE_HEADERS, page)
  }
  const body = JSON.stringify({
    ...budgetProblem(meant),
    ...inRequest(),
    ...(approvals !== undefined && { approval: approvals }),
  })
  return answerWith(status, retryAfter, PROBLEM_HEADERS, body)
}

/** A change over budget as a problem document (RFC 9457). */
export function budgetProblem(error: RowBudgetExceeded): Problem {
  const { budget, scope, allowed, asked, retryAt, statusCode: status } = error
  return {
    type: 'urn:postern:refusal:budget',
    title: 'Row budget exceeded',
    status,
    detail: detailOf(error, 'en'),
    budget,
    scope,
    allowed,
    asked,
    retryAt: new Date(retryAt).toISOString(),
  }
}

/** Whole seconds until a retry may pass, at least 1. */
export function secondsToRetry({ retryAt }: RowBudgetExceeded, clock: Clock): number {
  return Math.max(1, Math.ceil((retryAt - clock.now()) / 1_000))
}

/** The answer where nothing says that the budget is used up: the same request may pass in a moment. */
function heldAnswer({ budget, scope, status }: RowBudgetHeld, options: BudgetAnswerOptions): BudgetAnswer {
  if (wantsPage(options)) {
    const language = preferredLanguage(options.acceptLanguage)
    const { held: title, heldDetail } = BUDGET_WORDS[language]
    const main = `<h1>${escapeHtml(title)}</h1><p>${escapeHtml(heldDetail)}</p>`
    return answerWith(status, 1, PAGE_HEADERS, plainPage({ language, title, main }))
  }
  const body = JSON.stringify({
    type: 'urn:postern:refusal:budget-held',
    title: BUDGET_WORDS.en.held,
    status,
    detail: BUDGET_WORDS.en.heldDetail,
    ...inRequest(),
    budget,
    scope,
  })
  return answerWith(status, 1, PROBLEM_HEADERS, body)
}

/** Which request it is, where one is handled: the middleware says so for as long as it is. */
function inRequest(): { readonly instance?: string } {
  const instance = currentActing()?.instance
  return instance === undefined ? {} : { instance }
}

function wantsPage({ accept = '' }: BudgetAnswerOptions): boolean {
  return accept.includes('text/html') && !accept.includes('json')
}

const PROBLEM_HEADERS = { 'content-type': 'application/problem+json' }
const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
}

function answerWith(
  status: BudgetAnswer['status'],
  retryAfter: number,
  headers: Readonly<Record<string, string>>,
  body: string,
): BudgetAnswer {
  return {
    status,
    headers: {
      ...headers,
      'content-length': String(Buffer.byteLength(body)),
      'cache-control': 'no-store',
      'retry-after': String(retryAfter),
    },
    body,
  }
}

/** The same for a person, with how a second person is asked where the route asks one. */
function pageOf(
  refusal: RowBudgetExceeded,
  approvals: string | undefined,
  language: RefusalLanguage,
): string {
  const words = BUDGET_WORDS[language]
  const isRead = refusal instanceof ReadBudgetExceeded
  const title = isRead ? words.read : words.change
  const unchanged = isRead ? '' : `${escapeHtml(words.unchanged)} `
  const main = `<h1>${escapeHtml(title)}</h1><p>${unchanged}${escapeHtml(detailOf(refusal, language))}</p>`
  if (approvals === undefined) return plainPage({ language, title, main })
  const place = `<a href="${escapeHtml(approvals)}">${escapeHtml(approvals)}</a>`
  const ask = escapeHtml(words.ask).replace('{place}', () => place)
  return plainPage({ language, title, main: `${main}<p>${ask}</p>` })
}

function detailOf(refusal: RowBudgetExceeded, language: RefusalLanguage): string {
  const { allowed, asked, over } = refusal
  const words = BUDGET_WORDS[language]
  const left = (refusal instanceof ReadBudgetExceeded ? words.leftToRead : words.left)
    .replace('{allowed}', String(allowed))
    .replace('{asked}', String(asked))
  return over === 'deny' ? left : `${left} ${words.more[over]}`
}

/** How long a change may wait for its budget. */
export interface DelayOptions {
  /** Default `10s`. What would have to wait longer is refused at once. */
  readonly atMost?: Duration
  /** Waits so many milliseconds. Default: a timer. */
  readonly wait?: (ms: number) => Promise<void>
  readonly clock?: Clock
}

/** How long to wait for transactions that hold a budget, before the change is tried again. */
const HELD_MS = 100

/**
 * Runs a change, and again when its budget opens, for budgets that are `over: 'delay'`, and for every budget
 * that other transactions only hold; every other refusal is thrown. The work must be one whole transaction,
 * for what was refused is rolled back.
 */
export async function delayOverBudget<T>(work: () => Promise<T>, options: DelayOptions = {}): Promise<T> {
  const { clock = systemClock, wait = timer } = options
  const deadline = clock.now() + parseDuration(options.atMost ?? '10s', 'atMost')
  for (;;) {
    try {
      return await work()
    } catch (error) {
      const meant = budgetError(error)
      if (meant instanceof RowBudgetHeld && clock.now() < deadline) {
        await wait(HELD_MS)
        continue
      }
      if (!(meant instanceof RowBudgetExceeded) || meant.over !== 'delay') throw error
      // More than the whole budget never fits.
      if (meant.retryAt > deadline || clock.now() >= deadline) throw error
      await wait(Math.max(1, meant.retryAt - clock.now()))
    }
  }
}

function timer(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
