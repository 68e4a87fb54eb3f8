import { readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { type CompiledInspection, yamlPackage } from '@postern/config'
import { ConfigError, type Exchange, FILE_HINT, fileProblem, RouteTable } from '@postern/core'
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
  const text = readDocument(path)
  try {
    // JSON is parsed as such: it is many times faster.
    return openApiParameterTypes(/^\s*\{/.test(text) ? JSON.parse(text) : yamlPackage().parse(text))
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.split('\n', 1)[0] : 'error'
    throw new ConfigError(
      {
        place: PLACE,
        problem: `${path} cannot be used (${why})`,
        hint: 'name an OpenAPI 3 document, as YAML or JSON',
      },
      { cause },
    )
  }
}

function readDocument(path: string): string {
  let bytes: number
  let text: string
  try {
    bytes = statSync(path).size
    text = bytes > MOST_BYTES ? '' : readFileSync(path, 'utf8')
  } catch (cause) {
    throw new ConfigError(
      { place: PLACE, problem: `${path} ${fileProblem(cause)}`, hint: FILE_HINT },
      { cause },
    )
  }
  if (bytes > MOST_BYTES)
    throw new ConfigError({
      place: PLACE,
      problem: `${path} is larger than ${MOST_BYTES} bytes`,
      hint: 'name the document of this application alone',
    })
  return text
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
