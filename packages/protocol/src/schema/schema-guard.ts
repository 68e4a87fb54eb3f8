import {
  ALLOW,
  type BodyValue,
  bodyValues,
  type Decision,
  type Exchange,
  type Guard,
  type Mode,
  queryValues,
  type Refusal,
  RouteTable,
} from '@postern/core'
import type { ParameterSchema, RouteSchema, RouteSchemas } from './route-schema.ts'
import { isTextKind, valueLength, valueType } from './value-shape.ts'

/** The schemas that requests must match. */
export interface SchemaGuardOptions {
  /**
   * Read with `parseRouteSchemas`. A request is checked by the most specific pattern that matches it,
   * whatever routes are configured: adding a route must not lift a schema. One that matches none is not
   * checked.
   */
  readonly schemas: RouteSchemas
  readonly mode?: Mode
}

/** Parameters that one refusal names of a query or of a body. */
const MOST_FAULTS = 20

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
 * length. A body that cannot be read whole is refused too, because padding must not evade the check. One that
 * asks to be treated as another method must match the schema of that one as well.
 *
 * Rule: `schema/parameter`.
 * @throws ConfigError for a pattern that is not a route
 */
export function schemaGuard(options: SchemaGuardOptions): Guard {
  const { schemas } = options
  const table = new RouteTable(Object.fromEntries(Object.keys(schemas).map(pattern => [pattern, {}])))

  /** What is wrong with the query is known when the body arrives: one refusal names all of it. */
  const checkBody = async (
    exchange: Exchange,
    key: string,
    schema: RouteSchema,
    ofQuery: readonly Fault[],
  ): Promise<Decision> => {
    const values = await bodyValues(exchange)
    if (values.kind === 'unreadable')
      return decision(key, [...ofQuery, { problem: values.why, location: 'body' }])
    const fields: ReadonlyMap<string, readonly BodyValue[]> =
      values.kind === 'fields' ? values.fields : new Map()
    const faults = check(schema.body, fields, 'body', schema.closed)
    // Of a long upload only the beginning is read: what is missing there may come later.
    const isWhole = values.kind === 'none' || values.complete
    return decision(key, [...ofQuery, ...faults.filter(({ problem }) => isWhole || problem !== 'missing')])
  }

  const decideFor = (exchange: Exchange, method: string): Decision | Promise<Decision> => {
    const key = table.match(method === 'HEAD' ? 'GET' : method, exchange.path.canonical)?.pattern
    const schema = key === undefined ? undefined : schemas[key]
    if (key === undefined || schema === undefined) return ALLOW
    const query = queryValues(exchange.path.query)
    const faults: readonly Fault[] = query.complete
      ? check(schema.query, query.fields, 'query', schema.closed)
      : [{ problem: 'too-many', location: 'query' }]
    if (exchange.hasBody) return checkBody(exchange, key, schema, faults)
    const missing = Object.entries(schema.body)
      .filter(([, parameter]) => parameter.required)
      .map(([name]): Fault => ({ problem: 'missing', location: `body.${name}` }))
    return decision(key, [...faults, ...missing])
  }

  const decide = (exchange: Exchange): Decision | Promise<Decision> => {
    const said = decideFor(exchange, exchange.method)
    const [wish] = exchange.methodOverrides
    // Wishes for different methods are refused by the protocol guard, so one stands for all.
    return wish === undefined ? said : firstRefusal(said, decideFor(exchange, wish.method))
  }

  return {
    name: 'schema',
    failure: 'closed',
    ...(options.mode && { mode: options.mode }),
    decide,
    wouldRefuse: decide,
  }
}

/** The refusal among two decisions, of two the first. */
function firstRefusal(
  one: Decision | Promise<Decision>,
  other: Decision | Promise<Decision>,
): Decision | Promise<Decision> {
  if (one instanceof Promise || other instanceof Promise)
    return Promise.all([one, other]).then(([first, second]) => (first === ALLOW ? second : first))
  return one === ALLOW ? other : one
}

function decision(key: string, faults: readonly Fault[]): Decision {
  const [first, ...rest] = faults
  return first === undefined ? ALLOW : refusal(key, [first, ...rest])
}

function check(
  parameters: Readonly<Record<string, ParameterSchema>>,
  fields: ReadonlyMap<string, readonly BodyValue[]>,
  part: 'query' | 'body',
  closed: boolean,
): readonly Fault[] {
  const faults: Fault[] = []
  for (const name in parameters) {
    if (parameters[name]?.required === true && !fields.has(name))
      faults.push({ problem: 'missing', location: `${part}.${name}` })
  }
  for (const [name, values] of fields) {
    if (faults.length >= MOST_FAULTS) break
    const location = `${part}.${name.slice(0, 100)}`
    const parameter = Object.hasOwn(parameters, name) ? parameters[name] : undefined
    if (parameter === undefined) {
      if (closed) faults.push({ problem: 'unknown', location })
      continue
    }
    const fault = firstMisfit(parameter, values, location)
    if (fault !== undefined) faults.push(fault)
  }
  return faults
}

/** Every value is checked: which of several a backend takes is not known. */
function firstMisfit(
  parameter: ParameterSchema,
  values: readonly BodyValue[],
  location: string,
): Fault | undefined {
  for (const value of values) {
    const fault = misfit(parameter, value, location)
    if (fault !== undefined) return fault
  }
  return undefined
}

/** What about a value does not match its parameter. */
function misfit(parameter: ParameterSchema, value: BodyValue, location: string): Fault | undefined {
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
  return undefined
}

function refusal(route: string, faults: readonly [Fault, ...Fault[]]): Refusal {
  const isSize = faults.some(({ problem }) => problem === 'too-large')
  const [fault] = faults
  const places = [...new Set(faults.map(({ location }) => location))].join(', ')
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
          note: `in the file that schema.enforce names, under ${JSON.stringify(route)}: add or widen ${places}`,
        },
      },
    ],
    ...(isSize && { close: true }),
  }
}
