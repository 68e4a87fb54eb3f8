import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { decodeEscapes } from '../src/canonicalise/escapes.ts'
import { inspect } from '../src/inspect.ts'

/** A word in the octal digits in which PHP, Python and shells take its letters. */
function octal(word: string): string {
  return Array.from(word, letter => `\\${letter.charCodeAt(0).toString(8).padStart(3, '0')}`).join('')
}

const ofQuery = (value: string): string =>
  inspect({ method: 'GET', target: `/s?q=${encodeURIComponent(value)}`, headers: [] }).verdict

describe('characters in three octal digits', () => {
  test('are read as the letters that they stand for', () => {
    assert.equal(decodeEscapes(octal('system(id)')), 'system(id)')
    // No character of ASCII that is printed, or not three digits.
    for (const text of ['\\033[31m', '\\18x', '\\1', '\\277', 'C:\\2026\\x'])
      assert.equal(decodeEscapes(text), text)
  })

  test('hide no name of a function', () => {
    const name = octal('system')
    for (const value of [
      `("${name}")("id")`,
      `{math equation='("${name}")("${octal('id')}")'}`,
      `{math equation="(\\"${name}\\")(\\"${octal('id')}\\")"}`,
      octal("1' union select 1,2-- "),
      octal('<script>alert(1)</script>'),
    ])
      assert.equal(ofQuery(value), 'block', value)
    for (const value of [`"${octal('hello')}"`, 'C:\\101\\202', '\\033[1mbold\\033[0m'])
      assert.equal(ofQuery(value), 'pass', value)
  })
})
