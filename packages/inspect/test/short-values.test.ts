import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { inspect } from '../src/inspect.ts'
import { RuleSet } from '../src/matching/rule-set.ts'
import type { Rule } from '../src/rule/rule.ts'
import { ownRules } from '../src/rules/own-rules.ts'
import { type Place, readingOf } from '../src/value/reading.ts'

/** A rule that looks at every text that has the characters and words of its masks. */
function unfiltered(rule: Rule): Rule {
  const { needs: _, signs: __, ...rest } = rule
  return { ...rest, find: reading => rule.find(reading) }
}

const FILTERED = new RuleSet(ownRules)
const ALL = new RuleSet(ownRules.map(unfiltered))

/** Names that rules ask for, beside others. */
const NAMES = ['id', 'host', 'path', 'type', '@type', 'cmd', 'next', 'name', 'text', 'redirect_url', 'q']
const PLACES: readonly Place[] = ['query', 'form', 'body', 'cookie', 'name', 'path', 'header', 'file-name']
const ATTACKS = ownRules.flatMap(rule => rule.attacks).filter(text => text.length <= 80)
const SIGNS = [
  ...'\'"`()<>[]{};|&$%#@!?=+-*/\\.,:^~_ \n\tAz09é\u0000\u212a',
  ' or ',
  '||',
  '--',
  '/*',
  '../',
  ' and ',
]

/** Cut out of attacks, with signs between: what is nearly one, and now and then is. */
const value = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(...SIGNS) },
      { weight: 1, arbitrary: fc.constantFrom(...ATTACKS) },
      {
        weight: 2,
        arbitrary: fc
          .tuple(fc.constantFrom(...ATTACKS), fc.nat(12), fc.nat(20))
          .map(([attack, from, length]) => attack.slice(from, from + length)),
      },
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map(parts => parts.join('').toWellFormed())

/** What rules say of a text. */
function hitsOf(rules: RuleSet, text: string, place: Place, name: string): readonly string[] {
  const hits: string[] = []
  const head = { place, fromStart: true, isPiece: false, isEscaped: false }
  rules.run(
    readingOf(text, { name: place === 'name' ? text.toLowerCase() : name }, head),
    ({ rule, span }) => {
      hits.push(`${rule.id} ${span.id ?? ''} ${span.score ?? ''} ${span.start}-${span.end}`)
    },
  )
  return hits
}

describe('what tells that a short value needs no look', () => {
  test('hides nothing that a rule finds', () => {
    let found = 0
    fc.assert(
      fc.property(value, fc.constantFrom(...PLACES), fc.constantFrom(...NAMES), (text, place, name) => {
        const expected = hitsOf(ALL, text, place, name)
        // Twice: the second time its kinds of characters are known.
        for (let time = 0; time < 2; time++)
          assert.deepEqual(hitsOf(FILTERED, text, place, name), expected, `${place} ${name}=${text}`)
        found += expected.length
      }),
      { numRuns: 6_000, seed: 11 },
    )
    assert.ok(found > 2_000, `${found} hits`)
  })

  test('hides nothing in a body, whatever stands beside it', () => {
    let found = 0
    const pairs = fc.array(fc.tuple(fc.constantFrom(...NAMES), value), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(pairs, sent => {
        for (const { type, body } of [
          {
            type: 'application/json',
            body: JSON.stringify(sent.map(([name, text]) => ({ [name]: text, [text]: 1 }))),
          },
          {
            type: 'application/x-www-form-urlencoded',
            body: sent.map(([name, text]) => `${name}=${encodeURIComponent(text)}`).join('&'),
          },
        ]) {
          const request = {
            method: 'POST',
            target: '/',
            headers: ['content-type', type],
            body: Buffer.from(body),
          }
          const expected = inspect(request, { rules: ALL })
          const matches = inspect(request).matches.map(
            ({ rule, location, score }) => `${rule} ${location} ${score}`,
          )
          assert.deepEqual(
            matches,
            expected.matches.map(({ rule, location, score }) => `${rule} ${location} ${score}`),
            body,
          )
          found += matches.length
        }
      }),
      { numRuns: 600, seed: 12 },
    )
    assert.ok(found > 1_000, `${found} matches`)
  })
})
