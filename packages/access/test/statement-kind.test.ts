import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError } from '@postern/core'
import { statementKind } from '../src/mysql/statement-kind.ts'

const spaces = ' '.repeat(20_000)

for (const [text, is] of [
  ['BEGIN', 'begin'],
  ['begin work ;', 'begin'],
  ['START TRANSACTION', 'begin'],
  ['START TRANSACTION READ WRITE, WITH CONSISTENT SNAPSHOT;', 'begin'],
] as const)
  test(`${text} begins a transaction`, () => assert.equal(statementKind(text).is, is))

// An expression that tries many ways of reading these would not end: then the runner ends the file.
for (const text of ['START TRANSACTION', 'BEGIN', 'COMMIT', 'SAVEPOINT a'])
  test(`attack: ${text}, much space and something more is refused`, () =>
    assert.throws(() => statementKind(`${text}${spaces}x`), ConfigError))

test('attack: INTO with many comments and without a file is a read', () =>
  assert.equal(statementKind(`SELECT 1 INTO${'/**/'.repeat(60)}${spaces}x`).is, 'read'))
