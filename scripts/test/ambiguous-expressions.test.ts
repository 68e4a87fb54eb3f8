import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { test } from 'node:test'
import { type Token, tokenizer } from 'acorn'
import fc from 'fast-check'

/** What an expression of the sources looks for. */
function* expressionsOf(file: string): Iterable<string> {
  const code = stripTypeScriptTypes(readFileSync(file, 'utf8'))
  for (const token of tokenizer(code, { ecmaVersion: 'latest', sourceType: 'module' }))
    if (token.type.label === 'regexp') {
      const { value } = token as Token & { readonly value: { readonly pattern: string } }
      yield value.pattern
    }
}

/** Groups that may be repeated so often that two ways of reading each of them are too many. */
function* repeatedGroups(source: string): Iterable<string> {
  const open: number[] = []
  const masked = source.replace(/\\[\s\S]|\[(?:[^\]\\]|\\[\s\S])*\]/g, text => 'x'.repeat(text.length))
  for (let at = 0; at < source.length; at++) {
    if (masked[at] === '(') open.push(at)
    if (masked[at] !== ')') continue
    const group = source.slice(open.pop(), at + 1)
    const [, sign, most] = /^(?:([*+])|\{\d*(?:,(\d*))?\})/.exec(source.slice(at + 1)) ?? []
    if (sign !== undefined || most === '' || Number(most ?? 0) > 24) yield group
  }
}

/** Whether some texts of a repeated group can be read in so many ways that nobody tries all of them. */
function isAmbiguous(group: string): boolean {
  const plain = group.replace(/^\((?!\?)|\((?:\?<\w{1,40}>)/g, '(?:')
  // Of these no texts are made.
  if (/\(\?<?[=!]|\\[1-9bBpP]|\\u\{/.test(plain)) return false
  const expression = new RegExp(`^${plain}*\\u0001$`)
  const texts = fc.sample(fc.stringMatching(new RegExp(`^${plain}$`)), { numRuns: 60, seed: 1 })
  return texts.some(text => {
    const sent = text.repeat(24)
    // In one way only, it takes some microseconds; in two ways each time, 16 million steps. The quickest of
    // several counts, so that a machine that pauses says nothing.
    for (let tries = 0; tries < 5; tries++) {
      const start = performance.now()
      expression.test(sent)
      if (performance.now() - start < 40) return false
    }
    return true
  })
}

test('no repeated group of an expression can be read in two ways each time', () => {
  const ambiguous = [
    '(?:%0?\\d{0,2}x)',
    '(?:"[^"\\\\]*"|"(?:[^"\\\\;]|\\\\["\\\\])*")',
    '(?:\\s|\\/\\*[\\s\\S]*?\\*\\/)',
  ]
  for (const group of ambiguous) {
    assert.deepEqual([...repeatedGroups(`^a${group}*$`)].at(-1), group)
    assert.equal(isAmbiguous(group), true, group)
  }
  let groups = 0
  const found: string[] = []
  for (const file of globSync('packages/*/src/**/*.ts'))
    for (const source of expressionsOf(file))
      for (const group of repeatedGroups(source)) {
        groups++
        if (isAmbiguous(group)) found.push(`${file}: ${group}`)
      }
  assert.ok(groups > 100, `${groups} groups`)
  assert.deepEqual(found, [])
})
