import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DEFAULT_BOUNDS } from '../src/bounds.ts'
import { beginInspection, inspect } from '../src/inspect.ts'

function request(text: string): Parameters<typeof inspect>[0] {
  const body = Buffer.from(JSON.stringify({ text }))
  return { method: 'POST', target: '/', headers: ['content-type', 'application/json'], body }
}

describe('inspection in slices', () => {
  test('stops when the slice is used up, goes on where it stopped, and finds what it would have found at once', () => {
    const text = `${"it's a <b>note</b> (of sorts); see & sort | 'x' ".repeat(4_000)}<script>alert(1)</script>`
    let clock = 0
    const now = (): number => (clock += 1)
    const ongoing = beginInspection(request(text), {}, { milliseconds: 4, now })
    let slices = 0
    while (!ongoing.advance(4, now)) slices++
    assert.ok(slices > 3, `${slices} slices`)
    assert.deepEqual(ongoing.finish(), inspect(request(text)))
    assert.equal(ongoing.finish().verdict, 'block')
  })

  test('a request that costs more than one may is told, and costs no more', () => {
    const bounds = { ...DEFAULT_BOUNDS, effort: 500_000 }
    const text = "' or ( < ; | & $ ` ".repeat(20_000)
    const ongoing = beginInspection(request(text), { bounds })
    const { verdict, matches } = ongoing.finish()
    assert.equal(
      matches.some(match => match.rule === 'bounds/effort'),
      true,
    )
    assert.notEqual(verdict, 'pass')
    assert.ok(ongoing.spent < 1_000_000)
  })

  test('the same request costs the same whatever the clock says', () => {
    const text = `it's ${'a; b | c & d '.repeat(3_000)}`
    let clock = 0
    const sliced = beginInspection(request(text), {}, { milliseconds: 1, now: () => (clock += 5) })
    while (!sliced.advance(1, () => (clock += 5)));
    assert.equal(sliced.spent, beginInspection(request(text)).spent)
  })
})
