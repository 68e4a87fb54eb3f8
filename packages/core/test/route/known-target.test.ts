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

  it('keeps apart what differs in any one place, however near it came before', () => {
    const target = '/known/every/place?of=this&target=1'
    for (let at = 1; at < target.length; at++) {
      const other = `${target.slice(0, at)}~${target.slice(at + 1)}`
      for (let turn = 0; turn < 3; turn++) {
        assert.equal(knownTarget(other).target, other)
        assert.equal(knownTarget(target).target, target)
      }
      assert.equal(knownTarget(other), knownTarget(other))
      assert.equal(knownTarget(target), knownTarget(target))
    }
  })

  it('says whether a path can be read in one way only', () => {
    for (const plain of ['/', '/known/plain', '/known/plain?a=%2f..', '/known/a.b', '/known/a+b'])
      assert.equal(knownTarget(plain).hasPlainPath, true, plain)
    for (const odd of [
      '/known/%2e%2e/a',
      '/known/../a',
      '/known//a',
      '/known/a;b',
      '/known/%zz',
      '/known/%e4',
    ])
      assert.equal(knownTarget(odd).hasPlainPath, false, odd)
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
