import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ConfigError, PosternError, StoreError } from '@postern/core'
import { postern } from 'postern'
import { root } from '../workspace.ts'
import { readPage } from './support/page.ts'

const page = readPage('docs/errors.md')

test('the page on errors has a section for every code, and for no other', () => {
  const [, union = ''] =
    /export type ErrorCode =([^/]*)/.exec(readPage('packages/core/src/error/errors.ts')) ?? []
  const codes = [...union.matchAll(/'(POSTERN_\w+)'/g)].map(([, code]) => code)
  assert.equal(codes.length > 5, true)
  const documented = [...page.matchAll(/^## `(POSTERN_\w+)`$/gm)].map(([, code]) => code)
  assert.deepEqual(documented.toSorted(), codes.toSorted())
})

test('each section names every class that carries its code', () => {
  for (const section of page.split(/^## /m).slice(1)) {
    const [, code] = /^`(POSTERN_\w+)`/.exec(section) ?? []
    if (code === undefined) continue
    const classes = globSync('packages/*/src/**/*.ts', { cwd: root }).flatMap(file => {
      const text = readFileSync(join(root, file), 'utf8')
      if (!text.includes(`code = '${code}'`)) return []
      const before = text.slice(0, text.indexOf(`code = '${code}'`))
      return [...before.matchAll(/class (\w+)/g)].slice(-1).map(([, name]) => name ?? '')
    })
    assert.equal(classes.length > 0, true, code)
    for (const name of classes) assert.equal(section.includes(`\`${name}\``), true, `${code}: ${name}`)
  }
})

test('a configuration that cannot be used is a ConfigError with a place, a problem and a hint, as the page says', async () => {
  const error = await postern({ config: { mode: 'obsrve' as 'observe' } }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  assert.equal(error instanceof ConfigError && error instanceof PosternError, true)
  assert.equal(error instanceof StoreError, false)
  const [issue] = error instanceof ConfigError ? error.issues : []
  assert.equal(issue?.place.endsWith('mode'), true)
  assert.match(issue?.hint ?? '', /observe/)
})
