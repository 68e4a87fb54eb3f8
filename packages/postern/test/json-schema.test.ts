import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { configJsonSchema } from '../../config/src/json-schema.ts'

test('the committed JSON schema is what the configuration accepts (npm run postern -- schema > packages/postern/schema/postern.schema.json)', () => {
  const committed: unknown = JSON.parse(
    readFileSync(new URL('../schema/postern.schema.json', import.meta.url), 'utf8'),
  )
  assert.deepEqual(committed, JSON.parse(JSON.stringify(configJsonSchema())))
})
