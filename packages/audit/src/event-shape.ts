type Fields = Readonly<Record<string, unknown>>

const ACTOR = ['address', 'principal', 'tenant', 'device', 'agent'] as const
const REQUEST = ['id', 'method', 'host', 'path', 'query'] as const
const TEXTS = ['action', 'decision', 'observed', 'guard'] as const

/**
 * What keeps a value from being an event, by the place, or undefined when it is one. Everything that is later numbered, sealed and searched
 * by is of the type it should be: a `Date` for a time, taken over now, could not be published ever after.
 */
export function eventProblem(value: unknown): string | undefined {
  if (!isFields(value)) return 'event is no object'
  if (typeof value['type'] !== 'string' || value['type'] === '') return 'event.type is no text'
  if (typeof value['time'] !== 'number' || !Number.isFinite(value['time']))
    return 'event.time is not a number of milliseconds'
  return (
    textProblem(value, TEXTS, 'event') ??
    partProblem(value['actor'], 'actor') ??
    textProblem(value['actor'] as Fields, ACTOR, 'event.actor') ??
    requestProblem(value['request']) ??
    resourceProblem(value['resource']) ??
    reasonsProblem(value['reasons']) ??
    (value['outcome'] === undefined ? undefined : partProblem(value['outcome'], 'outcome')) ??
    (value['data'] === undefined ? undefined : partProblem(value['data'], 'data'))
  )
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function partProblem(value: unknown, name: string): string | undefined {
  return isFields(value) ? undefined : `event.${name} is no object`
}

function textProblem(fields: Fields, names: readonly string[], place: string): string | undefined {
  for (const name of names) {
    const value = fields[name]
    if (value !== undefined && typeof value !== 'string') return `${place}.${name} is no text`
  }
  return undefined
}

function requestProblem(request: unknown): string | undefined {
  if (request === undefined) return undefined
  if (!isFields(request)) return 'event.request is no object'
  for (const name of REQUEST) if (typeof request[name] !== 'string') return `event.request.${name} is no text`
  return textProblem(request, ['route'], 'event.request')
}

function resourceProblem(resource: unknown): string | undefined {
  if (resource === undefined) return undefined
  if (!isFields(resource) || typeof resource['type'] !== 'string') return 'event.resource has no type'
  return textProblem(resource, ['id'], 'event.resource')
}

function reasonsProblem(reasons: unknown): string | undefined {
  if (reasons === undefined) return undefined
  if (!Array.isArray(reasons)) return 'event.reasons is no list'
  for (const reason of reasons)
    if (!isFields(reason) || typeof reason['rule'] !== 'string' || typeof reason['message'] !== 'string')
      return 'event.reasons has something without rule and message'
  return undefined
}
