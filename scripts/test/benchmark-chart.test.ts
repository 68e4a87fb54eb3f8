import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { type BenchmarkFigures, benchmarkChart } from '../benchmark-chart.ts'
import { root } from '../workspace.ts'
import { readPage } from './support/page.ts'

const figures = JSON.parse(readFileSync(join(root, 'docs/benchmarks.json'), 'utf8')) as BenchmarkFigures

describe('the chart of the benchmarks', () => {
  test('writes every figure beside its bar, and a bar is as long as its share', () => {
    const chart = benchmarkChart(
      {
        machine: 'a <machine> & another',
        charts: [
          {
            title: 'CPU',
            more: 'is worse',
            rows: [
              {
                label: 'hello',
                bars: [
                  ['Postern', 2],
                  ['other', 4],
                ],
              },
            ],
          },
        ],
      },
      'light',
    )
    assert.deepEqual(
      [...chart.matchAll(/<rect x="330" [^>]*width="(\d+)"/g)].map(match => match[1]),
      ['170', '340'],
    )
    assert.match(chart, />2<\/text>/)
    assert.match(chart, /a &lt;machine> &amp; another/)
  })

  for (const theme of ['light', 'dark'] as const)
    test(`in ${theme} colours is the one that npm run docs writes`, () => {
      const written = readFileSync(join(root, `docs/images/benchmarks-${theme}.svg`), 'utf8')
      assert.equal(written, benchmarkChart(figures, theme))
    })

  test('has no figure that the row of the page does not have', () => {
    const table = readPage('docs/benchmarks.md').split('\n')
    for (const { rows } of figures.charts)
      for (const { label, bars } of rows) {
        const row =
          table.find(line => line.startsWith(`| ${label}`)) ?? table.find(line => line.includes(label))
        const stated = new Set(row?.match(/\d[\d.,]*\d|\d/g)?.map(figure => Number(figure.replace(',', ''))))
        for (const [name, value] of bars) assert.ok(stated.has(value), `${label}, ${name}: ${value}`)
      }
  })
})
