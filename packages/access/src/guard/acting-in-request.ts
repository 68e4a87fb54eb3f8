import { type Exchange, requestUrn } from '@postern/core'
import { type Acting, actingIn } from '../budget/acting-as.ts'
import type { RowBudgetExceeded } from '../budget/budget-refusal.ts'
import type { Permit } from './act-question.ts'

/**
 * Who acts while a request is handled, and under which consent. Read when it is needed: the application may
 * say later than this is made who sent the request.
 */
export class ActingInRequest implements Acting {
  readonly #exchange: Exchange
  readonly #permit: Permit | undefined
  readonly refused: ((error: RowBudgetExceeded) => void) | undefined

  constructor(exchange: Exchange, permit: Permit | undefined, refused?: (error: RowBudgetExceeded) => void) {
    this.#exchange = exchange
    this.#permit = permit
    this.refused = refused
  }

  get actor(): string {
    return actingIn(this.#exchange).actor
  }

  get tenant(): string | undefined {
    return this.#exchange.principal.tenant
  }

  get instance(): string {
    return requestUrn(this.#exchange)
  }

  get act(): string | undefined {
    return this.#permit?.grantToken === undefined ? undefined : this.#permit.grant?.act
  }

  get grant(): string | undefined {
    return this.#permit?.grantToken
  }
}
