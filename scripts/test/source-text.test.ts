import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { BANNED_PHRASES } from '../banned-phrases.ts'
import { proseOf } from '../source-text.ts'

const texts = (source: string): readonly string[] =>
  proseOf(source).map(({ kind, text }) => `${kind}: ${text.trim()}`)

describe('prose of a source file', () => {
  test('is its comments and string literals', () => {
    assert.deepEqual(texts("const a = 'one' // two\n/** three */\nconst b = `four`"), [
      "string: 'one'",
      'comment: two',
      'comment: three',
      'string: `four`',
    ])
  })

  test('joins line comments that follow each other, and knows the line of every word', () => {
    const [comment] = proseOf('const a = 1\n// one\n// two\n')
    assert.equal(comment?.text, 'one two ')
    assert.equal(comment?.lines[comment.text.indexOf('two')], 3)
  })

  test('is not misled by slashes in strings, or by quotes in expressions', () => {
    assert.deepEqual(texts("f('http://x') / 2 // a\nconst r = /['\"/*]\\//\n// b"), [
      "string: 'http://x'",
      'comment: a',
      'comment: b',
    ])
  })

  test('finds a string inside a template, and the rest of the template behind it', () => {
    assert.deepEqual(texts("`one ${f({ a: 'two' })} three` // four"), [
      'string: `one ${',
      "string: 'two'",
      'string: } three`',
      'comment: four',
    ])
  })
})

describe('banned phrases', () => {
  const isBanned = (text: string): boolean => BANNED_PHRASES.some(({ pattern }) => pattern.test(text))

  for (const text of [
    '1 second unless told otherwise',
    'the URL is none',
    '"x" is not one',
    'Told of every event',
    'the operator is told',
    'must bear being run again',
    'dropped for lack of room',
    'mend: correct it',
  ])
    test(`hold ${JSON.stringify(text)}`, () => assert.ok(isBanned(text)))

  for (const text of [
    'undefined when there is none',
    'is not one of the registered methods',
    'edited rows cannot be told apart',
    'recommended',
    'waits until there is room',
  ])
    test(`do not hold ${JSON.stringify(text)}`, () => assert.ok(!isBanned(text)))
})
