import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pathTemplate } from '../src/api/path-template.ts'

for (const [path, template] of [
  ['/', '/'],
  ['/api/orders/17', '/api/orders/{id}'],
  ['/users/0b8f6c1e-5d7a-4e0e-9f2e-2f1f4f1a2b3c/posts/9', '/users/{id}/posts/{id2}'],
  ['/share/1m8b3eq86y7xg3500001', '/share/{id}'],
  ['/people/ann@example.com', '/people/{id}'],
  ['/static/application-configuration', '/static/application-configuration'],
  ['/v2/status', '/v2/status'],
] as const)
  test(`${path} is ${template}`, () => {
    assert.equal(pathTemplate(path), template)
  })
