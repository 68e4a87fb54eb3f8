import {
  type ConfigChange,
  type ConfigException,
  type Exchange,
  exemptingPattern,
  type Json,
  narrowestPattern,
  type Reason,
  type Refusal,
} from '@postern/core'
import { type Level, thresholdOf } from '../rule/family.ts'
import type { Inspection, Match } from '../rule/match.ts'
import type { InspectSettings } from '../settings/inspect-settings.ts'
import type { ParameterType } from '../value/parameter-type.ts'
import { isParameterLocation } from '../value/parameter-types.ts'
import { isSecretName, maskSpan } from './mask.ts'

/** More exceptions than a person would read: wider ones take their place. */
const MOST_EXCEPTIONS = 16
/** What was refused for how it is written, not for its size. */
const UNREADABLE: ReadonlySet<string> = new Set(['bounds/charset', 'bounds/content-encoding'])
/** Inspection notes no more than this; there may be others behind them. */
const MOST_MATCHES = 32

/**
 * The refusal of a request in which inspection found an attack (403), or which is too big or too intricate
 * to be checked (413).
 */
export function inspectionRefusal(inspection: Inspection, level: Level, exchange: Exchange): Refusal {
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

/** The refusal of a body that is longer than guards may read ahead, and may hold anything in its rest. */
export function unreadRefusal(exchange: Exchange): Refusal {
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
        exception: { changes: withRouteSettings([], exchange, { unread: 'pass' }) },
      },
    ],
  }
}

/** A request that looks like an attack and is too long to be read needs both exceptions. */
export function withUnreadRest(refusal: Refusal, exchange: Exchange): Refusal {
  const [first, ...rest] = refusal.reasons
  const changes = withRouteSettings(first.exception?.changes ?? [], exchange, { unread: 'pass' })
  return { ...refusal, reasons: [{ ...first, exception: { changes } }, ...rest] }
}

/**
 * One change for everything that made the refusal: each rule at its place on this route, or the type of the
 * parameter there; where those are too many, each place;
 * where even those are, the whole request.
 */
function exceptionOf(inspection: Inspection, level: Level, exchange: Exchange): ConfigException {
  const route = narrowestPattern(exchange)
  const decisive = inspection.matches.filter(
    match => match.family === 'bounds' || match.score >= thresholdOf(level),
  )
  const places = [...new Set(decisive.map(match => match.location))]
  if (inspection.matches.length >= MOST_MATCHES || places.length > MOST_EXCEPTIONS)
    return { changes: [addition([{ parameter: '**', route }])] }
  if (decisive.length > MOST_EXCEPTIONS)
    return { changes: [addition(places.map(parameter => ({ parameter, route })))] }
  const parameters: Record<string, ParameterType> = {}
  const except: Json[] = []
  let isCostly = false
  for (const { rule, location, type } of decisive) {
    if (rule === 'bounds/effort') isCostly = true
    else if (type !== undefined && isParameterLocation(location)) parameters[location] = type
    else except.push({ rule, parameter: location, route })
  }
  const changes = except.length === 0 ? [] : [addition(except)]
  const hasTypes = Object.keys(parameters).length > 0
  if (!hasTypes && !isCostly) return { changes }
  return {
    changes: withRouteSettings(changes, exchange, {
      ...(hasTypes && { parameters }),
      ...(isCostly && { overBudget: 'pass' }),
    }),
  }
}

function addition(except: readonly Json[]): ConfigChange {
  return { at: ['inspect', 'except'], add: except }
}

/**
 * Changes with one more that gives the route of an exchange settings of its own. They are taken whole, so
 * those of the wider pattern are repeated.
 */
function withRouteSettings(
  changes: readonly ConfigChange[],
  exchange: Exchange,
  more: Pick<InspectSettings, 'unread' | 'overBudget' | 'parameters'>,
): readonly ConfigChange[] {
  const at = ['routes', exemptingPattern(exchange), 'inspect']
  const before = changes.find(change => 'set' in change)
  if (before !== undefined && 'set' in before && isObject(before.set)) {
    const set: Json = { ...before.set, ...asJson(more) }
    return changes.map(change => (change === before ? { at, set } : change))
  }
  const settings = exchange.route?.settings.inspect || {}
  const parameters = { ...settings.parameters, ...more.parameters }
  const hasTypes = Object.keys(parameters).length > 0
  return [...changes, { at, set: asJson({ ...settings, ...more, ...(hasTypes && { parameters }) }) }]
}

function asJson({ level, except, unread, overBudget, parameters }: InspectSettings): {
  readonly [key: string]: Json
} {
  return {
    ...(level !== undefined && { level }),
    ...(except !== undefined && { except: except.map(exception => ({ ...exception })) }),
    ...(parameters !== undefined && { parameters: { ...parameters } }),
    ...(overBudget !== undefined && { overBudget }),
    ...(unread !== undefined && { unread }),
  }
}

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function reasonOf(match: Match): Reason {
  return {
    rule: `inspect/${match.rule}`,
    message: UNREADABLE.has(match.rule)
      ? 'The request is in an encoding that cannot be checked.'
      : match.family === 'bounds'
        ? 'The request is too large or too intricate to be checked.'
        : 'The request looks like an attack and was refused.',
    evidence: {
      location: match.location,
      span: isSecretName(match.location) ? maskSpan(match.span) : match.span,
      facts: { family: match.family, score: match.score },
    },
  }
}
