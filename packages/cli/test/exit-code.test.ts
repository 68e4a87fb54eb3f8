import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BudgetExceeded, ConfigError, CredentialError, IntegrityError, StoreError } from '@postern/core'
import { EXIT, exitCodeOf } from '../src/command/exit-code.ts'

const detail = { budget: 'orders.delete', allowed: 1, asked: 2, retryAt: 0 }

test('every error of Postern and of the operating system has an exit code of its kind, and no other is a bug', () => {
  const system = (code: string): Error => Object.assign(new Error(code), { code })
  for (const [error, code] of [
    [new ConfigError({ place: 'a', problem: 'is wrong' }), EXIT.usage],
    [new CredentialError('the passphrase does not unlock it'), EXIT.usage],
    [system('ENOENT'), EXIT.usage],
    [system('EISDIR'), EXIT.usage],
    [new BudgetExceeded(detail), EXIT.no],
    [new StoreError('does not answer', { store: 'x', retryable: true }), EXIT.unavailable],
    [system('EACCES'), EXIT.unavailable],
    [system('EADDRINUSE'), EXIT.unavailable],
    [system('ENOSPC'), EXIT.unavailable],
    [new IntegrityError('was changed'), EXIT.integrity],
    [system('EMFILE'), EXIT.bug],
    [new TypeError('x is not a function'), EXIT.bug],
    ['a text', EXIT.bug],
    [undefined, EXIT.bug],
  ] as const)
    assert.equal(exitCodeOf(error), code, String(error))
})
