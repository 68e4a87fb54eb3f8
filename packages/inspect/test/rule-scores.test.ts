import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { type InspectedRequest, inspect } from '../src/index.ts'
import { ownRules } from '../src/rules/own-rules.ts'

const TABLE = new URL('rule-scores.json', import.meta.url)

const JSON_TYPE = ['Content-Type', 'application/json']

function posted(name: string, value: string): InspectedRequest {
  const body = new TextEncoder().encode(JSON.stringify({ [name]: value }))
  return { method: 'POST', target: '/', headers: JSON_TYPE, body }
}

function queried(value: string): InspectedRequest {
  return { method: 'GET', target: `/?q=${encodeURIComponent(value)}`, headers: [] }
}

/** What makes a value a document: many lines of which nobody knows anything. */
const LINES = 'A line of a page that somebody wrote, and another one after it.\n'.repeat(30)

/** Where an attack may stand, and the column of the table for it. */
const SETTINGS: readonly ((attack: string) => InspectedRequest)[] = [
  queried,
  attack => queried(`see also ${attack}`),
  attack => posted('q', attack),
  attack => posted('q', `see also ${attack}`),
  attack => posted('comment', `Run this:\n\n\`\`\`\n${attack}\n\`\`\`\n\nand tell me what it says, please.`),
  attack => posted('q', `${LINES}\n${attack}\n${LINES}`),
  attack => ({ method: 'GET', target: '/', headers: ['X-Note', attack] }),
  attack => ({ method: 'GET', target: encodeURI(`/${attack.replace(/^\//, '')}`), headers: [] }),
]

/** What matches of the rule's family score in each setting; 0 where it says nothing. */
function scoresOf(family: string, attack: string): readonly number[] {
  return SETTINGS.map(setting =>
    Math.max(
      0,
      ...inspect(setting(attack), { level: 1 })
        .matches.filter(match => match.family === family)
        .map(({ score }) => score),
    ),
  )
}

/**
 * The table says how sure each rule is of its first attack: in a query, behind words there, in JSON, behind
 * words there, quoted in a comment, in a document, in a header, in a path. A change of a rule that changes a
 * score shows in it: POSTERN_WRITE_SCORES=1 npm test -- rule-scores
 */
test('every rule is as sure of its attack as the table says, by where it stands', () => {
  const scores = Object.fromEntries(
    ownRules.flatMap(({ id, family, attacks: [attack] }) =>
      attack === undefined ? [] : [[id, { attack, scores: scoresOf(family, attack) }]],
    ),
  )
  if (process.env['POSTERN_WRITE_SCORES'] === '1') {
    const lines = Object.entries(scores).map(([id, row]) => `  ${JSON.stringify(id)}: ${JSON.stringify(row)}`)
    writeFileSync(TABLE, `{\n${lines.join(',\n')}\n}\n`)
  }
  const table = JSON.parse(readFileSync(TABLE, 'utf8')) as Readonly<
    Record<string, { readonly attack: string; readonly scores: readonly number[] }>
  >
  let compared = 0
  for (const [id, { attack, scores: expected }] of Object.entries(table)) {
    // A rule that is gone, or has another first attack, is for the tests of that change.
    if (scores[id]?.attack !== attack) continue
    assert.deepEqual(scores[id].scores, expected, `${id}: ${attack}`)
    compared++
  }
  assert.ok(compared > 100, `${compared} rules were compared: write the table again`)
})
