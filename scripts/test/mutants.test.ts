import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { mutantsOf } from '../mutants.ts'
import { mutated } from '../mutated-source.ts'

function changes(source: string): readonly string[] {
  return mutantsOf(source).map(mutant => mutated(source, mutant).replace(/\s+/g, ' ').trim())
}

describe('the mutants of a file', () => {
  test('change comparisons, logic and literals, and leave types alone', () => {
    assert.deepEqual(changes('const f = (n: number): boolean => n < 3 && ready'), [
      'const f = (n ) => n <= 3 && ready',
      'const f = (n ) => n >= 3 && ready',
      'const f = (n ) => n < (3 + 1) && ready',
      'const f = (n ) => n < 3 || ready',
    ])
  })

  test('make conditions always and never hold, and take statements away', () => {
    const all = changes('if (a) b()')
    assert.ok(all.includes('if (true) b()'))
    assert.ok(all.includes('if (false) b()'))
    assert.ok(all.includes('if (a)'))
  })

  test('return nothing where something was returned', () => {
    assert.ok(changes('function f() { return g() }').includes('function f() { return }'))
    assert.deepEqual(changes('function f() { return undefined }'), [])
  })

  test('subtract no text, and begin no loop without an end', () => {
    assert.deepEqual(changes("const t = 'a' + b"), [])
    assert.ok(!changes('while (a) b()').includes('while (true) b()'))
  })
})
