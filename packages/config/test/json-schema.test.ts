import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { configJsonSchema, type SchemaNode } from '../src/table/json-schema.ts'

const COMMITTED = new URL('../../postern/schema/postern.schema.json', import.meta.url)

function nodesIn(node: SchemaNode): readonly SchemaNode[] {
  const { properties = {}, anyOf = [], items, additionalProperties } = node
  const inner = [...Object.values(properties), ...anyOf, ...(items === undefined ? [] : [items])]
  if (typeof additionalProperties === 'object') inner.push(additionalProperties)
  return [node, ...inner.flatMap(nodesIn)]
}

describe('the JSON Schema of a configuration', () => {
  test('is the committed one (npm run docs)', () => {
    const committed: unknown = JSON.parse(readFileSync(COMMITTED, 'utf8'))
    assert.deepEqual(committed, JSON.parse(JSON.stringify(configJsonSchema())))
  })

  test('describes every key, with an example', () => {
    const keys = nodesIn(configJsonSchema()).flatMap(node =>
      Object.entries(node.properties ?? {}).filter(([name]) => !['header', 'body'].includes(name)),
    )
    assert.ok(keys.length > 100)
    for (const [name, node] of keys) {
      assert.equal(typeof node.description, 'string', name)
      assert.ok(Array.isArray(node['examples']) || node['default'] !== undefined, `${name} has no example`)
    }
  })

  test('has no form that only code can write', () => {
    for (const node of nodesIn(configJsonSchema()))
      assert.notDeepEqual(
        Object.keys(node).filter(keyword => keyword !== 'description'),
        [],
        JSON.stringify(node),
      )
  })
})
