// Values that a client chooses so that a table of numbers takes them for one.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Event } from '@postern/core'
import { FoundTargets } from '../src/found-targets.ts'
import { scenarioDetector } from '../src/scenario-detector.ts'
import { ScenarioSet } from '../src/scenario-set.ts'

const PRIME = 0x01000193
/** Its inverse modulo 2^32: each step of the hash can be undone. */
const INVERSE = 0x359c449b
const LETTERS = Array.from('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_')
const code = (letter: string): number => letter.charCodeAt(0)
const step = (hash: number, letter: string): number => Math.imul(hash ^ code(letter), PRIME)
const undone = (hash: number, letter: string): number => Math.imul(hash, INVERSE) ^ code(letter)

/** What a hash with a seed that everybody knows makes of a text. */
function known(text: string): number {
  return [...text].reduce(step, Math.imul(0x165667b1 ^ text.length, PRIME))
}

const triples = LETTERS.flatMap(a => LETTERS.flatMap(b => LETTERS.map(c => a + b + c)))

test('a step of the hash is undone', () => {
  assert.equal(undone(step(12_345, 'x'), 'x'), 12_345)
})

test('attack: pages are chosen so that all count as the first', () => {
  const first = '/00/aaaaaa'
  // Where three more letters lead to the number of the first.
  const before = new Map(
    triples.map(triple => [[...triple].reverse().reduce(undone, known(first)), triple] as const),
  )
  const pages = Array.from({ length: 30 }, (_, i) => {
    const start = `/${String(i + 10)}/`
    const begun = [...start].reduce(step, Math.imul(0x165667b1 ^ first.length, PRIME))
    const half = triples.find(triple => before.has([...triple].reduce(step, begun)))
    if (half === undefined) return undefined
    return start + half + (before.get([...half].reduce(step, begun)) ?? '')
  }).filter(page => page !== undefined)
  assert.ok(pages.length >= 20)
  for (const page of pages) assert.equal(known(page), known(first))
  const scenarios = ScenarioSet.parse([
    {
      place: 't.yml',
      text: 'title: T\nname: t\ncorrelation: { type: value_count, rules: [a], group-by: [c-ip], timespan: 5m, condition: { field: request.path, gte: 15 } }\nrespond: { action: block, for: 10m }\n---\ntitle: A\nname: a\nlogsource: { category: webserver }\ndetection: { s: { sc-status: 404 }, condition: s }\n',
    },
  ])
  const detector = scenarioDetector({ scenarios })
  const found = [first, ...pages].flatMap((path, n): readonly string[] => {
    const event: Event = {
      type: 'http',
      time: 1_700_000_000_000 + n * 1_000,
      actor: { address: '192.0.2.7' },
      request: { id: `r${n}`, method: 'GET', host: 'h', path, query: '' },
      outcome: { status: 404, duration: 1, bytes: 0, aborted: false },
    }
    return (detector.observe(event) ?? []).map(({ scenario }) => scenario)
  })
  assert.deepEqual(found, ['t'])
})

test('attack: pages are chosen that count as one whatever the seed is, and a known page excuses them all', () => {
  const missing = Array.from({ length: 64 }, (_, n) =>
    Array.from({ length: 6 }, (_, bit) => ((n >> bit) & 1 ? 'Aa' : 'BB')).join(''),
  )
  const found = new FoundTargets()
  const said = [['/', 200] as const, ...missing.map(name => [`/${name}`, 404] as const)].map(
    ([path, status], n) =>
      found.of({
        type: 'http',
        time: 1_700_000_000_000 + n,
        actor: { address: '192.0.2.7' },
        request: { id: `r${n}`, method: 'GET', host: 'h', path, query: '' },
        outcome: { status, duration: 1, bytes: 0, aborted: false },
      }),
  )
  assert.equal(said.at(-1), 'little')
})
