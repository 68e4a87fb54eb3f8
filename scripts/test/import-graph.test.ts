import assert from 'node:assert/strict'
import { dirname } from 'node:path'
import { test } from 'node:test'
import { circlesOf, folderGraph } from '../import-graph.ts'

test('a circle is found once, however many of its nodes lead into it', () => {
  const graph = new Map([
    ['door', ['hall']],
    ['hall', ['stairs']],
    ['stairs', ['attic', 'hall']],
    ['attic', []],
  ])
  assert.deepEqual(circlesOf(graph), [['hall', 'stairs', 'hall']])
})

test('files without a circle can stand in folders with one', () => {
  const files = new Map([
    ['a/first.ts', ['b/second.ts']],
    ['b/second.ts', []],
    ['b/third.ts', ['a/fourth.ts', 'b/second.ts']],
    ['a/fourth.ts', []],
  ])
  assert.deepEqual(circlesOf(files), [])
  assert.deepEqual(circlesOf(folderGraph(files, dirname)), [['a', 'b', 'a']])
})

test('a file that is left out ties no folders together', () => {
  const files = new Map([
    ['index.ts', ['a/first.ts']],
    ['a/first.ts', ['index.ts']],
  ])
  const folders = folderGraph(files, file => (file === 'index.ts' ? undefined : dirname(file)))
  assert.deepEqual(circlesOf(folders), [])
})
