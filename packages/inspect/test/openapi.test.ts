import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ConfigError } from '@postern/core'
import { openApiParameterTypes } from '../src/openapi/openapi-parameter-types.ts'
import { typeOfSchema } from '../src/openapi/schema-type.ts'

const document = (paths: object, more: object = {}): unknown => ({ openapi: '3.1.0', paths, ...more })
const operation = (more: object): unknown => document({ '/a': { post: more } })
const only = (value: unknown): unknown => openApiParameterTypes(value)['POST /a']

describe('types of parameters from an OpenAPI document', () => {
  test('come from types, formats, enumerations and patterns; what is left open stays unknown', () => {
    for (const [schema, type] of [
      [{ type: 'integer' }, 'number'],
      [{ type: ['number', 'null'] }, 'number'],
      [{ type: 'boolean' }, 'id'],
      [{ type: 'string', format: 'uuid' }, 'id'],
      [{ type: 'string', format: 'date-time' }, 'id'],
      [{ type: 'string', format: 'email' }, 'word'],
      [{ type: 'string', format: 'uri' }, 'url'],
      [{ type: 'string', format: 'password' }, 'secret'],
      [{ type: 'string', format: 'binary' }, 'file'],
      [{ enum: ['asc', 'desc', null] }, 'id'],
      [{ type: 'string', enum: ['in stock', "we don't know"] }, 'word'],
      [{ enum: ['<b>', 'x'] }, undefined],
      [{ const: 3 }, 'number'],
      [{ type: 'string', pattern: '^[A-Z0-9_-]{4,12}$' }, 'id'],
      [{ type: 'string', pattern: '^.*$' }, undefined],
      [{ type: 'string', pattern: '[a-z]+' }, undefined],
      [{ type: 'string', maxLength: 10 }, undefined],
      [{ type: 'string' }, undefined],
      [{ type: ['string', 'integer'] }, undefined],
      [{ type: 'string', format: 'constructor' }, undefined],
    ] as const)
      assert.equal(typeOfSchema(schema), type, JSON.stringify(schema))
  })

  test('are named by place: queries, headers, cookies, fields and items of bodies', () => {
    const integer = { schema: { type: 'integer' } }
    assert.deepEqual(
      only(
        operation({
          parameters: [
            { in: 'query', name: 'page', ...integer },
            { in: 'header', name: 'X-Shop', schema: { format: 'uuid', type: 'string' } },
            { in: 'cookie', name: 'lang', schema: { enum: ['en', 'de'] } },
            { in: 'query', name: 'ids', schema: { type: 'array', items: { type: 'integer' } } },
            { in: 'path', name: 'id', ...integer },
          ],
          requestBody: {
            content: {
              'application/json; charset=utf-8': {
                schema: {
                  properties: {
                    count: { type: 'integer' },
                    note: { type: 'string' },
                    items: {
                      type: 'array',
                      items: { properties: { sku: { type: 'string', format: 'uuid' } } },
                    },
                    extra: { additionalProperties: { type: 'number' } },
                  },
                },
              },
              'text/csv': { schema: { properties: { other: { type: 'integer' } } } },
            },
          },
        }),
      ),
      {
        'query.page': 'number',
        'header.x-shop': 'id',
        'cookie.lang': 'id',
        'query.ids': 'number',
        'query.ids[]': 'number',
        'body.count': 'number',
        'body.items.*.sku': 'id',
        'body.extra.*': 'number',
      },
    )
  })

  test('follow references inside of the document, in circles too, and paths of servers', () => {
    const node = {
      properties: { id: { $ref: '#/components/schemas/a~1b' }, next: { $ref: '#/components/schemas/node' } },
    }
    const types = openApiParameterTypes(
      document(
        {
          '/n/{node-id}': {
            parameters: [{ $ref: '#/components/parameters/page' }, { $ref: 'other.yaml#/x' }],
            put: {
              requestBody: {
                content: { 'application/json': { schema: { $ref: '#/components/schemas/node' } } },
              },
            },
          },
        },
        {
          servers: [{ url: 'https://api.example.com/v1/' }],
          components: {
            schemas: { node, 'a/b': { type: 'integer' } },
            parameters: { page: { in: 'query', name: 'page', schema: { type: 'integer' } } },
          },
        },
      ),
    )
    assert.deepEqual(Object.keys(types), ['PUT /v1/n/:node_id'])
    const found = types['PUT /v1/n/:node_id'] ?? {}
    assert.equal(found['query.page'], 'number')
    assert.equal(found['body.id'], 'number')
    assert.equal(found['body.next.next.id'], 'number')
    assert.ok(Object.keys(found).length < 20)
  })

  test('are left out where two bodies of one operation disagree', () => {
    const body = (type: string): object => ({
      schema: { properties: { a: { type }, b: { type: 'integer' } } },
    })
    const content = {
      'application/json': body('integer'),
      'application/x-www-form-urlencoded': body('boolean'),
    }
    assert.deepEqual(only(operation({ requestBody: { content } })), { 'body.b': 'number' })
  })

  test('of something else are an error that says what it needs', () => {
    for (const value of [undefined, [], { swagger: '2.0', paths: {} }, { openapi: '3.0.1' }])
      assert.throws(() => openApiParameterTypes(value), ConfigError)
  })
})
