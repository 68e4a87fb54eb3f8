import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { root } from '../workspace.ts'
import { blocksOf, readPage } from './support/page.ts'

/** Names of metrics in the sources of the admin listener. */
function served(): ReadonlySet<string> {
  const text = globSync('packages/server/src/{admin/*,telemetry/metrics}.ts', { cwd: root })
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

interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets: readonly { readonly expr: string; readonly refId: string }[]
}

/** Series names of a query, without the suffixes of a histogram. */
function seriesOf(expr: string): readonly string[] {
  return [...expr.matchAll(/\b((?:instance:)?(?:postern|process)_[a-z_]*(?::\w+)?)\b/g)].map(
    ([, name = '']) => name.replace(/_(?:bucket|sum|count)$/, ''),
  )
}

test('the Grafana dashboard asks only for metrics and recorded series that exist', () => {
  const dashboard = JSON.parse(readPage('docs/grafana-dashboard.json')) as {
    readonly schemaVersion: number
    readonly uid: string
    readonly panels: readonly Panel[]
  }
  const rules = parse(readPage('docs/prometheus-rules.yaml')) as {
    readonly groups: readonly {
      readonly rules: readonly { readonly record: string; readonly expr: string }[]
    }[]
  }
  const recorded = rules.groups.flatMap(group => group.rules)
  const names = served()
  for (const { record, expr } of recorded) {
    assert.match(record, /^instance:postern_\w+:\w+$/)
    for (const name of seriesOf(expr)) assert.equal(names.has(name), true, name)
  }
  const known = new Set([...names, ...recorded.map(({ record }) => record)])
  assert.deepEqual([dashboard.uid, dashboard.schemaVersion > 36], ['postern', true])
  assert.equal(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length)
  for (const { title, gridPos, targets } of dashboard.panels) {
    assert.equal(gridPos.x + gridPos.w <= 24 && gridPos.h > 0, true, title)
    assert.equal(targets.length > 0, true, title)
    for (const { expr } of targets) {
      const asked = seriesOf(expr)
      assert.equal(asked.length > 0, true, expr)
      for (const name of asked) assert.equal(known.has(name), true, `${title}: ${name}`)
    }
  }
})

test('the alerts are valid YAML and use only metrics that exist', () => {
  const blocks = blocksOf(readPage('docs/metrics.md')).filter(({ language }) => language === 'yaml')
  assert.ok(blocks.some(({ text }) => text.startsWith('groups:')))
  const names = served()
  for (const { text } of blocks) {
    assert.equal(typeof parse(text), 'object')
    for (const name of text.match(/\bpostern_[a-z_]+/g) ?? []) assert.equal(names.has(name), true, name)
  }
})
