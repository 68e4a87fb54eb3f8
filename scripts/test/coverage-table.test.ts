import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { belowFloor, coverageByPackage, type FileCoverage, lineRanges } from '../coverage-table.ts'

function file(name: string, counts: readonly [number, number, number, number]): FileCoverage {
  const [lines, linesHit, branches, branchesHit] = counts
  return { file: name, lines, linesHit, branches, branchesHit, missed: [], missedBranches: [] }
}

const FILES = [
  file('packages/core/src/address/cidr.ts', [8, 6, 4, 4]),
  file('packages\\core\\src\\engine.ts', [2, 2, 4, 1]),
  file('scripts/test.ts', [100, 0, 10, 0]),
  file('packages/access-log/src/index.ts', [0, 0, 0, 0]),
]

describe('coverage by package', () => {
  test('adds up the files of a package and leaves out what is in none', () => {
    assert.deepEqual(Object.fromEntries(coverageByPackage(FILES)), {
      core: { lines: 80, branches: 62.5 },
      'access-log': { lines: 100, branches: 100 },
    })
  })

  test('is never rounded up to its floor', () => {
    const [core] = coverageByPackage([file('packages/core/src/a.ts', [1_000, 899, 1_000, 999])]).values()
    assert.deepEqual(core, { lines: 89.9, branches: 99.9 })
  })

  test('names each floor that is not reached, also of a package that no test loads', () => {
    const reached = coverageByPackage(FILES)
    const floors = { core: { lines: 80, branches: 62 }, 'access-log': { lines: 90, branches: 85 } }
    assert.deepEqual(belowFloor(reached, floors), [])
    assert.deepEqual(
      belowFloor(reached, { ...floors, core: { lines: 81, branches: 62 }, store: { lines: 0, branches: 1 } }),
      [
        'core: 80 % of its lines are tested; the floor is 81 %',
        'store: 0 % of its branches are tested; the floor is 1 %',
      ],
    )
  })

  test('names a package without a floor', () => {
    assert.deepEqual(belowFloor(coverageByPackage(FILES), { core: { lines: 80, branches: 62 } }), [
      'access-log has no floor in scripts/coverage-floors.json',
    ])
  })

  test('writes lines that follow each other as a range', () => {
    assert.equal(lineRanges([9, 3, 4, 5, 4, 11]), '3-5, 9, 11')
    assert.equal(lineRanges([]), '')
  })
})
