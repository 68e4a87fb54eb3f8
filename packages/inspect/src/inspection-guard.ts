import {
  ALLOW,
  type ConfigException,
  type Decision,
  type Exchange,
  type Guard,
  isLoopback,
  type Json,
  type Mode,
  narrowestPattern,
  type Reason,
  type Refusal,
} from '@postern/core'
import type { Bounds } from './bounds.ts'
import { DEFAULT_BOUNDS } from './bounds.ts'
import {
  type CompiledException,
  compileExceptions,
  type ExceptionTest,
  type InspectException,
} from './exception.ts'
import { type Level, thresholdOf } from './family.ts'
import { inspect, ownRuleSet } from './inspect.ts'
import type { InspectedRequest } from './inspected-request.ts'
import type { SecondOpinion } from './loaders/native-appsec.ts'
import { isSecretName, maskSpan } from './mask.ts'
import type { Inspection, Match } from './match.ts'
import type { Rule } from './rule.ts'
import { RuleSet } from './rule-set.ts'
import { isUnreadRestHarmless } from './unread-rest.ts'

/** How a route wants to be inspected; `false` not at all. */
export interface InspectSettings {
  readonly level?: Level
  /** Only here: this rule, this parameter. */
  readonly except?: readonly InspectException[]
  /** What happens to a body that is longer than guards may read ahead. Default `refuse`. */
  readonly unread?: 'refuse' | 'pass'
}

declare module '@postern/core' {
  interface RouteSettings {
    readonly inspect?: InspectSettings | false
  }
}

export interface InspectionOptions {
  /** Default 1: near-certain attacks only. */
  readonly level?: Level
  /** Overrides the engine's mode. */
  readonly mode?: Mode
  readonly except?: readonly InspectException[]
  /** Further rules, e.g. loaded ones. */
  readonly rules?: readonly Rule[]
  readonly bounds?: Partial<Bounds>
  /** Asked about requests that our own rules let pass: `nativeOpinion`. */
  readonly secondOpinion?: SecondOpinion
  /** Told of every inspection that found something, refused or not. Must not throw. */
  readonly onInspection?: (exchange: Exchange, inspection: Inspection) => void
}

interface Plan {
  readonly level: Level
  readonly except: readonly ExceptionTest[]
  readonly unread: 'refuse' | 'pass'
}

/**
 * The guard that reads requests for attacks. Answers at once when there is no body; with one, once its start was read. A refusal is a 403, or a 413 for
 * what is too big to be read.
 *
 * @throws ConfigError for an exception that cannot be read
 */
export function inspectionGuard(options: InspectionOptions = {}): Guard {
  const bounds: Bounds = { ...DEFAULT_BOUNDS, ...options.bounds }
  const rules =
    options.rules === undefined ? ownRuleSet : new RuleSet([...ownRuleSet.rules, ...options.rules])
  const exceptions = compileExceptions(options.except ?? [], 'inspect.except')
  const level = options.level ?? 1
  const everywhere: Plan = {
    level,
    except: exceptions.filter(exception => exception.route === undefined).map(exception => exception.test),
    unread: 'refuse',
  }
  const routed = exceptions.filter(exception => exception.route !== undefined)
  const plans = new WeakMap<InspectSettings, Plan>()

  function planOf(exchange: Exchange): Plan | undefined {
    const settings = exchange.route?.settings.inspect
    if (settings === false) return undefined
    const plan = settings === undefined ? everywhere : compiled(settings)
    if (routed.length === 0) return plan
    const here = routed.filter(
      exception => exception.route?.(exchange.method, exchange.path.canonical) === true,
    )
    return here.length === 0
      ? plan
      : { ...plan, except: [...plan.except, ...here.map(exception => exception.test)] }
  }

  function compiled(settings: InspectSettings): Plan {
    let plan = plans.get(settings)
    if (plan === undefined) {
      const own: readonly CompiledException[] = compileExceptions(
        settings.except ?? [],
        'routes.inspect.except',
      )
      plan = {
        level: settings.level ?? level,
        except: [...everywhere.except, ...own.map(exception => exception.test)],
        unread: settings.unread ?? 'refuse',
      }
      plans.set(settings, plan)
    }
    return plan
  }

  function look(exchange: Exchange, plan: Plan, body: Uint8Array | undefined): Decision {
    const request = {
      method: exchange.method,
      target: exchange.source.target,
      headers: exchange.headers,
      body,
      ownPort: isLocal(exchange) ? exchange.source.localPort : undefined,
    }
    const own = inspect(request, { level: plan.level, bounds, except: plan.except, rules })
    const inspection = own.verdict === 'pass' ? seconded(request, own, plan) : own
    if (inspection.matches.length > 0) options.onInspection?.(exchange, inspection)
    return inspection.verdict === 'pass' ? ALLOW : refusal(inspection, plan.level, exchange)
  }

  function seconded(request: InspectedRequest, own: Inspection, plan: Plan): Inspection {
    const matches = (options.secondOpinion?.(request) ?? []).filter(
      match => !plan.except.some(test => test(match.rule, match.location)),
    )
    return matches.length === 0 ? own : { verdict: 'block', matches: [...matches, ...own.matches] }
  }

  return {
    name: 'inspect',
    failure: 'closed',
    ...(options.mode === undefined ? {} : { mode: options.mode }),
    decide(exchange: Exchange): Decision | Promise<Decision> {
      const plan = planOf(exchange)
      if (plan === undefined) return ALLOW
      if (!exchange.hasBody) return look(exchange, plan, undefined)
      return exchange.readBody().then(({ bytes, complete }) => {
        const decision = look(exchange, plan, bytes)
        if (complete || plan.unread === 'pass') return decision
        return isUnreadRestHarmless(bytes, exchange.header('content-type') ?? '')
          ? decision
          : withUnreadRest(decision, unreadRefusal(exchange))
      })
    },
  }
}

