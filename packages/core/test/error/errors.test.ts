import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import {
  BudgetExceeded,
  ConfigError,
  CredentialError,
  type ErrorCode,
  IntegrityError,
  PosternError,
  StoreError,
} from '../../src/index.ts'

describe('an error of Postern', () => {
  const errors: readonly PosternError[] = [
    new ConfigError({
      place: 'postern.config.ts: mode',
      problem: '"off" is not a mode',
      hint: 'observe or enforce',
    }),
    new StoreError('did not answer within 50ms', { store: 'redis 127.0.0.1:6379', retryable: true }),
    new CredentialError('not accepted'),
    new BudgetExceeded({ budget: 'orders.delete', allowed: 3, asked: 40, retryAt: Date.UTC(2026, 0, 1) }),
    new IntegrityError('entry 7 is not what was written'),
  ]

  test('has a code that keeps its meaning: this list only grows', () => {
    assert.deepEqual(
      errors.map(error => [error.name, error.code]),
      [
        ['ConfigError', 'POSTERN_CONFIG'],
        ['StoreError', 'POSTERN_STORE'],
        ['CredentialError', 'POSTERN_CREDENTIAL'],
        ['BudgetExceeded', 'POSTERN_BUDGET_EXCEEDED'],
        ['IntegrityError', 'POSTERN_INTEGRITY'],
      ],
    )
  })

  test('has one of these codes, also where a package has an error of its own', () => {
    const codes: Readonly<Record<ErrorCode, string>> = {
      POSTERN_CONFIG: 'core',
      POSTERN_STORE: 'core',
      POSTERN_CREDENTIAL: 'core',
      POSTERN_BUDGET_EXCEEDED: 'core',
      POSTERN_INTEGRITY: 'core',
      POSTERN_REFUSED: 'access: what was asked for is not allowed, or not yet',
      POSTERN_SINK_REFUSED: 'detect: a value of the request acted inside a call',
    }
    assert.equal(Object.keys(codes).length, 7)
    for (const { code } of errors) assert.equal(codes[code], 'core')
  })

  test('says what, where and how to fix it', () => {
    assert.deepEqual(
      errors.map(error => error.message),
      [
        'postern.config.ts: mode: "off" is not a mode (observe or enforce)',
        'redis 127.0.0.1:6379: did not answer within 50ms',
        'not accepted',
        'budget "orders.delete" has 3 left and 40 were asked for; retry at 2026-01-01T00:00:00.000Z',
        'entry 7 is not what was written',
      ],
    )
  })

  test('is an Error, and keeps its cause', () => {
    const cause = new Error('ECONNREFUSED')
    const error = new StoreError('cannot be reached', { store: 'postgres', retryable: true, cause })
    assert.ok(error instanceof PosternError && error instanceof Error)
    assert.equal(error.cause, cause)
  })

  test('of configuration carries every mistake, not only the first', () => {
    const issues = [
      { place: 'a', problem: 'is wrong' },
      { place: 'b', problem: 'is wrong too', hint: 'fix it' },
    ]
    const error = new ConfigError(issues)
    assert.doesNotMatch(inspect(error), /problem:/, 'an uncaught one prints each mistake once')
    assert.deepEqual(error.issues, issues)
    assert.equal(error.message, 'a: is wrong\nb: is wrong too (fix it)')
  })
})
