import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { isJson, visitJson } from '../src/body/json.ts'
import { unescapeJson } from '../src/body/json-string.ts'
import { scanFeatures, seen } from '../src/value/features.ts'
import { finishSteps } from '../src/value/steps.ts'
import type { PartVisitor, ValueVisitor } from '../src/value/value-visitor.ts'

/** What a visitor sees of a JSON text, one entry a string. */
function told(text: string, parts?: PartVisitor): string[] {
  const found: string[] = []
  const visitor: ValueVisitor = {
    isPaused: false,
    ...(parts !== undefined && { parts }),
    value(value, place, locator) {
      found.push(`${place} ${locator.location()} ${value}`)
      return true
    },
    tooBig() {},
    work() {},
  }
  finishSteps(visitJson(text, 'body', 200, visitor))
  return found
}

/** As `told`, where every other string is cleared by its scan; each is compared with a scan of the string. */
function toldInParts(text: string): string[] {
  const found: string[] = []
  let strings = 0
  finishSteps(
    visitJson(text, 'body', 200, {
      isPaused: false,
      parts: {
        clearsPart(part) {
          part.scan()
          const { chars, words } = seen
          const string = part.toString()
          scanFeatures(string, 0, string.length)
          assert.deepEqual([chars, words], [seen.chars, seen.words])
          return strings++ % 2 === 0
        },
        look(value, place, locator) {
          found.push(`${place} ${locator.location()} ${value}`)
          return true
        },
      },
      value(value, place, locator) {
        found.push(`${place} ${locator.location()} ${value}`)
        return true
      },
      tooBig() {},
      work() {},
    }),
  )
  return found
}

const PIECES = [
  '"',
  '\\"',
  '\\\\',
  'a',
  'select',
  ' ',
  ',',
  ':',
  '{',
  '}',
  '[',
  ']',
  '\\n',
  'é',
  '\\u0041',
  '7',
  '..',
]
const MORE = ['x'.repeat(70), 'y'.repeat(9_000), 'z'.repeat(20_000), 'on\u017f', '\\', 'null']

describe('strings of a JSON text', () => {
  const text = fc
    .array(fc.constantFrom(...PIECES, ...MORE), { maxLength: 40 })
    .map(pieces => `{"first":"${pieces.join('')}`)

  test('are the same whether or not they are scanned where they stand', () => {
    fc.assert(
      fc.property(text, sent => {
        const all = told(sent)
        const parts = toldInParts(sent)
        const left = new Set(all)
        for (const part of parts) assert.ok(left.has(part), `${part} of ${sent.slice(0, 200)}`)
      }),
      { numRuns: 300, seed: 11 },
    )
  })

  test('that lie across what is copied at once are read whole', () => {
    const long = 'b'.repeat(16_380)
    for (const behind of ['', 'c', 'cd', 'cde', 'cdef', 'cdefg', '\\"', 'c\\"', 'cd\\\\']) {
      const sent = `{"a":"${long}${behind}","on":"x=1"}`
      assert.deepEqual(told(sent), [
        'name body.a#name a',
        `body body.a ${long}${unescapeJson(behind)}`,
        'name body.on#name on',
        'body body.on x=1',
      ])
      // The first and the third were cleared by their scans, so the first that is seen is the long one.
      const [first] = toldInParts(sent)
      assert.equal(first, told(sent)[1])
    }
  })

  test('have their escapes undone as a parser does', () => {
    const escapes = fc
      .array(fc.constantFrom('\\"', '\\\\', '\\/', '\\b', '\\f', '\\n', '\\r', '\\t', '\\u00e9', 'a', 'é'))
      .map(parts => parts.join(''))
    fc.assert(
      fc.property(escapes, raw => assert.equal(unescapeJson(raw), JSON.parse(`"${raw}"`))),
      { numRuns: 300, seed: 12 },
    )
    assert.equal(unescapeJson('a\\qb'), 'a\\qb')
    assert.equal(unescapeJson('line\n\\"x'), 'line "x')
  })
})

describe('short texts', () => {
  const text = fc
    .array(
      fc.constantFrom(
        ...['"', '\\', '{', '}', '[', ']', ':', ',', '1', '0', '-', '.', 'e', 'E', '+', ' ', '\n', '\t', 'a'],
        ...['true', 'null', 'false', 'u0041', 'ud800', '"a":', '"b"', '\\n', '\\"', '\\/', '\\x', '\\u00e9'],
        ...['\u0001', '\u00a0', '\u2028', '\ufeff', '{"a":1}', '[1]', '"":', '{}', '[]'],
      ),
      { maxLength: 9 },
    )
    .map(parts => parts.join(''))

  test('are JSON where the parser says so', () => {
    let yes = 0
    fc.assert(
      fc.property(text, sent => {
        const expected = isParsed(sent)
        if (expected) yes++
        assert.equal(isJson(sent), expected, sent)
      }),
      { numRuns: 20_000, seed: 7 },
    )
    assert.ok(yes > 200, `${yes} were JSON`)
  })

  test('of the strings among them the parser makes the same', () => {
    fc.assert(
      fc.property(text, sent => {
        const raw = sent.replaceAll('"', '').replace(/[\u0000-\u001f]/g, ' ')
        if (isParsed(`"${raw}"`)) assert.equal(unescapeJson(raw), JSON.parse(`"${raw}"`))
      }),
      { numRuns: 20_000, seed: 8 },
    )
  })
})

function isParsed(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
