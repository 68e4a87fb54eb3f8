import type { IncomingMessage, ServerResponse } from 'node:http'
import { BudgetExceeded, CredentialError, IntegrityError, StoreError } from '@postern/core'

/** What a refused read looks like to the caller: a problem document (RFC 9457). */
export interface VaultAnswer {
  readonly status: 403 | 429 | 500 | 503
  readonly headers: Readonly<Record<string, string>>
  readonly problem: { readonly title: string; readonly status: number; readonly code: string }
}

/**
 * The answer for an error of the vault; undefined for any other error. It says what kind of refusal it was
 * and nothing of which record, key or holder: the error itself is for the log.
 * @param now epoch milliseconds, for `Retry-After`
 */
export function vaultErrorAnswer(error: unknown, now: number = Date.now()): VaultAnswer | undefined {
  if (error instanceof BudgetExceeded) {
    const seconds = Math.max(1, Math.ceil((error.retryAt - now) / 1_000))
    return answer(429, 'too many records were opened', error.code, { 'retry-after': `${seconds}` })
  }
  if (error instanceof CredentialError) return answer(403, 'these records may not be opened', error.code)
  if (error instanceof StoreError) return answer(503, 'records cannot be opened at present', error.code)
  if (error instanceof IntegrityError) return answer(500, 'a record does not open', error.code)
  return undefined
}

/**
 * An error handler of Express: answers errors of the vault and passes every other one on.
 * @example
 * app.use(answerVaultError)
 */
export function answerVaultError(
  error: unknown,
  _request: IncomingMessage,
  response: ServerResponse,
  next: (error: unknown) => void,
): void {
  const given = response.headersSent ? undefined : vaultErrorAnswer(error)
  if (given === undefined) {
    next(error)
    return
  }
  response.writeHead(given.status, given.headers)
  response.end(JSON.stringify(given.problem))
}

function answer(
  status: VaultAnswer['status'],
  title: string,
  code: string,
  headers: Readonly<Record<string, string>> = {},
): VaultAnswer {
  const all = { 'content-type': 'application/problem+json', 'cache-control': 'no-store', ...headers }
  return { status, headers: all, problem: { title, status, code } }
}
