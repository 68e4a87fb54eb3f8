import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parse } from 'acorn'
import { hollowAssertions } from '../hollow-assertions.ts'

function problemsOf(source: string): readonly string[] {
  const tree = parse(source, { ecmaVersion: 'latest', sourceType: 'module' })
  return hollowAssertions(tree, source).map(({ start, problem }) => `${start}: ${problem}`)
}

describe('an assertion that cannot fail', () => {
  test('is one that nobody waits for', () => {
    const problem = 'nobody waits for this assertion: await it'
    assert.deepEqual(problemsOf(`assert.rejects(f())`), [`0: ${problem}`])
    assert.deepEqual(problemsOf(`await assert.rejects(f()); const p = assert.doesNotReject(f())`), [])
  })

  test('is one of a constant', () => {
    for (const constant of ['true', "'text'", '`text`', '() => false', '[]', '{}'])
      assert.deepEqual(problemsOf(`assert.ok(${constant}, 'why')`), ['0: this is always true'], constant)
    assert.deepEqual(problemsOf(`assert.ok(a); assert.ok(f(1)); assert.equal(1, a)`), [])
  })

  test('is one of an async function that would have to throw at once', () => {
    const problem = 'an async function never throws, it rejects: assert.rejects'
    assert.deepEqual(problemsOf(`assert.doesNotThrow(async () => f())`), [`0: ${problem}`])
    assert.deepEqual(problemsOf(`assert.throws(() => f())`), [])
  })

  test('is one in a try whose catch drops the failure', () => {
    const problem = 'a failed assertion ends in a catch that drops it'
    assert.deepEqual(problemsOf(`try { assert.equal(a, 1) } catch {}`), [`0: ${problem}`])
    assert.deepEqual(problemsOf(`try { f() } catch {} try { assert.ok(a) } catch (e) { throw e }`), [])
  })
})
