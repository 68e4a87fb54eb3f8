import { BudgetExceeded, CredentialError, IntegrityError, StoreError } from '@postern/core'
import type { HolderId } from './part.ts'

/** A holder that answered with a refusal. */
export interface Refused {
  readonly holder: HolderId
  readonly refusal: Readonly<Record<string, unknown>>
}

/** What to do when too few holders answer. */
export const ASK_STATUS =
  'start the others: `postern vault status` says which are down, and those that are up print what they cannot do'

/** The error for a request that too few holders answered: the most telling of their refusals. */
export function refusalError(refusals: readonly Refused[]): Error {
  const first = (kind: string): Readonly<Record<string, unknown>> | undefined =>
    refusals.find(({ refusal }) => refusal['refused'] === kind)?.refusal
  if (['frozen', 'capability', 'forbidden'].some(kind => first(kind) !== undefined))
    return new CredentialError(
      'holders: this may not be opened or sealed by this caller; the audit log of each holder says why (vault.refused)',
    )
  const budget = first('budget')
  if (budget !== undefined)
    return new BudgetExceeded({
      budget: `vault ${String(budget['budget']).slice(0, 300)}`,
      allowed: boundedNumber(budget['allowed']),
      asked: boundedNumber(budget['asked']),
      retryAt: boundedNumber(budget['retryAt']),
    })
  const epoch = first('epoch')
  if (epoch !== undefined)
    return tryAgain(`do not serve this epoch (the newest is ${Number(epoch['current'])})`)
  if (first('malformed') !== undefined)
    return new IntegrityError(
      'holders: did not understand the request; holder and client must be of one version',
    )
  return tryAgain(
    first('contribution') === undefined
      ? `fewer than two of 3 answered; ${ASK_STATUS}`
      : 'want new contributions',
  )
}

/** The last moment that a `Date` can name, epoch milliseconds. */
const MAX_TIME = 8.64e15

/** A number that a holder named: one that lies names any, or none, and callers wait by it. */
function boundedNumber(value: unknown): number {
  return typeof value === 'number' ? Math.min(MAX_TIME, Math.max(0, value)) : 0
}

function tryAgain(problem: string): StoreError {
  return new StoreError(problem, { store: 'holders', retryable: true })
}
