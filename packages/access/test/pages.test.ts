import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runExamples } from './support/page-examples.ts'

const PAGES: readonly (readonly [string, number])[] = [
  ['packages/access/README.md', 1],
  ['docs/policies.md', 6],
  ['docs/approvals.md', 3],
  ['docs/guards.md', 3],
  ['docs/agents.md', 4],
  ['docs/migrate-policies.md', 3],
]

for (const [page, count] of PAGES)
  test(`the examples of ${page} print what the page says`, { timeout: 600_000 }, async () => {
    const ran = await runExamples(page)
    assert.equal(ran.length, count)
    for (const { name, expected, printed } of ran) assert.equal(printed, expected, name)
  })
