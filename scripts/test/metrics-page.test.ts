import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { root } from '../workspace.ts'
import { blocksOf, readPage } from './support/page.ts'

/** Names of metrics in the sources of the admin listener. */
function served(): ReadonlySet<string> {
  const text = globSync('packages/server/src/admin/*.ts', { cwd: root })
    .map(file => readFileSync(join(root, file), 'utf8'))
    .join('\n')
  return new Set(
    text.match(/\b(?:postern|process)_[a-z_]*(?:_total|_ok|_seconds|_bytes|_entries|_events)\b/g),
  )
}

test('the page on metrics has a row for every metric of the admin listener, and for no other', () => {
  const rows = [...readPage('docs/metrics.md').matchAll(/^\| `(\w+)` \| (?:counter|gauge|histogram) /gm)]
  assert.deepEqual(rows.map(([, name]) => name ?? '').toSorted(), [...served()].toSorted())
})

test('the alerts are valid YAML and use only metrics that exist', () => {
  const blocks = blocksOf(readPage('docs/metrics.md')).filter(({ language }) => language === 'yaml')
  assert.equal(blocks.length, 2)
  const names = served()
  for (const { text } of blocks) {
    assert.equal(typeof parse(text), 'object')
    for (const name of text.match(/\bpostern_[a-z_]+/g) ?? []) assert.equal(names.has(name), true, name)
  }
})
