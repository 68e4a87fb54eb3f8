import { ConfigError } from '@postern/core'

/** Says once for each pool that somebody gave a connection back in the middle of a transaction. */
export class LeftOpen {
  readonly #place: string
  #isSaid = false

  /** @param place the function that guards the pool */
  constructor(place: string) {
    this.#place = place
  }

  warn(): void {
    if (this.#isSaid) return
    this.#isSaid = true
    process.emitWarning(
      `${this.#place}: a connection was given back inside a transaction, which is rolled back: end it with COMMIT or ROLLBACK before`,
      { code: 'POSTERN_LEFT_OPEN' },
    )
  }

  /** For what `query()` of a pool was asked for: the next statement may go over another connection. */
  refusal(): ConfigError {
    return new ConfigError({
      place: this.#place,
      problem:
        'a statement of the pool itself begins a transaction, which whoever gets the connection next would be in',
      hint: 'take a connection of the pool, and begin and end the transaction on it',
    })
  }
}
