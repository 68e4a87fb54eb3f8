import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from '../src/inspect.ts'

/** Names of what nobody is to read, as applications write them. */
const SECRETS = [
  'password',
  'passwordHash',
  'encrypted_password',
  'resetToken',
  'password_reset_token',
  'verificationToken',
  'apiKey',
  'api_key',
  'secretKey',
  'otpSecret',
]
/** What a filter guesses one character after the other, or fits with anything. */
const OPERATORS = ['ne', 'gt', 'lte', 'regex', 'nin', 'not']

function asked(query: string): string {
  return inspect({ method: 'GET', target: `/users?${query}`, headers: [] }).verdict
}

function sent(document: unknown): string {
  const headers = ['content-type', 'application/json']
  return inspect({ method: 'POST', target: '/users', headers, body: Buffer.from(JSON.stringify(document)) })
    .verdict
}

describe('filters over secrets', () => {
  for (const secret of SECRETS)
    test(secret, () => {
      for (const operator of OPERATORS) {
        assert.equal(asked(`filter[${secret}][$${operator}]=a`), 'block', operator)
        assert.equal(asked(`where[user][${secret}][${operator}]=a`), 'block', operator)
        const condition = { [secret]: { [`$${operator}`]: 'a' } }
        assert.equal(sent(condition), 'block', operator)
        assert.equal(sent({ filter: { $and: [{ a: 1 }, { user: condition }] } }), 'block', operator)
      }
    })

  test('other filters pass', () => {
    for (const query of [
      'filter[price][$gt]=5',
      'filters[token][$ne]=USDC',
      'filters[$and][0][title][$contains]=a',
      'where[createdAt][gte]=2026-01-01',
      'passwordChangedAt[gte]=2026-01-01',
      'user[password]=a&user[password_confirmation]=a',
    ])
      assert.equal(asked(query), 'pass', query)
    assert.equal(sent({ filter: { $and: [{ price: { $gt: 5 } }, { name: { $regex: '^a' } }] } }), 'pass')
    assert.equal(sent({ rules: { password: { not: 'shorter than 8', contains: 'a digit' } } }), 'pass')
  })
})
