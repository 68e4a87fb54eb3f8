import { ConfigError, type ConfigIssue } from '@postern/core'
import { TEXT_KINDS, type TextKind, VALUE_TYPES, type ValueType } from './value-shape.ts'

/** What is known about one parameter. Never a value itself: a schema is meant to be read and committed. */
export interface ParameterSchema {
  readonly types: readonly ValueType[]
  /** For texts. */
  readonly kind?: TextKind
  /** Longest text or array that is accepted. */
  readonly maxLength?: number
  readonly required: boolean
}

/** The parameters of one route, by name. Others are refused where `closed`. */
export interface RouteSchema {
  readonly query: Readonly<Record<string, ParameterSchema>>
  readonly body: Readonly<Record<string, ParameterSchema>>
  /** How many requests it was learned from. */
  readonly samples: number
  /** Whether parameters that are not named are refused. */
  readonly closed: boolean
}

/** Schemas by route: `POST /api/orders`. Plain JSON, to be reviewed and committed. */
export type RouteSchemas = Readonly<Record<string, RouteSchema>>

const TYPES: readonly string[] = VALUE_TYPES
const MAX_ROUTES = 10_000

/**
 * Reads schemas that a person may have edited.
 * @throws ConfigError naming everything that is invalid
 */
export function parseRouteSchemas(value: unknown, place = 'schemas'): RouteSchemas {
  const issues: ConfigIssue[] = []
  if (!isMapping(value))
    throw new ConfigError({
      place,
      problem: 'is not a map of routes',
      hint: "for example { 'GET /orders': { query: { page: { type: 'integer' } } } }",
    })
  const routes = Object.entries(value)
  if (routes.length > MAX_ROUTES)
    throw new ConfigError({ place, problem: `has more than ${MAX_ROUTES} routes` })
  const schemas: Record<string, RouteSchema> = Object.create(null) as Record<string, RouteSchema>
  for (const [route, schema] of routes) {
    const at = `${place}["${route.slice(0, 100)}"]`
    if (!isMapping(schema)) {
      issues.push({ place: at, problem: 'is not a map' })
      continue
    }
    for (const key of Object.keys(schema))
      if (!['query', 'body', 'samples', 'closed'].includes(key))
        issues.push({ place: `${at}.${key}`, problem: 'is not understood' })
    schemas[route] = {
      query: parseParameters(schema['query'], `${at}.query`, issues),
      body: parseParameters(schema['body'], `${at}.body`, issues),
      samples: Number(schema['samples'] ?? 0),
      closed: schema['closed'] === true,
    }
  }
  if (issues.length > 0) throw new ConfigError(issues)
  return schemas
}

function parseParameters(
  value: unknown,
  place: string,
  issues: ConfigIssue[],
): Readonly<Record<string, ParameterSchema>> {
  const parameters: Record<string, ParameterSchema> = Object.create(null) as Record<string, ParameterSchema>
  if (value === undefined) return parameters
  if (!isMapping(value)) {
    issues.push({ place, problem: 'is not a map of parameters' })
    return parameters
  }
  for (const [name, one] of Object.entries(value)) {
    const parameter = parseParameter(one)
    if (parameter === undefined)
      issues.push({
        place: `${place}.${name.slice(0, 100)}`,
        problem: 'is not a valid parameter',
        hint: `types: of ${TYPES.join(', ')}; kind: one of ${TEXT_KINDS.join(', ')}; maxLength: a number; required: true or false`,
      })
    else parameters[name] = parameter
  }
  return parameters
}

function parseParameter(value: unknown): ParameterSchema | undefined {
  if (!isMapping(value)) return undefined
  const { types, kind, maxLength, required, ...others } = value
  if (Object.keys(others).length > 0 || typeof required !== 'boolean') return undefined
  if (!Array.isArray(types) || types.length === 0 || !types.every(type => TYPES.includes(String(type))))
    return undefined
  if (kind !== undefined && !TEXT_KINDS.includes(kind as TextKind)) return undefined
  if (maxLength !== undefined && !(Number.isSafeInteger(maxLength) && Number(maxLength) >= 0))
    return undefined
  return {
    types: types as ValueType[],
    ...(kind !== undefined && { kind: kind as TextKind }),
    ...(maxLength !== undefined && { maxLength: Number(maxLength) }),
    required,
  }
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
