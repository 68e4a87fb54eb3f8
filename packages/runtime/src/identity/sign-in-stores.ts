import { type Event, StoreError, systemClock, systemTimers } from '@postern/core'
import { type IdentityStores, openIdentityStores } from '@postern/identity/stores'
import type { Connections } from '../stores/connections.ts'

const RETRY_MS = 1_000

/**
 * What login defence and bound sessions keep: where the other shared state is. When that is away at the
 * start, failed logins are counted in this process until it is there; then whoever built something on these
 * stores builds it again.
 */
export class SignInStores {
  #current: IdentityStores
  #renewed: () => void = () => {}
  #isClosed = false

  private constructor(current: IdentityStores) {
    this.#current = current
  }

  /** @throws StoreError for a store that cannot be used at all, as with a wrong password */
  static async open(connections: Connections, emit: (event: Event) => void): Promise<SignInStores> {
    const { redis, postgres } = connections
    const open = (): Promise<IdentityStores> =>
      openIdentityStores({
        redis,
        postgres,
        ...(redis === undefined &&
          postgres === undefined &&
          !connections.isMemoryOnly && { sqlite: connections.sqlite }),
      })
    try {
      return new SignInStores(await open())
    } catch (error) {
      if (!(error instanceof StoreError) || !error.retryable) throw error
      const stores = new SignInStores(await openIdentityStores({}))
      stores.#openLater(open, emit)
      return stores
    }
  }

  get current(): IdentityStores {
    return this.#current
  }

  /** Calls back when other stores are the current ones. */
  whenRenewed(call: () => void): void {
    this.#renewed = call
  }

  close(): void {
    this.#isClosed = true
  }

  #openLater(open: () => Promise<IdentityStores>, emit: (event: Event) => void): void {
    systemTimers.after(RETRY_MS, () => {
      if (this.#isClosed) return
      open().then(
        stores => {
          if (this.#isClosed) return
          this.#current = stores
          try {
            this.#renewed()
          } catch (error) {
            const problem = error instanceof Error ? error.message.slice(0, 500) : 'failed'
            emit({ type: 'login.trouble', time: systemClock.now(), actor: {}, data: { problem } })
          }
        },
        () => this.#openLater(open, emit),
      )
    })
  }
}