/**
 * Looks at a route's settings when a configuration is loaded, so that a mistake is found then and not by the first request.
 * @param place e.g. `routes["POST /posts"].inspect`
 * @throws ConfigError naming every exception that cannot be read
 */
export function checkInspectSettings(settings: InspectSettings, place: string): void {
  compileExceptions(settings.except ?? [], `${place}.except`)
}

/** Whether both the connection and the client behind it are on this machine. */
function isLocal(exchange: Exchange): boolean {
  return isLoopback(exchange.peer) && isLoopback(exchange.client)
}

function refusal(inspection: Inspection, level: Level, exchange: Exchange): Refusal {
  const tooBig = inspection.verdict === 'too-big'
  const decisive = inspection.matches.filter(match =>
    tooBig ? match.family === 'bounds' : match.family !== 'bounds' && match.score >= thresholdOf(level),
  )
  const [first, ...rest] = decisive.slice(0, 8).map(reasonOf)
  return {
    effect: 'deny',
    guard: 'inspect',
    status: tooBig ? 413 : 403,
    reasons: [
      {
        ...(first ?? { rule: 'inspect/unknown', message: 'The request was refused.' }),
        exception: exceptionOf(inspection, level, exchange),
      },
      ...rest,
    ],
  }
}

/** More exceptions than a person would read: wider ones take their place. */
const MOST_EXCEPTIONS = 16
/** Inspection notes no more than this; there may be others behind them. */
const MOST_MATCHES = 32

/**
 * One change for everything that made the refusal: each rule at its place on this route; where those are too many, each place; where even those are, the whole request.
 */
function exceptionOf(inspection: Inspection, level: Level, exchange: Exchange): ConfigException {
  const route = narrowestPattern(exchange)
  const decisive = inspection.matches.filter(
    match => match.family === 'bounds' || match.score >= thresholdOf(level),
  )
  const places = [...new Set(decisive.map(match => match.location))]
  const isWhole = inspection.matches.length >= MOST_MATCHES || places.length > MOST_EXCEPTIONS
  const except: readonly Json[] = isWhole
    ? [{ parameter: '**', route }]
    : decisive.length > MOST_EXCEPTIONS
      ? places.map(parameter => ({ parameter, route }))
      : decisive.map(({ rule, location }) => ({ rule, parameter: location, route }))
  return { changes: [{ at: ['inspect', 'except'], add: except }] }
}

function reasonOf(match: Match): Reason {
  return {
    rule: `inspect/${match.rule}`,
    message:
      match.family === 'bounds'
        ? 'The request is too large or too intricate to be checked.'
        : 'The request looks like an attack and was refused.',
    evidence: {
      location: match.location,
      span: isSecretName(match.location) ? maskSpan(match.span) : match.span,
      facts: { family: match.family, score: match.score },
    },
  }
}

/** A request that looks like an attack and is too long to be read needs both exceptions. */
function withUnreadRest(decision: Decision, unread: Refusal): Refusal {
  if (decision.effect === 'allow') return unread
  const [first, ...rest] = decision.reasons
  const changes = [first, ...unread.reasons].flatMap(({ exception }) => exception?.changes ?? [])
  return { ...decision, reasons: [{ ...first, exception: { changes } }, ...rest] }
}

/** A route's settings are taken whole, so those of the wider pattern are repeated. */
function withUnread(settings: InspectSettings | false | undefined): Json {
  const { level, except } = settings || {}
  return {
    ...(level !== undefined && { level }),
    ...(except !== undefined && { except: except.map(exception => ({ ...exception })) }),
    unread: 'pass',
  }
}

function unreadRefusal(exchange: Exchange): Refusal {
  return {
    effect: 'deny',
    guard: 'inspect',
    status: 413,
    close: true,
    reasons: [
      {
        rule: 'inspect/bounds/unread',
        message: 'The request is too large to be checked.',
        evidence: { location: 'body' },
        exception: {
          changes: [
            {
              at: ['routes', narrowestPattern(exchange), 'inspect'],
              set: withUnread(exchange.route?.settings.inspect),
            },
          ],
        },
      },
    ],
  }
}
