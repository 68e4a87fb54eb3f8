import { FailureRatios } from './failure-ratio.ts'
import { type SprayingOptions, spraying } from './spraying.ts'

/** How hard proof of work is: numbers to be searched, half of them on average. */
export interface ProofLevels {
  /**
   * While spraying goes on, for everybody who is not a known device. Default: 50,000, below a second on a
   * phone.
   */
  readonly raised: number
  /** For an address or network that fails over and over. Default: 400,000. */
  readonly high: number
}

/** What is noticed when an outcome is noted. */
export interface Noticed {
  /** Spraying began with this outcome. */
  readonly spraying: boolean
  /** This address failed at so many accounts that it is stuffing. */
  readonly address: boolean
  readonly network: boolean
}

/** One outcome, as hashes and keys. */
export interface Observation {
  readonly account: string
  readonly address: string
  readonly network: string
  readonly outcome: 'failed' | 'succeeded'
  readonly isKnownDevice: boolean
}

/** As many as failures after which proof of work is asked: what comes later may never be looked at. */
const STUFFING_ACCOUNTS = 6
const STUFFING_NETWORK_ACCOUNTS = 24
const FAILING = 0.75

/**
 * Watches failures across accounts, for one route in one process. Bounded; knows no
 * times but those it is given.
 */
export class FailureWatch {
  readonly #levels: ProofLevels
  readonly #addresses = new FailureRatios()
  readonly #networks = new FailureRatios()
  readonly #spraying: ReturnType<typeof spraying>

  constructor(levels: ProofLevels, options?: SprayingOptions) {
    this.#levels = levels
    this.#spraying = spraying(options)
  }

  note(seen: Observation, now: number): Noticed {
    const before = this.#spraying.isOn(now)
    const isOn = seen.isKnownDevice ? before : this.#spraying.observe(seen.account, seen.outcome, now)
    const address = this.#addresses.note(seen.address, seen.account, seen.outcome, now)
    const network = this.#networks.note(seen.network, seen.account, seen.outcome, now)
    return {
      spraying: isOn && !before,
      address: address.accounts === STUFFING_ACCOUNTS && isFailing(address) && seen.outcome === 'failed',
      network:
        network.accounts === STUFFING_NETWORK_ACCOUNTS && isFailing(network) && seen.outcome === 'failed',
    }
  }

  /** Numbers to be searched before a try of an unknown client is looked at; 0 for none. */
  proofFor(address: string, network: string, now: number): number {
    const one = this.#addresses.standing(address, now)
    if (one.failures > STUFFING_ACCOUNTS - 0.5 && isFailing(one)) return this.#levels.high
    const all = this.#networks.standing(network, now)
    if (all.failures >= 30 && isFailing(all)) return this.#levels.high
    return this.#spraying.isOn(now) ? this.#levels.raised : 0
  }
}

function isFailing(standing: { readonly tries: number; readonly failures: number }): boolean {
  return standing.failures >= standing.tries * FAILING
}
