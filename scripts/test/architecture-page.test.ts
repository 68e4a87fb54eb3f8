import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readPage } from './support/page.ts'

/** The floors as the check enforces them. */
function enforced(): readonly string[] {
  const [, floors = ''] =
    /const FLOORS[^=]*= \[\n([\s\S]*?)^\]/m.exec(readPage('scripts/check-floors.ts')) ?? []
  return [...floors.matchAll(/^ {2}\[([^\]]*)\]/gm)].flatMap(([, floor = ''], number) =>
    [...floor.matchAll(/'([^']+)'/g)].map(([, name = '']) => `${number} ${name}`),
  )
}

for (const page of ['docs/architecture.md', 'CONTRIBUTING.md'])
  test(`the floors of ${page} are those that the check enforces`, () => {
    const documented = [...readPage(page).matchAll(/^\| (\d) \| (.*?) \|/gm)].flatMap(
      ([, floor, cell = '']) =>
        [...cell.matchAll(/`((?:@postern\/)?[a-z-]+)`/g)].map(([, name]) => `${floor} ${name}`),
    )
    const floors = enforced()
    assert.equal(floors.length > 15, true)
    assert.deepEqual(documented.toSorted(), floors.toSorted())
  })
