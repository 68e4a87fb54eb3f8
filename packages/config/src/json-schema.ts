import { z } from 'zod'
import { configSchema } from './config-schema.ts'

/** JSON Schema (draft 2020-12) of a YAML or JSON configuration, for editors. */
export function configJsonSchema(): Readonly<Record<string, unknown>> {
  const schema = z.toJSONSchema(configSchema, { unrepresentable: 'any', io: 'input' })
  return {
    ...schema,
    $id: 'https://postern.dev/schema/postern.schema.json',
    title: 'Postern configuration',
    description: 'Everything a postern.config.yaml or postern.config.json may say. Every key has a default.',
  }
}
