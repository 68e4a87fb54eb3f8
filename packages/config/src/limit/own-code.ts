import { ConfigError, type Exchange } from '@postern/core'
import type { Key, Rule } from '@postern/throttle'
import { parseLimitRule } from './limit-rule.ts'
import type { Plan, SingleKey } from './named-limit.ts'

type OwnKey = Extract<SingleKey, (...input: never[]) => unknown>

/** As much of a function is shown that a limit cannot work with. */
const SHOWN = 60
/** After as many requests without a key, a function that never gave one is reported. */
const UNUSED = 100
const WHAT_IT_GETS =
  'it gets an exchange, not a request of the framework: exchange.client, exchange.principal.id; for a header write key: { header: "x-api-key" }'
/** A plan that fails says so at most this often. */
const QUIET = 60_000

/**
 * A function of the application as the key of a limit. Ids are often numbers, so those are taken as their
 * text; anything else is a mistake, which names the function.
 */
export function ownKey(given: OwnKey): Key {
  // One of the keys that limits have themselves.
  if (isKey(given)) return given
  let without = 0
  const noted = (value: unknown): string | undefined => {
    const key = textOf(value, given)
    if (key !== undefined) without = Number.NEGATIVE_INFINITY
    else if (++without === UNUSED) warnOfNone(given)
    return key
  }
  return exchange => {
    const key: unknown = asked(given, exchange)
    if (!(key instanceof Promise)) return noted(key)
    return key.then(noted, (error: unknown) => {
      throw failed(error, given)
    })
  }
}

function isKey(given: OwnKey | Key): given is Key {
  return 'kind' in given
}

/** Without a key a limit counts nobody, as with `request.ip`, which an exchange does not have. */
function warnOfNone(given: OwnKey): void {
  process.emitWarning(
    `${placeOf(given)}: gave nothing for the first ${UNUSED} requests, so the limit counted none of them (${WHAT_IT_GETS})`,
    { code: 'POSTERN_KEY' },
  )
}

function asked(given: OwnKey, exchange: Exchange): unknown {
  try {
    return given(exchange)
  } catch (error) {
    throw failed(error, given)
  }
}

function textOf(key: unknown, given: OwnKey): string | undefined {
  if (typeof key === 'string') return key
  if (key === undefined || key === null) return undefined
  if (typeof key === 'bigint' || Number.isFinite(key)) return String(key)
  throw new ConfigError({
    place: placeOf(given),
    problem: `gave ${kindOf(key)}, not a text`,
    hint: 'give the id as a text, or undefined where the limit does not apply',
  })
}

function failed(error: unknown, given: OwnKey): ConfigError {
  const reason = error instanceof Error ? error.message : String(error)
  return new ConfigError(
    { place: placeOf(given), problem: `failed: ${reason.slice(0, 200)}`, hint: WHAT_IT_GETS },
    { cause: error },
  )
}

function kindOf(value: unknown): string {
  if (typeof value === 'number') return String(value)
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

function placeOf(given: OwnKey): string {
  const source = String(given).replaceAll(/\s+/g, ' ')
  return `key of a limit, ${source.length > SHOWN ? `${source.slice(0, SHOWN)}...` : source}`
}

/** The rule that the application's own code gives one key. @throws ConfigError for what is not a rule */
export async function plannedRule(plan: Plan, key: string): Promise<Rule | undefined> {
  const given: unknown = await plan(key)
  if (given === undefined || given === null) return undefined
  if (typeof given === 'string') return parseLimitRule(given)
  if (isRule(given)) return given
  throw new ConfigError({
    place: 'its rule',
    problem: `is ${typeof given === 'object' ? 'an object that is not a rule' : `a ${typeof given}`}`,
    hint: 'give a rule such as "1000/1m" or limit(1000, "1m"), or undefined',
  })
}

/** Reports a plan that failed as a warning of the process: the rules that it gave before are kept. */
export function planFailure(place: string): (error: unknown) => void {
  let saidAt = Number.NEGATIVE_INFINITY
  return error => {
    const now = performance.now()
    if (now - saidAt < QUIET) return
    saidAt = now
    const reason = error instanceof Error ? error.message : String(error)
    process.emitWarning(`${place} failed, and the rule known so far holds: ${reason.slice(0, 300)}`, {
      code: 'POSTERN_PLAN',
    })
  }
}

function isRule(value: unknown): value is Rule {
  return (
    typeof value === 'object' && value !== null && 'kind' in value && 'window' in value && 'parts' in value
  )
}
