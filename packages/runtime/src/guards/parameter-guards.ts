import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { LoadedConfig } from '@postern/config'
import { ConfigError, errorCode, fileProblem, type Guard } from '@postern/core'
import { parseRouteSchemas, type SchemaLearner, schemaGuard } from '@postern/protocol'

/**
 * What `schema` asks for: to learn the parameters of routes, to hold requests to those that were reviewed, or
 * to do nothing.
 * @throws ConfigError for a file that cannot be read or is not understood, with every place in it
 */
export function parameterGuards(
  { config, file }: LoadedConfig,
  learner: SchemaLearner | undefined,
): readonly Guard[] {
  const { learn, enforce, mode } = config.schema
  const guards: Guard[] = []
  if (enforce !== undefined) {
    const schemas = parseRouteSchemas(readJson(resolve(file.folder, enforce)), enforce)
    guards.push(schemaGuard({ schemas, ...(mode !== undefined && { mode }) }))
  }
  if (learn === true && learner !== undefined) guards.push(learner)
  return guards
}

function readJson(path: string): unknown {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return value
  } catch (cause) {
    const why = errorCode(cause) === undefined ? 'is not JSON' : fileProblem(cause)
    throw new ConfigError(
      {
        place: 'schema.enforce',
        problem: `${path} ${why}`,
        hint: 'postern parameters propose > schema.json, after some days of schema: { learn: true }',
      },
      { cause },
    )
  }
}
