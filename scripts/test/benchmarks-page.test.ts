import assert from 'node:assert/strict'
import { existsSync, globSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { root } from '../workspace.ts'
import { readPage } from './support/page.ts'

const PAGE = readPage('docs/benchmarks.md')
const MEASURED = /\b\d{1,2} Nov 2026,\s`[0-9a-f]{8}`/

/** The lines of one table, and what stands between the one before it and this. */
interface Table {
  readonly heading: string
  readonly above: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

const cells = (line: string): string[] =>
  line
    .split('|')
    .slice(1, -1)
    .map(cell => cell.trim())

function tablesOf(page: string): readonly Table[] {
  let heading = ''
  let above: string[] = []
  let lines: string[] = []
  const tables: Table[] = []
  for (const line of [...page.split('\n'), '']) {
    if (line.startsWith('|')) lines.push(line)
    else if (lines.length > 0) {
      const [columns = '', , ...rows] = lines
      tables.push({ heading, above: above.join('\n'), columns: cells(columns), rows: rows.map(cells) })
      above = []
      lines = []
    }
    if (line.startsWith('#')) {
      heading = line.replace(/^#+ /, '')
      above = []
    }
    if (!line.startsWith('|')) above.push(line)
  }
  return tables
}

const benchmarkOf = (text: string): string | undefined => /`(?:npm run bench -- )?([a-z-]+)/.exec(text)?.[1]
const isBenchmark = (name: string | undefined): boolean =>
  name !== undefined && existsSync(join(root, 'bench', `${name}.ts`))

const tables = tablesOf(PAGE)
const figures = tables.filter(({ columns }) => columns[0] !== 'command')
const summaries = figures.filter(({ columns }) => columns.includes('command'))

test('each row of the summary names its command, its day and its commit', () => {
  const rows = summaries.flatMap(table => table.rows)
  assert.ok(rows.length > 20)
  const wanting = rows.filter(
    ([, , , command = '', measured = '']) => !isBenchmark(benchmarkOf(command)) || !MEASURED.test(measured),
  )
  assert.deepEqual(wanting, [])
})

for (const { heading, above, columns } of figures.filter(table => !summaries.includes(table)))
  test(`the table of ${heading} on ${columns[1]} names its command, its day and its commit`, () => {
    const [, name] = /`npm run bench -- ([a-z-]+)/.exec(above) ?? []
    assert.ok(isBenchmark(name), `${name}`)
    assert.match(above, MEASURED)
  })

test('each benchmark stands on the page', () => {
  for (const name of globSync('bench/*.ts', { cwd: root }).map(file => basename(file, '.ts')))
    assert.match(PAGE, new RegExp(`\`(npm run bench -- )?${name}[ \`]`))
})

test('each benchmark that a page tells to run exists', () => {
  for (const page of globSync(['*.md', 'docs/*.md', 'packages/*/README.md'], { cwd: root }))
    for (const [, name] of readPage(page).matchAll(/\bbench -- ([a-z][a-z-]*)/g))
      assert.ok(isBenchmark(name), `${page}: ${name}`)
})
