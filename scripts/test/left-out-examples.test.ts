import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withoutExamples } from '../left-out-examples.ts'

test('examples of rules are left out of what is published, and nothing else', () => {
  assert.equal(
    withoutExamples(
      `const A = ['a']
const rules = [pattern('x/y', /\\]/, { score: 5, attacks: ['a]', "b"], benign: [...['c'].map(x => x)] }), { attacks: A, benign: [], find: () => ['d'] }]`,
    ),
    `const A = ['a']
const rules = [pattern('x/y', /\\]/, { score: 5, attacks: [], benign: [] }), { attacks: A, benign: [], find: () => ['d'] }]`,
  )
})
