import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { knownTarget } from '../../src/route/known-target.ts'

describe('known targets', () => {
  it('keeps a target from the second time on', () => {
    const first = knownTarget('/known/second?a=1')
    const second = knownTarget('/known/second?a=1')
    assert.notEqual(first, second)
    assert.equal(knownTarget('/known/second?a=1'), second)
    assert.deepEqual(first.path, second.path)
  })

  it('keeps apart what differs in one character', () => {
    for (let turn = 0; turn < 3; turn++) {
      assert.equal(knownTarget('/known/item?id=1').path.query, 'id=1')
      assert.equal(knownTarget('/known/item?id=2').path.query, 'id=2')
      assert.equal(knownTarget('').path.raw, '')
    }
  })

  it('keeps nothing of long targets', () => {
    const long = `/known/${'x'.repeat(300)}`
    knownTarget(long)
    assert.notEqual(knownTarget(long), knownTarget(long))
  })

  it('stays bounded: a flood of targets pushes out what was kept', () => {
    const target = '/known/flooded'
    knownTarget(target)
    const kept = knownTarget(target)
    for (let i = 0; i < 5_000; i++) {
      knownTarget(`/known/flood/${i}`)
      knownTarget(`/known/flood/${i}`)
    }
    assert.notEqual(knownTarget(target), kept)
  })

  it('cuts an absolute target down to its path', () => {
    const { path, mayNameMethod } = knownTarget('http://shop.example?_method=DELETE')
    assert.equal(path.raw, '/')
    assert.equal(path.query, '_method=DELETE')
    assert.equal(mayNameMethod, true)
  })
})
