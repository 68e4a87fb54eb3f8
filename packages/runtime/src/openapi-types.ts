import { readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { type CompiledInspection, yamlPackage } from '@postern/config'
import { ConfigError, type Exchange, RouteTable } from '@postern/core'
import {
  compileParameterTypes,
  openApiParameterTypes,
  type ParameterSettings,
  type ParameterTypes,
} from '@postern/inspect'

const PLACE = 'inspect.openapi'
/** The largest documents of public services are half as large. */
const MOST_BYTES = 20_000_000

/**
 * What the OpenAPI document of a configuration says of parameters, by route; undefined where none is named.
 * @param folder that the path of the document is relative to
 * @throws ConfigError for a file that is not there, too large, or is not an OpenAPI document
 */
export function openApiTypes(
  { openapi }: Pick<CompiledInspection, 'openapi'>,
  folder: string,
): Readonly<Record<string, ParameterSettings>> | undefined {
  if (openapi === undefined) return undefined
  const path = resolve(folder, openapi)
  try {
    if (statSync(path).size > MOST_BYTES)
      throw new ConfigError({ place: PLACE, problem: `${path} is larger than ${MOST_BYTES} bytes` })
    const text = readFileSync(path, 'utf8')
    // JSON is parsed as such: it is many times faster.
    return openApiParameterTypes(/^\s*\{/.test(text) ? JSON.parse(text) : yamlPackage().parse(text))
  } catch (cause) {
    if (cause instanceof ConfigError && cause.issues[0]?.place === PLACE) throw cause
    const why = cause instanceof Error ? cause.message.split('\n', 1)[0] : 'error'
    throw new ConfigError({ place: PLACE, problem: `${path} cannot be used (${why})` }, { cause })
  }
}

/** The types of a document, as inspection asks for them: for the operation that a request falls under. */
export function describedTypes(
  routes: Readonly<Record<string, ParameterSettings>>,
): (exchange: Exchange) => ParameterTypes | undefined {
  const compiled = new WeakMap<object, ParameterTypes>()
  const table = new RouteTable(
    Object.fromEntries(
      Object.entries(routes).map(([route, parameters]) => {
        const inspect = { parameters }
        compiled.set(inspect, compileParameterTypes(parameters, `${PLACE}: ${route}`))
        return [route, { inspect }]
      }),
    ),
  )
  return ({ method, path }) => {
    const settings = table.match(method === 'HEAD' ? 'GET' : method, path.canonical, path.raw)?.settings
      .inspect
    return settings === undefined || settings === false ? undefined : compiled.get(settings)
  }
}
