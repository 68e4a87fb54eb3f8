import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { root } from '../workspace.ts'

/** Says only what is wrong, and leaves the reader to guess what would be right. */
const ONLY_WRONG =
  /(does not exist|already exists|is missing|is not (an? (?!whole|number)|the (?!number)|JSON|YAML|declared|configured)|there is no|nothing was|is switched off|cannot be|was erased|unknown kind)/

/** The texts of the objects given to `new ConfigError({ ... })`, with the line where each begins. */
function configErrorsIn(source: string): readonly { readonly line: number; readonly text: string }[] {
  return [...source.matchAll(/new ConfigError\(\{/g)].map(({ index }) => {
    let end = source.indexOf('{', index) + 1
    for (let depth = 1; depth > 0; end++) {
      if (source[end] === '{') depth++
      if (source[end] === '}') depth--
    }
    return { line: source.slice(0, index).split('\n').length, text: source.slice(index, end) }
  })
}

test('a configuration error that says only what is wrong has a hint that says what to do', () => {
  const errors = globSync('packages/*/src/**/*.ts', { cwd: root }).flatMap(file =>
    configErrorsIn(readFileSync(join(root, file), 'utf8')).map(error => ({ file, ...error })),
  )
  assert.ok(errors.length > 300)
  const helpless = errors
    .filter(({ text }) => ONLY_WRONG.test(text) && !/\bhint\b/.test(text) && !text.includes('such as'))
    .map(({ file, line, text }) => `${file}:${line} ${text}`)
  assert.deepEqual(helpless, [])
})
