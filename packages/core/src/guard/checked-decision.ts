import { ALLOW, type Decision, type Effect } from '../decision/decision.ts'

const EFFECTS: ReadonlySet<string> = new Set<Effect>(['allow', 'throttle', 'challenge', 'deny'])

/** A guard's `decide` returned something that is neither a decision nor a promise of one. */
export class NotADecision extends TypeError {
  override readonly name = 'NotADecision'
  /**
   * Whether what was returned meant to refuse or to serve: then the request does not pass,
   * whatever the failure policy of the guard.
   */
  readonly mustNotPass: boolean

  constructor(what: string, mustNotPass: boolean) {
    super(`decide returned ${what}; return ALLOW or a refusal with effect, guard, status and reasons`)
    this.mustNotPass = mustNotPass
  }
}

/**
 * Whether a value is a promise, or any other object with a `then` to call, as
 * JavaScript's own `await` sees it.
 */
export function isPending(said: unknown): said is PromiseLike<unknown> {
  if (said instanceof Promise) return true
  return (
    typeof said === 'object' &&
    said !== null &&
    typeof (said as { readonly then?: unknown }).then === 'function'
  )
}

/**
 * What a guard returned, as a decision that the rest of the engine can rely on:
 * guards may be written in plain JavaScript.
 * @throws NotADecision
 */
export function checkedDecision(said: unknown): Decision {
  if (said === ALLOW) return ALLOW
  if (typeof said !== 'object' || said === null)
    throw new NotADecision(said === null ? 'null' : typeof said, false)
  const { effect } = said as { readonly effect?: unknown }
  if (typeof effect !== 'string' || !EFFECTS.has(effect))
    throw new NotADecision('an object without a known effect', false)
  if (effect === 'allow') {
    const { answer } = said as { readonly answer?: unknown }
    if (answer !== undefined && !isAnswer(answer))
      throw new NotADecision('an allow whose answer lacks status, headers or body', true)
  } else if (!isRefusal(said)) throw new NotADecision('a refusal that lacks guard, status or reasons', true)
  return said as Decision
}

function isStatus(status: unknown, least: number): boolean {
  return Number.isInteger(status) && (status as number) >= least && (status as number) < 600
}

function isRefusal(said: object): boolean {
  const { guard, status, reasons } = said as Readonly<Record<string, unknown>>
  if (typeof guard !== 'string' || !isStatus(status, 400)) return false
  if (!Array.isArray(reasons) || reasons.length === 0) return false
  return reasons.every(
    (reason: { readonly rule?: unknown; readonly message?: unknown } | null | undefined) =>
      typeof reason?.rule === 'string' && typeof reason.message === 'string',
  )
}

function isAnswer(answer: unknown): boolean {
  if (typeof answer !== 'object' || answer === null) return false
  const { status, headers, body } = answer as Readonly<Record<string, unknown>>
  return (
    isStatus(status, 200) &&
    Array.isArray(headers) &&
    headers.length % 2 === 0 &&
    headers.every(part => typeof part === 'string') &&
    (typeof body === 'string' || body instanceof Uint8Array)
  )
}
