import { type Exchange, problemDocument, type Refusal, systemClock } from '@postern/core'
import type { RowBudgetExceeded } from '../budget/budget-refusal.ts'
import { budgetProblem, secondsToRetry } from '../budget/over-budget.ts'
import type { AccessRefusal } from './access-refusal.ts'
import type { ActQuestion } from './act-question.ts'
import { isNavigation } from './step-up-page.ts'

/** What the approver is shown of the extent: what the database counted, or else what the request names. */
export function withPreview<Question extends ActQuestion>(
  question: Question,
  over: RowBudgetExceeded | undefined,
  refused: RowBudgetExceeded | undefined,
): Question {
  const known = refused ?? over
  if (known === undefined || question.preview !== undefined) return question
  const { budget, asked, allowed } = known
  const said =
    refused === undefined
      ? `The request names ${asked} ${asked === 1 ? 'thing' : 'things'} to change; the database has not counted the rows.`
      : `The database counted ${asked} rows before it refused.`
  return { ...question, preview: () => ({ summary: `${said} ${allowed} were left of ${budget}.` }) }
}

/** A refusal that also says what is left of the budget that the request goes over. */
export function withBudget(refusal: AccessRefusal, over: RowBudgetExceeded | undefined): AccessRefusal {
  if (over === undefined) return refusal
  const { budget, allowed, asked, retryAt } = over
  return { ...refusal, budget: { budget, allowed, asked, retryAt } }
}

/** The same document as for a refusal of the database. */
export function overBudget(error: RowBudgetExceeded, exchange: Exchange): Refusal {
  const { budget, allowed, asked, statusCode: status } = error
  return {
    effect: status === 429 ? 'throttle' : 'deny',
    guard: 'access',
    status,
    retryAfter: secondsToRetry(error, systemClock),
    ...(!isNavigation(exchange) && { content: problemDocument(exchange, budgetProblem(error)) }),
    reasons: [
      {
        rule: 'access/budget',
        message: 'This would change more than is allowed. Change less, or retry later.',
        evidence: { location: `budget.${budget}`, facts: { allowed, asked } },
      },
    ],
  }
}
