import { type Clock, type Duration, escapeHtml, parseDuration, plainPage, systemClock } from '@postern/core'
import { budgetError, ReadBudgetExceeded, RowBudgetExceeded } from './budget-refusal.ts'

/** An HTTP answer to a change that was over budget. */
export interface BudgetAnswer {
  readonly status: 403 | 429
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** What an answer may say. */
export interface BudgetAnswerOptions {
  /** Where an approval is asked for; named in the answer when the budget allows one. */
  readonly approvals?: string
  /** `Accept` of the request: a browser that wants a page gets one. */
  readonly accept?: string | undefined
  readonly clock?: Clock
}

/**
 * The answer to a request whose change was over budget, as a problem document (RFC 9457), or as a page for a
 * browser: what is left, what was asked for, when to retry, and how to ask for an approval. 403 when a
 * step-up or an approval is needed, 429 otherwise. Undefined for every other error.
 * @example
 * const answer = budgetAnswer(error, { approvals: '/.postern/approvals' })
 * if (answer !== undefined) response.writeHead(answer.status, answer.headers).end(answer.body)
 */
export function budgetAnswer(error: unknown, options: BudgetAnswerOptions = {}): BudgetAnswer | undefined {
  const meant = budgetError(error)
  if (!(meant instanceof RowBudgetExceeded)) return undefined
  const { budget, scope, allowed, asked, retryAt, over } = meant
  const now = (options.clock ?? systemClock).now()
  const retryAfter = Math.max(1, Math.ceil((retryAt - now) / 1_000))
  const status = over === 'approval' || over === 'stepUp' ? 403 : 429
  const detail = `${meant instanceof ReadBudgetExceeded ? leftToRead(allowed) : left(allowed, asked)}${MORE[over]}`
  const approvals = over === 'approval' ? options.approvals : undefined
  const { accept = '' } = options
  if (accept.includes('text/html') && !accept.includes('json'))
    return answerWith(status, retryAfter, PAGE_HEADERS, pageOf(meant, detail, approvals))
  const body = JSON.stringify({
    type: 'urn:postern:refusal:budget',
    title: 'Row budget exceeded',
    status,
    detail,
    budget,
    scope,
    allowed,
    asked,
    retryAt: new Date(retryAt).toISOString(),
    ...(approvals !== undefined && { approval: approvals }),
  })
  return answerWith(status, retryAfter, { 'content-type': 'application/problem+json' }, body)
}

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
function pageOf(refusal: RowBudgetExceeded, detail: string, approvals: string | undefined): string {
  const isRead = refusal instanceof ReadBudgetExceeded
  const title = isRead ? 'More than you may read at once' : 'More than you may change at once'
  const ask =
    approvals === undefined
      ? ''
      : `<p>Go back and send it again, unchanged: then somebody is asked. Requests that wait are under <a href="${escapeHtml(approvals)}">${escapeHtml(approvals)}</a>.</p>`
  const main = `<h1>${title}</h1><p>${isRead ? '' : 'Nothing was changed. '}${escapeHtml(detail)}</p>${ask}`
  return plainPage({ language: 'en', direction: 'ltr', title, main })
}

const left = (allowed: number, asked: number): string =>
  `${allowed} rows are left in this window, ${asked} were to be changed.`

const leftToRead = (allowed: number): string =>
  `${allowed} rows are left to be read in this window, and this would have read more.`

const MORE: Readonly<Record<RowBudgetExceeded['over'], string>> = {
  deny: '',
  delay: ' Retry later.',
  stepUp: ' Prove again that this is you.',
  approval: ' Ask a second person for an approval.',
}

/** How long a change may wait for its budget. */
export interface DelayOptions {
  /** Default `10s`. What would have to wait longer is refused at once. */
  readonly atMost?: Duration
  /** Waits so many milliseconds. Default: a timer. */
  readonly wait?: (ms: number) => Promise<void>
  readonly clock?: Clock
}

/**
 * Runs a change, and again when its budget opens, for budgets that are `over: 'delay'`; every other refusal
 * is thrown. The work must be one whole transaction, for what was refused is rolled back.
 */
export async function delayOverBudget<T>(work: () => Promise<T>, options: DelayOptions = {}): Promise<T> {
  const { clock = systemClock, wait = timer } = options
  const deadline = clock.now() + parseDuration(options.atMost ?? '10s', 'atMost')
  for (;;) {
    try {
      return await work()
    } catch (error) {
      const meant = budgetError(error)
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
