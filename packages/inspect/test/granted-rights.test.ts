import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from '../src/inspect.ts'

function sent(body: string, type: string): string {
  const headers = ['content-type', type]
  return inspect({ method: 'POST', target: '/x', headers, body: Buffer.from(body) }).verdict
}

const form = (body: string): string => sent(body, 'application/x-www-form-urlencoded')
const json = (document: unknown): string => sent(JSON.stringify(document), 'application/json')

describe('rights that a request takes for itself', () => {
  test('what WordPress keeps of a user', () => {
    assert.equal(form('user=a&wp_capabilities[administrator]=1'), 'block')
    assert.equal(form('meta[wp_capabilities][administrator]=1'), 'block')
    assert.equal(json({ meta: { wp_capabilities: { administrator: true } } }), 'block')
    assert.equal(json({ meta: { wp_user_level: 10 } }), 'block')
    assert.equal(form('capabilities[read]=1&wp_user=ann'), 'pass')
  })

  test('the role of whoever registers', () => {
    assert.equal(form('users_can_register=1&default_role=administrator'), 'block')
    assert.equal(form('options[default_role]=administrator'), 'block')
    assert.equal(json({ options: { default_role: 'administrator' } }), 'block')
    assert.equal(form('users_can_register=1&default_role=subscriber'), 'pass')
    assert.equal(form('role=administrator&user=ann'), 'pass')
  })

  test('a setting by its name', () => {
    assert.equal(form('option_name=users_can_register&option_value=1'), 'block')
    assert.equal(json({ option: 'default_role', value: 'administrator' }), 'block')
    assert.equal(form('option_name=blogname&option_value=x'), 'pass')
    assert.equal(form('q=users_can_register'), 'pass')
  })
})
