import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { shellWord } from '../../src/text/shell-word.ts'

/** What a shell passes to a program that a printed command starts. */
function readBy(shell: string, words: readonly string[]): readonly string[] {
  const script = `printf '%s\\0' ${words.map(shellWord).join(' ')}`
  return execFileSync(shell, ['-c', script], { encoding: 'utf8', env: { LC_ALL: 'C.UTF-8' } })
    .split('\0')
    .slice(0, -1)
}

const HOSTILE = [
  "o'brien; rm -rf ~",
  '$(touch /tmp/x)',
  '`id`',
  '"; echo x #',
  '!!',
  '~root',
  '*',
  '{a,b}',
  'a b',
  'a\\b',
  '',
  '&& x',
  '>out',
  '%1',
  'ключ',
]

describe('a word of a printed command', () => {
  test('is what it was in a shell, and nothing runs', () => {
    assert.deepEqual(readBy('sh', HOSTILE), HOSTILE)
  })

  test('is what it was, for any text', () => {
    const texts = fc.array(
      fc.string({ unit: 'binary' }).map(text => text.replaceAll('\0', '')),
      {
        minLength: 1,
        maxLength: 50,
      },
    )
    fc.assert(
      fc.property(texts, words => assert.deepEqual(readBy('bash', words), words)),
      { numRuns: 20 },
    )
  })

  test('shows what a terminal would obey, or would not show', () => {
    for (const [text, word] of [
      ['a\nrm -rf ~', "$'a\\x0arm -rf ~'"],
      ['\u001b]0;x\u0007', "$'\\x1b]0;x\\x07'"],
      ['admin\u202egnp', "$'admin\\u202egnp'"],
      ['a\u200bb', "$'a\\u200bb'"],
      ["a'\\\r", "$'a\\'\\\\\\x0d'"],
    ] as const)
      assert.equal(shellWord(text), word)
  })

  test('that needs no quotes has none', () => {
    for (const text of ['192.0.2.7', 'user:ann@shop.example', '2001:db8::/32', '-x'])
      assert.equal(shellWord(text), text)
  })
})
