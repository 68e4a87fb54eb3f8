import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError } from '@postern/core'
import { withMissingPackage } from '../src/command/missing-package.ts'

function notFound(name: string): Error {
  return Object.assign(new Error(`Cannot find package '${name}' imported from /app/vault-init.js`), {
    code: 'ERR_MODULE_NOT_FOUND',
  })
}

test('a command of the vault without the package says how to install it', () => {
  assert.throws(
    () => withMissingPackage(notFound('@postern/vault')),
    (error: unknown) => error instanceof ConfigError && error.message.includes('npm install @postern/vault'),
  )
})

test('a package that no command leaves out keeps the error of Node', () => {
  const error = notFound('left-pad')
  assert.throws(() => withMissingPackage(error), error)
})
