import { ConfigError } from '@postern/core'
import type { ParameterType } from '../value/parameter-type.ts'
import { isParameterLocation, type ParameterSettings } from '../value/parameter-types.ts'
import { type Described, isDescribed, typeOfSchema } from './schema-type.ts'

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']
/** Places of a parameter, by what OpenAPI calls them. A segment of the path has no place of its own. */
const PLACES: Readonly<Record<string, string>> = { query: 'query', header: 'header', cookie: 'cookie' }
/** Bodies whose fields inspection names. */
const BODY =
  /^application\/(?:[\w.+-]{1,60}\+)?json\b|^application\/x-www-form-urlencoded\b|^multipart\/form-data\b/i
const MOST_ROUTES = 5_000
const MOST_PARAMETERS = 500
const DEEPEST = 12
/** Prefixes of paths that servers have. */
const MOST_SERVERS = 8

/**
 * The types that an OpenAPI document (3.0 or 3.1) gives to parameters of its operations, by route as in the
 * configuration (`GET /v1/orders/:id`): integers and numbers, enumerations, formats, and patterns of ids, in
 * queries, headers, cookies and bodies. What it leaves open is not mentioned, and inspected as before.
 * References inside of the document are followed; others are left out. Bounded.
 *
 * @throws ConfigError for what is not such a document
 */
export function openApiParameterTypes(value: unknown): Readonly<Record<string, ParameterSettings>> {
  const document = openApiDocument(value)
  const resolve = (part: unknown): Described | undefined => resolved(document, part)
  const routes: Record<string, ParameterSettings> = {}
  let count = 0
  for (const { path, method, item, operation } of operationsOf(document, resolve)) {
    const types = new OperationTypes(resolve).of(item, operation)
    if (Object.keys(types).length === 0) continue
    for (const prefix of prefixesOf(operation['servers'] ?? item['servers'] ?? document['servers'])) {
      if (++count > MOST_ROUTES) return routes
      routes[`${method.toUpperCase()} ${prefix}${patternOf(path)}`] = types
    }
  }
  return routes
}

interface Operation {
  readonly path: string
  readonly method: string
  readonly item: Described
  readonly operation: Described
}

function* operationsOf(
  document: { readonly paths: Described },
  resolve: (part: unknown) => Described | undefined,
): Generator<Operation> {
  for (const [path, described] of Object.entries(document.paths)) {
    const item = resolve(described)
    if (item === undefined || !path.startsWith('/')) continue
    for (const method of METHODS) {
      const operation = item[method]
      if (isDescribed(operation)) yield { path, method, item, operation }
    }
  }
}

/** @throws ConfigError for what is not an OpenAPI 3 document */
function openApiDocument(value: unknown): Described & { readonly paths: Described } {
  const paths = isDescribed(value) && String(value['openapi']).startsWith('3.') && value['paths']
  if (isDescribed(value) && isDescribed(paths)) return { ...value, paths }
  throw new ConfigError({
    place: 'openapi',
    problem: 'is not an OpenAPI 3 document',
    hint: 'it has "openapi": "3.x.y" and "paths"; convert a Swagger 2 document first',
  })
}

/** Collects what one operation says of its parameters. */
class OperationTypes {
  readonly #resolve: (value: unknown) => Described | undefined
  readonly #types = new Map<string, ParameterType>()
  readonly #unclear = new Set<string>()

  constructor(resolve: (value: unknown) => Described | undefined) {
    this.#resolve = resolve
  }

  of(item: Described, operation: Described): ParameterSettings {
    for (const value of [...listIn(item, 'parameters'), ...listIn(operation, 'parameters')])
      this.#parameter(value)
    const content = this.#resolve(operation['requestBody'])?.['content']
    for (const [type, media] of Object.entries(isDescribed(content) ? content : {}))
      if (BODY.test(type) && isDescribed(media)) this.#schema(media['schema'], 'body', 0)
    for (const location of this.#unclear) this.#types.delete(location)
    return Object.fromEntries(this.#types)
  }

  #parameter(value: unknown): void {
    const parameter = this.#resolve(value)
    const name = parameter?.['name']
    const place = PLACES[String(parameter?.['in'])]
    if (parameter === undefined || typeof name !== 'string' || place === undefined) return
    const location = `${place}.${place === 'header' ? name.toLowerCase() : name}`
    const schema = this.#resolve(parameter['schema'])
    if (schema?.['type'] === 'array') {
      this.#schema(schema['items'], location, 1)
      this.#schema(schema['items'], `${location}[]`, 1)
    } else this.#schema(schema, location, 0)
  }

  #schema(value: unknown, location: string, depth: number): void {
    const schema = this.#resolve(value)
    if (schema === undefined || depth > DEEPEST || this.#types.size >= MOST_PARAMETERS) return
    const type = typeOfSchema(schema)
    if (type !== undefined) {
      if (isParameterLocation(location)) this.#note(location, type)
      return
    }
    for (const part of listIn(schema, 'allOf')) this.#schema(part, location, depth + 1)
    const { properties, items, additionalProperties } = schema
    if (isDescribed(properties))
      for (const [name, property] of Object.entries(properties))
        this.#schema(property, `${location}.${name}`, depth + 1)
    // One item or property may be looked at under every name.
    if (isDescribed(items)) this.#schema(items, `${location}.*`, depth + 1)
    if (isDescribed(additionalProperties) && properties === undefined)
      this.#schema(additionalProperties, `${location}.*`, depth + 1)
  }

  /** A place that two bodies describe differently is not known. */
  #note(location: string, type: ParameterType): void {
    const known = this.#types.get(location)
    if (known === undefined) this.#types.set(location, type)
    else if (known !== type) this.#unclear.add(location)
  }
}

function patternOf(path: string): string {
  return path.replace(/\{([^}]{1,100})\}/g, (_, name: string) => `:${name.replace(/\W/g, '_')}`)
}

/** The paths that servers put before every path of a document. */
function prefixesOf(servers: unknown): readonly string[] {
  if (!Array.isArray(servers) || servers.length === 0) return ['']
  const found = servers.slice(0, MOST_SERVERS).map(server => {
    const url: unknown = isDescribed(server) ? server['url'] : undefined
    if (typeof url !== 'string' || !URL.canParse(url, 'http://localhost')) return ''
    return new URL(url, 'http://localhost').pathname.replace(/\/$/, '')
  })
  return [...new Set(found)].map(prefix => (/^[\w./~-]*$/.test(prefix) ? prefix : ''))
}

function listIn(value: Described, key: string): readonly unknown[] {
  const list = value[key]
  return Array.isArray(list) ? list : []
}

/** A value, or what it refers to inside of the document (RFC 6901). */
function resolved(document: Described, value: unknown): Described | undefined {
  let found = value
  for (let steps = 0; steps < DEEPEST; steps++) {
    if (!isDescribed(found)) return undefined
    const reference = found['$ref']
    if (typeof reference !== 'string') return found
    if (!reference.startsWith('#/')) return undefined
    found = reference
      .slice(2)
      .split('/')
      .map(part => part.replace(/~1/g, '/').replace(/~0/g, '~'))
      .reduce<unknown>(
        (inside, part) => (isDescribed(inside) && Object.hasOwn(inside, part) ? inside[part] : undefined),
        document,
      )
  }
  return undefined
}
