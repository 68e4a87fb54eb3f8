import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { runInNewContext } from 'node:vm'
import { errorCode } from '../../src/error/error-code.ts'

test('an error of another realm, as under Jest, has its code', () => {
  const foreign: unknown = runInNewContext(`Object.assign(new Error('exists'), { code: 'EEXIST' })`)
  assert.equal(foreign instanceof Error, false)
  assert.equal(errorCode(foreign), 'EEXIST')
})

test('a value without a code, or with one of another type, has none', () => {
  for (const value of [undefined, null, 'EEXIST', 7, new Error('plain'), { code: 7 }, {}])
    assert.equal(errorCode(value), undefined)
})

test('no package asks for the class of an error before its code', () => {
  const packages = fileURLToPath(new URL('../../..', import.meta.url))
  const files = globSync('*/src/**/*.ts', { cwd: packages })
  assert.ok(files.length > 500)
  const asks = /instanceof Error && 'code' in/
  assert.deepEqual(
    files.filter(file => asks.test(readFileSync(`${packages}/${file}`, 'utf8'))),
    [],
  )
})
