import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lineDiff } from '../src/api/line-diff.ts'

const drawn = (before: string, after: string): string =>
  lineDiff(before, after)
    .map(({ kind, text }) => `${{ same: ' ', added: '+', removed: '-' }[kind]}${text}`)
    .join('|')

for (const [title, before, after, expected] of [
  ['nothing changes', 'a\nb\n', 'a\nb\n', ''],
  ['a new file', '', 'a\nb\n', '+a|+b'],
  ['a line is added between others', 'a\nb\nc\n', 'a\nx\nb\nc\n', ' a|+x| b| c'],
  ['two places change', 'a\nb\nc\nd\n', 'a\nB\nc\nD\n', ' a|-b|+B| c|-d|+D'],
  ['what is far away is left out', '1\n2\n3\n4\n5\n', '1\n2\n3\n4\n5\n6\n', ' 3| 4| 5|+6'],
  ['everything goes', 'a\n', '', '-a'],
] as const)
  test(`a diff of lines: ${title}`, () => {
    assert.equal(drawn(before, after), expected)
  })
