import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import type { Rule } from '../src/rule/rule.ts'
import { ownRules } from '../src/rules/own-rules.ts'
import { CHAR, scanFeatures, seen } from '../src/value/features.ts'
import { WORD } from '../src/value/words.ts'
import { MORE, NAMED_CASES, ORDINARY } from './rule-cases.ts'
import { type Look, lookOf, wakes } from './rule-looks.ts'

const TABLE = new URL('rule-looks.json', import.meta.url)

type Case = readonly [text: string, name: string]

/** The texts of a rule that the table holds, each with its name. */
function casesOf({ id, attacks }: Rule): readonly Case[] {
  const unnamed = [...attacks, ...(MORE[id] ?? [])].map((text): Case => [text, 'q'])
  const named = NAMED_CASES.filter(([rule]) => rule === id)
  return [...unnamed, ...named.map(([, name, text]): Case => [text, name])]
}

/** The bits of a mask, by name. */
function namesOf(bits: Readonly<Record<string, number>>, mask: number): readonly string[] {
  return Object.keys(bits).filter(name => (mask & (bits[name] as number)) !== 0)
}

/** Which characters or words of a rule's mask a text has. */
function opened(mask: number, kind: 'chars' | 'words', text: string): number {
  scanFeatures(text, 0, text.length)
  return seen[kind] & mask
}

describe('the characters and words that let a rule look', () => {
  for (const kind of ['chars', 'words'] as const)
    test(`are ${kind} that one of its attacks needs`, () => {
      const bits = kind === 'chars' ? CHAR : WORD
      let compared = 0
      for (const rule of ownRules) {
        const mask = rule[kind]
        const alone = casesOf(rule)
          .filter(([text, name]) => lookOf(rule, text, name).span !== undefined)
          .map(([text]) => namesOf(bits, opened(mask, kind, text)))
          .filter(names => names.length === 1)
          .flat()
        const names = namesOf(bits, mask)
        // A mask of one bit is needed by every attack.
        if (names.length === 1) continue
        assert.deepEqual(
          names.filter(name => !alone.includes(name)),
          [],
          `${rule.id}: no attack has only this of its mask; take it out, or add the attack to rule-cases.ts`,
        )
        compared += names.length
      }
      assert.ok(compared > 20)
    })
})

test('rules about names hit in these places and in no others, and nothing that is nearly the same', () => {
  for (const [id, name, text, places] of NAMED_CASES) {
    const rule = ownRules.find(other => other.id === id)
    assert.ok(rule, id)
    assert.equal(lookOf(rule, text, name).start, places, `${id}: ${name}=${text}`)
  }
})

test('patterns that look for a second part reach as far as they say, and no further', () => {
  const reaches: readonly (readonly [id: string, text: (between: number) => string, most: number])[] = [
    ['java/jdbc', between => `jdbc:h2:${'x'.repeat(between)}runscript`, 316],
    ['java/jdbc', between => `jdbc:mysql:${'x'.repeat(between)}autodeserialize`, 316],
    ['template/object', between => `{{${' '.repeat(between)}__class__`, 160],
    ['rce/into-shell', between => `curl ${'x'.repeat(between)}|sh -s`, 115],
  ]
  for (const [id, text, most] of reaches) {
    const rule = ownRules.find(other => other.id === id)
    assert.ok(rule, id)
    assert.notEqual(lookOf(rule, text(most)).start, '', `${id}: ${most}`)
    assert.equal(lookOf(rule, text(most + 1)).start, '', `${id}: ${most + 1}`)
  }
})

test('every attack that only one alternative of a rule finds is found', () => {
  for (const [id, attacks] of Object.entries(MORE)) {
    const rule = ownRules.find(other => other.id === id)
    assert.ok(rule, id)
    for (const attack of attacks) assert.notEqual(lookOf(rule, attack).start, '', `${id}: ${attack}`)
  }
})

/** What the table holds of a rule. */
interface Row {
  /** How many of the ordinary values let it look. */
  readonly woken: number
  /** By text, and by name and text: where it hits, and how sure it is by where that stands. */
  readonly looks: Readonly<Record<string, string>>
}

function rowOf(rule: Rule): Row {
  const looks = casesOf(rule).map(([text, name]) => [
    name === 'q' ? text : `${name}=${text}`,
    written(lookOf(rule, text, name)),
  ])
  return { woken: ORDINARY.filter(text => wakes(rule, text)).length, looks: Object.fromEntries(looks) }
}

function written({ start, later, span, isCertain, weighed }: Look): string {
  return span === undefined
    ? ''
    : `${start}/${later} ${span} ${weighed.join(',')}${isCertain ? ' certain' : ''}`
}

/**
 * The table says what each rule, alone, says of each of its attacks: the places where it hits the start of a
 * value and a later part, from where to where, and its score as a plain value, in data, where people write,
 * in a document, in text, in markup and in a secret, and whether people quote it. It also says how many
 * ordinary values wake the rule.
 * After a change that is meant: POSTERN_WRITE_SCORES=1 npm test -- rule-looks
 */
test('every rule says of its attacks what the table says', () => {
  const rows = Object.fromEntries(ownRules.map(rule => [rule.id, rowOf(rule)]))
  if (process.env['POSTERN_WRITE_SCORES'] === '1') {
    const lines = Object.entries(rows).map(([id, row]) => `  ${JSON.stringify(id)}: ${JSON.stringify(row)}`)
    writeFileSync(TABLE, `{\n${lines.join(',\n')}\n}\n`)
  }
  const table = JSON.parse(readFileSync(TABLE, 'utf8')) as Readonly<Record<string, Row>>
  let compared = 0
  for (const [id, { woken, looks }] of Object.entries(table)) {
    const now = rows[id]
    // A rule or an attack that is gone is for the tests of that change.
    if (now === undefined) continue
    assert.equal(now.woken, woken, `${id}: ordinary values that wake it`)
    for (const [text, look] of Object.entries(looks)) {
      if (now.looks[text] === undefined) continue
      assert.equal(now.looks[text], look, `${id}: ${text}`)
      compared++
    }
  }
  assert.ok(compared > 900, `${compared} attacks were compared: write the table again`)
})
