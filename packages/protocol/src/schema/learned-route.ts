import type { BodyValue } from '@postern/core'
import { addEvidence, mergeEvidence, type ParameterEvidence, VALUE_CLASSES } from './parameter-evidence.ts'
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
  /** Who sent values of which class: from it a type is learned. */
  readonly evidence: ParameterEvidence
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

/** Who sent a request, and when. */
export interface Sender {
  /** The network of the client. */
  readonly actor: string
  /** Milliseconds since 1970. */
  readonly time: number
}

/**
 * Takes the fields of one request into account.
 * @param part of `route`
 * @param most parameters that are kept of a part
 * @param sender undefined when nobody is to be learned from: no types are learned then
 */
export function learnFields(
  route: LearnedRoute,
  part: 'query' | 'body',
  fields: ReadonlyMap<string, readonly BodyValue[]>,
  most: number,
  sender?: Sender,
): void {
  for (const [name, values] of fields) {
    const seen = parameterOf(route, part, name, most)
    if (seen === undefined) continue
    seen.count++
    for (const value of values) {
      seen.types.add(valueType(value))
      seen.longest = Math.max(seen.longest, valueLength(value))
      if (typeof value === 'string') seen.kind = widerOf(seen.kind, textKind(value))
      if (sender !== undefined) addEvidence(seen.evidence, value, sender.actor, sender.time)
    }
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
    for (const [name, { count, types, kind, longest, evidence }] of other[part]) {
      const seen = parameterOf(route, part, name, most)
      if (seen === undefined) continue
      seen.count += count
      for (const type of types) seen.types.add(type)
      seen.longest = Math.max(seen.longest, longest)
      if (kind !== undefined) seen.kind = widerOf(seen.kind, kind)
      mergeEvidence(seen.evidence, evidence)
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
  const fresh: LearnedParameter = {
    count: 0,
    types: new Set(),
    kind: undefined,
    longest: 0,
    evidence: new Map(),
  }
  route[part].set(name, fresh)
  return fresh
}

function widerOf(known: TextKind | undefined, kind: TextKind): TextKind {
  return known === undefined ? kind : widerKind(known, kind)
}

/** A route as text, for storage; `readRoute` reads it. */
export function writeRoute({ samples, bodies, query, body, isCut }: LearnedRoute): string {
  const parameters = (part: ReadonlyMap<string, LearnedParameter>): unknown =>
    [...part].map(([name, { count, types, kind, longest, evidence }]) => [
      name,
      count,
      [...types],
      kind ?? null,
      longest,
      [...evidence].map(([one, { low, high, days }]) => [one, low, high, days]),
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
    const [name, count, types, kind, longest, sketches] = item as readonly unknown[]
    if (typeof name !== 'string' || !isCount(count) || !isCount(longest) || !Array.isArray(types))
      return undefined
    const known = VALUE_TYPES.filter(type => types.includes(type))
    const shape = TEXT_KINDS.find(one => one === kind)
    if (known.length !== types.length || (kind !== null && shape === undefined)) return undefined
    parameters.set(name, {
      count,
      types: new Set(known),
      kind: shape,
      longest,
      evidence: readEvidence(sketches),
    })
  }
  return parameters
}

/** What was kept of who sent what; nothing for rows of versions that kept none. */
function readEvidence(value: unknown): ParameterEvidence {
  const evidence: ParameterEvidence = new Map()
  if (!Array.isArray(value)) return evidence
  for (const item of value as readonly unknown[]) {
    if (!Array.isArray(item)) continue
    const [name, low, high, days] = item as readonly unknown[]
    const known = VALUE_CLASSES.find(one => one === name)
    if (known === undefined || !isWord(low) || !isWord(high) || !isWord(days)) continue
    evidence.set(known, { low, high, days })
  }
  return evidence
}

function isWord(value: unknown): value is number {
  return Number.isInteger(value) && Math.abs(Number(value)) <= 0xffffffff
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
