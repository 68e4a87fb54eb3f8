import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { belowFloor, coverageByPackage } from '../coverage-table.ts'

const REPORT = `TN:
SF:packages/core/src/cidr.ts
LF:8
LH:6
BRF:4
BRH:4
end_of_record
SF:/home/someone/postern/packages/core/src/engine.ts
LF:2
LH:2
BRF:4
BRH:1
end_of_record
SF:scripts/test.ts
LF:100
LH:0
end_of_record
SF:packages/access-log/src/index.ts
LF:0
LH:0
end_of_record
`

describe('coverage by package', () => {
  test('adds up the files of a package and leaves out what is in none', () => {
    assert.deepEqual(Object.fromEntries(coverageByPackage(REPORT)), {
      core: { lines: 80, branches: 62.5 },
      'access-log': { lines: 100, branches: 100 },
    })
  })

  test('names each floor that is not reached, also of a package that no test loads', () => {
    const reached = coverageByPackage(REPORT)
    assert.deepEqual(belowFloor(reached, { core: { lines: 80, branches: 62 } }), [])
    assert.deepEqual(
      belowFloor(reached, { core: { lines: 81, branches: 62 }, store: { lines: 0, branches: 1 } }),
      [
        'core: 80 % of its lines are tested; the floor is 81 %',
        'store: 0 % of its branches are tested; the floor is 1 %',
      ],
    )
  })
})
