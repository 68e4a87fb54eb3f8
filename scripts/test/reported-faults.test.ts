import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { REPORTED_FAULTS } from '../../test/reported-faults.ts'
import { root } from '../workspace.ts'

const NAME = /\b(?:test|describe)\(\s*(['"`])((?:\\.|(?!\1)[\s\S])*)\1/g
const TEXT = /(['"`])((?:\\.|(?!\1)[^\n])*)\1/g

/** Names of the tests of a file, and texts that tables of cases put into them. */
function textsOf(file: string): readonly string[] {
  const source = readFileSync(join(root, file), 'utf8')
  return [...source.matchAll(NAME), ...source.matchAll(TEXT)].map(([, , text = '']) => text)
}

for (const { fault, file, name } of REPORTED_FAULTS)
  test(`${fault}: ${file} has its test`, () => {
    assert.ok(
      textsOf(file).some(text => text.includes(name)),
      `no test of ${file} has "${name}" in its name`,
    )
  })
