import assert from 'node:assert/strict'
import { test } from 'node:test'
import { statementKind } from '../src/mysql/statement-kind.ts'

const spaces = ' '.repeat(20_000)

for (const [text, is] of [
  ['BEGIN', 'begin'],
  ['begin work ;', 'begin'],
  ['START TRANSACTION', 'begin'],
  ['START TRANSACTION READ WRITE, WITH CONSISTENT SNAPSHOT;', 'begin'],
] as const)
  test(`${text} begins a transaction`, () => assert.equal(statementKind(text).is, is))

for (const text of [
  'START TRANSACTION',
  'BEGIN',
  'COMMIT',
  'SAVEPOINT a',
  `SELECT 1 INTO${'/**/'.repeat(60)}`,
])
  test(`attack: ${text.slice(0, 24)} and what takes long to look through ends soon`, () => {
    const start = performance.now()
    try {
      statementKind(`${text}${spaces}x`)
    } catch {
      // That it is refused is as good.
    }
    assert.ok(performance.now() - start < 5_000)
  })
