import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ruleIds } from '../src/index.ts'

const SOURCES = fileURLToPath(new URL('../src/', import.meta.url))
const FAMILIES = new Set(ruleIds.map(id => id.split('/', 1)[0]))

test('the list of rule ids has every id that the sources report', () => {
  const reported = globSync('**/*.ts', { cwd: SOURCES }).flatMap(file => {
    const text = readFileSync(`${SOURCES}${file}`, 'utf8')
    return [...text.matchAll(/'(?:inspect\/)?([a-z]+)\/([a-z][a-z0-9-]*)'/g)]
      .filter(([, family = '']) => FAMILIES.has(family))
      .map(([, family, name]) => `${family}/${name}`)
  })
  assert.ok(reported.length > 100)
  assert.deepEqual(
    [...new Set(reported)].filter(id => !ruleIds.includes(id)),
    [],
  )
})
