import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LineList } from '../page/src/lib/line-list.ts'
import type { EventRow } from '../page/src/lib/types.ts'

function row(id: number): EventRow {
  return { id, time: id, type: 'http', verdict: 'allow', weight: 1 }
}

function idsOf(list: LineList): readonly (number | undefined)[] {
  return Array.from({ length: list.length }, (_, i) => list.at(i)?.id)
}

test('a list that grows at both ends is the newest rows of everything that was added, newest first', () => {
  const steps = fc.array(fc.record({ isNewer: fc.boolean(), many: fc.integer({ min: 0, max: 12 }) }))
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 20 }), (all, limit) => {
      const list = new LineList(limit)
      let model: readonly number[] = []
      let next = 1_000
      let last = 999
      for (const { isNewer, many } of all) {
        const ids = Array.from({ length: many }, () => (isNewer ? next++ : last--))
        if (isNewer) {
          list.addNewer(ids.map(row))
          model = [...ids.toReversed(), ...model].slice(0, limit)
        } else {
          list.addOlder(ids.map(row))
          model = [...model, ...ids].slice(0, limit)
        }
        assert.deepEqual(idsOf(list), model)
      }
    }),
    { numRuns: 100 },
  )
})

test('outside of the list there is no row, and the last numbered one is where the next page begins', () => {
  const list = new LineList(10)
  assert.equal(list.at(0), undefined)
  assert.equal(list.oldestId, undefined)
  const { id: _, ...unnumbered } = row(9)
  list.addNewer([unnumbered])
  assert.equal(list.oldestId, undefined)
  list.replace([unnumbered, row(5), row(4)])
  assert.equal(list.oldestId, 4)
  assert.equal(list.at(-1), undefined)
  assert.equal(list.at(3), undefined)
  assert.deepEqual(
    list.filter(({ id }) => id !== undefined).map(({ id }) => id),
    [5, 4],
  )
})
