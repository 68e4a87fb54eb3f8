import type { BodyValue } from '@postern/core'
import {
  TEXT_KINDS,
  type TextKind,
  textKind,
  VALUE_TYPES,
  type ValueType,
  valueLength,
  valueType,
  widerKind,
} from './value-shape.ts'

/** What is known of one parameter. */
export interface LearnedParameter {
  /** Requests that had it. */
  count: number
  readonly types: Set<ValueType>
  /** Of its texts; undefined before the first. */
  kind: TextKind | undefined
  longest: number
}

/**
 * What is known of one route. Names, types, shapes and lengths, never a value. Updated in
 * place, because every request writes it.
 */
export interface LearnedRoute {
  samples: number
  /** Requests with a body whose fields could be read. */
  bodies: number
  readonly query: Map<string, LearnedParameter>
  readonly body: Map<string, LearnedParameter>
  /** There were more parameters than are kept: nothing is known about the others. */
  isCut: boolean
}

const LONGEST_NAME = 200

export function newRoute(): LearnedRoute {
  return { samples: 0, bodies: 0, query: new Map(), body: new Map(), isCut: false }
}

/**
 * Takes the fields of one request into account. @param part of `route` @param most
 * parameters that are kept of a part
 */
export function learnFields(
  route: LearnedRoute,
  part: 'query' | 'body',
  fields: ReadonlyMap<string, BodyValue>,
  most: number,
): void {
  for (const [name, value] of fields) {
    const seen = parameterOf(route, part, name, most)
    if (seen === undefined) continue
    seen.count++
    seen.types.add(valueType(value))
    seen.longest = Math.max(seen.longest, valueLength(value))
    if (typeof value === 'string') seen.kind = widerOf(seen.kind, textKind(value))
  }
}

/**
 * Adds what was learned elsewhere. The order of additions does not matter as long as no part has more than
 * `most` parameters; beyond that, it may decide which ones are kept, and the route is marked as cut.
 */
export function addRoute(route: LearnedRoute, other: LearnedRoute, most: number): void {
  route.samples += other.samples
  route.bodies += other.bodies
  route.isCut ||= other.isCut
  for (const part of ['query', 'body'] as const) {
    for (const [name, { count, types, kind, longest }] of other[part]) {
      const seen = parameterOf(route, part, name, most)
      if (seen === undefined) continue
      seen.count += count
      for (const type of types) seen.types.add(type)
      seen.longest = Math.max(seen.longest, longest)
      if (kind !== undefined) seen.kind = widerOf(seen.kind, kind)
    }
  }
}

function parameterOf(
  route: LearnedRoute,
  part: 'query' | 'body',
  name: string,
  most: number,
): LearnedParameter | undefined {
  const known = route[part].get(name)
  if (known !== undefined) return known
  if (route[part].size >= most || name.length > LONGEST_NAME) {
    route.isCut = true
    return undefined
  }
  const fresh: LearnedParameter = { count: 0, types: new Set(), kind: undefined, longest: 0 }
  route[part].set(name, fresh)
  return fresh
}

function widerOf(known: TextKind | undefined, kind: TextKind): TextKind {
  return known === undefined ? kind : widerKind(known, kind)
}

/** A route as text, for storage; `readRoute` reads it. */
export function writeRoute({ samples, bodies, query, body, isCut }: LearnedRoute): string {
  const parameters = (part: ReadonlyMap<string, LearnedParameter>): unknown =>
    [...part].map(([name, { count, types, kind, longest }]) => [
      name,
      count,
      [...types],
      kind ?? null,
      longest,
    ])
  return JSON.stringify({ samples, bodies, isCut, query: parameters(query), body: parameters(body) })
}

/** The route that `writeRoute` wrote as this text; undefined for any other text. */
export function readRoute(text: string): LearnedRoute | undefined {
  const value = parseJson(text)
  if (typeof value !== 'object' || value === null) return undefined
  const { samples, bodies, isCut, query, body } = value as Readonly<Record<string, unknown>>
  if (!isCount(samples) || !isCount(bodies) || typeof isCut !== 'boolean') return undefined
  const queryMap = readParameters(query)
  const bodyMap = readParameters(body)
  if (queryMap === undefined || bodyMap === undefined) return undefined
  return { samples, bodies, isCut, query: queryMap, body: bodyMap }
}

function readParameters(value: unknown): Map<string, LearnedParameter> | undefined {
  if (!Array.isArray(value)) return undefined
  const parameters = new Map<string, LearnedParameter>()
  for (const item of value as readonly unknown[]) {
    if (!Array.isArray(item)) return undefined
    const [name, count, types, kind, longest] = item as readonly unknown[]
    if (typeof name !== 'string' || !isCount(count) || !isCount(longest) || !Array.isArray(types))
      return undefined
    const known = VALUE_TYPES.filter(type => types.includes(type))
    const shape = TEXT_KINDS.find(one => one === kind)
    if (known.length !== types.length || (kind !== null && shape === undefined)) return undefined
    parameters.set(name, { count, types: new Set(known), kind: shape, longest })
  }
  return parameters
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
