import {
  ALLOW,
  type BodyValue,
  bodyValues,
  type Decision,
  type Exchange,
  type Guard,
  hasFields,
  type Mode,
  queryValues,
  type Refusal,
} from '@postern/core'
import type { ParameterSchema, RouteSchema, RouteSchemas } from './route-schema.ts'
import { schemaKey } from './schema-learner.ts'
import { isTextKind, valueLength, valueType } from './value-shape.ts'

export interface SchemaGuardOptions {
  /** Read with `parseRouteSchemas`. Routes without a schema are not checked. */
  readonly schemas: RouteSchemas
  readonly mode?: Mode
}

interface Fault {
  readonly problem:
    | 'unknown'
    | 'missing'
    | 'type'
    | 'shape'
    | 'length'
    | 'too-large'
    | 'malformed'
    | 'too-many'
  readonly location: string
  readonly facts?: Readonly<Record<string, string | number>>
}

/**
 * Refuses requests whose parameters do not match the route's schema: by name, presence, type, shape and
 * length. A body that cannot be read whole is refused too, because padding must not evade the check.
 *
 * Rule: `schema/parameter`.
 */
export function schemaGuard(options: SchemaGuardOptions): Guard {
  const { schemas } = options

  const checkBody = async (exchange: Exchange, key: string, schema: RouteSchema): Promise<Decision> => {
    const values = await bodyValues(exchange)
    if (values.kind === 'unreadable') return refusal(key, { problem: values.why, location: 'body' })
    const fields: ReadonlyMap<string, BodyValue> = values.kind === 'fields' ? values.fields : new Map()
    const fault = check(schema.body, fields, 'body', schema.closed)
    return fault === undefined ? ALLOW : refusal(key, fault)
  }

  const decide = (exchange: Exchange): Decision | Promise<Decision> => {
    const { route } = exchange
    if (route === undefined) return ALLOW
    const key = schemaKey(exchange.method, route.pattern)
    const schema = Object.hasOwn(schemas, key) ? schemas[key] : undefined
    if (schema === undefined) return ALLOW
    const query = queryValues(exchange.path.query)
    const fault: Fault | undefined = query.complete
      ? check(schema.query, query.fields, 'query', schema.closed)
      : { problem: 'too-many', location: 'query' }
    if (fault !== undefined) return refusal(key, fault)
    if (hasFields(exchange)) return checkBody(exchange, key, schema)
    const missing = Object.entries(schema.body).find(([, parameter]) => parameter.required)?.[0]
    return missing === undefined ? ALLOW : refusal(key, { problem: 'missing', location: `body.${missing}` })
  }

  return {
    name: 'schema',
    failure: 'closed',
    ...(options.mode && { mode: options.mode }),
    decide,
    wouldRefuse: decide,
  }
}

function check(
  parameters: Readonly<Record<string, ParameterSchema>>,
  fields: ReadonlyMap<string, BodyValue>,
  part: 'query' | 'body',
  closed: boolean,
): Fault | undefined {
  for (const name in parameters) {
    if (parameters[name]?.required === true && !fields.has(name))
      return { problem: 'missing', location: `${part}.${name}` }
  }
  for (const [name, value] of fields) {
    const location = `${part}.${name.slice(0, 100)}`
    const parameter = Object.hasOwn(parameters, name) ? parameters[name] : undefined
    if (parameter === undefined) {
      if (closed) return { problem: 'unknown', location }
      continue
    }
    const type = valueType(value)
    if (!parameter.types.includes(type))
      return { problem: 'type', location, facts: { type, expected: parameter.types.join(', ') } }
    const length = valueLength(value)
    if (parameter.maxLength !== undefined && length > parameter.maxLength)
      return { problem: 'length', location, facts: { length, limit: parameter.maxLength } }
    // Forms send an empty text for a field that was left empty.
    if (
      typeof value === 'string' &&
      value !== '' &&
      parameter.kind !== undefined &&
      !isTextKind(value, parameter.kind)
    )
      return { problem: 'shape', location, facts: { expected: parameter.kind } }
  }
  return undefined
}

function refusal(route: string, fault: Fault): Refusal {
  const isSize = fault.problem === 'too-large'
  return {
    effect: 'deny',
    guard: 'schema',
    status: isSize ? 413 : 400,
    reasons: [
      {
        rule: 'schema/parameter',
        message: isSize
          ? 'The body of this request is too large to be checked.'
          : 'The parameters of this request are not those that this address takes.',
        evidence: { location: fault.location, facts: { problem: fault.problem, ...fault.facts } },
        exception: {
          changes: [],
          note: `in the file that schema.enforce names, under ${JSON.stringify(route)}: add or widen ${fault.location}`,
        },
      },
    ],
    ...(isSize && { close: true }),
  }
}
