import type { ConfigChange, ConfigException } from '../decision/config-exception.ts'
import type { Decision, Refusal } from '../decision/decision.ts'
import type { Exchange } from '../exchange/exchange.ts'
import { checkedDecision, isPending } from '../guard/checked-decision.ts'
import type { CompiledGuard } from '../guard/compiled-guard.ts'
import type { Clock } from '../system/clock.ts'
import type { Timers } from '../system/timers.ts'

/** Refused exchanges whose later guards are asked, in a second: a flood costs no more than this. */
const LOOKS_A_SECOND = 20
/** How long a refusal may wait for what later guards say: they may read a body that does not come. */
const LONGEST_LOOK_MS = 100

export interface WholeExceptionOptions {
  readonly clock: Clock
  readonly timers: Timers
  /** Receives what guards throw. Must not throw. */
  readonly onError: (part: string, error: unknown) => void
}

/**
 * Makes the exception of a refusal whole: asks the guards behind the one that refused whether they would
 * refuse as well (`Guard.wouldRefuse`), and gives one change that answers all of them; none where one of them
 * cannot be answered by a change. Bounded: 20 refusals a second, 100 ms each. Beyond that a refusal keeps
 * the exception of its own guard.
 */
export class WholeException {
  readonly #options: WholeExceptionOptions
  #second = Number.NEGATIVE_INFINITY
  #looks = 0

  constructor(options: WholeExceptionOptions) {
    this.#options = options
  }

  /** @param later guards that were not asked yet */
  of(exchange: Exchange, refusal: Refusal, later: readonly CompiledGuard[]): Refusal | Promise<Refusal> {
    if (refusal.reasons[0].exception === undefined || !this.#mayLook()) return refusal
    let whole = refusal
    for (let i = 0; i < later.length; i++) {
      const said = this.#ask(exchange, later[i] as CompiledGuard)
      if (said instanceof Promise) return this.#inTime(exchange, whole, later.slice(i + 1), said)
      whole = joined(whole, said)
    }
    return whole
  }

  #mayLook(): boolean {
    const now = this.#options.clock.monotonic()
    if (now - this.#second >= 1_000) {
      this.#second = now
      this.#looks = 0
    }
    return this.#looks++ < LOOKS_A_SECOND
  }

  /** A guard that fails here says nothing: its failure must not change a refusal. */
  #ask(
    exchange: Exchange,
    { guard, name, enforces }: CompiledGuard,
  ): Decision | undefined | Promise<Decision | undefined> {
    if (!enforces || guard.wouldRefuse === undefined) return undefined
    const failed = (error: unknown): undefined => {
      this.#options.onError(`guard ${name}`, error)
      return undefined
    }
    try {
      const said: unknown = guard.wouldRefuse(exchange)
      return isPending(said)
        ? Promise.resolve(said).then(checkedDecision).catch(failed)
        : checkedDecision(said)
    } catch (error) {
      return failed(error)
    }
  }

  #inTime(
    exchange: Exchange,
    refusal: Refusal,
    later: readonly CompiledGuard[],
    first: Promise<Decision | undefined>,
  ): Promise<Refusal> {
    return new Promise(resolve => {
      const cancel = this.#options.timers.after(LONGEST_LOOK_MS, () => resolve(refusal))
      void this.#rest(exchange, refusal, later, first).then(whole => {
        cancel()
        resolve(whole)
      })
    })
  }

  async #rest(
    exchange: Exchange,
    refusal: Refusal,
    later: readonly CompiledGuard[],
    first: Promise<Decision | undefined>,
  ): Promise<Refusal> {
    let whole = joined(refusal, await first)
    for (const guard of later) whole = joined(whole, await this.#ask(exchange, guard))
    return whole
  }
}

/** A refusal whose exception also answers another refusal of the same request. */
export function joined(refusal: Refusal, also: Decision | undefined): Refusal {
  if (also === undefined || also.effect === 'allow') return refusal
  const [{ exception, ...first }, ...rest] = refusal.reasons
  const other = also.reasons[0].exception
  if (exception === undefined) return refusal
  if (other === undefined) return { ...refusal, reasons: [first, ...rest] }
  const covers = [...(exception.covers ?? []), ...also.reasons.map(({ rule }) => rule)]
  return { ...refusal, reasons: [{ ...first, exception: both(exception, { ...other, covers }) }, ...rest] }
}

function both(one: ConfigException, other: ConfigException): ConfigException {
  const changes = other.changes.reduce(withChange, one.changes)
  const command = inOrder(' && ', one.command, other.command)
  const note = inOrder('; ', one.note, other.note)
  return {
    changes,
    ...(command !== undefined && { command }),
    ...(note !== undefined && { note }),
    ...(other.covers !== undefined && { covers: other.covers }),
  }
}

/** Two guards may need the same change, such as the removal of one trap. */
function withChange(changes: readonly ConfigChange[], change: ConfigChange): readonly ConfigChange[] {
  const text = JSON.stringify(change)
  return changes.some(other => JSON.stringify(other) === text) ? changes : [...changes, change]
}

function inOrder(between: string, ...texts: readonly (string | undefined)[]): string | undefined {
  const given = new Set(texts.filter(text => text !== undefined))
  return given.size === 0 ? undefined : [...given].join(between)
}
