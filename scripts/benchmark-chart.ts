import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './workspace.ts'

/** A figure of one contestant. */
type Bar = readonly [name: string, value: number]

/** The figures behind the charts of docs/benchmarks.md. */
export interface BenchmarkFigures {
  /** Where they were measured. */
  readonly machine: string
  readonly charts: readonly {
    readonly title: string
    readonly more: 'is better' | 'is worse'
    readonly rows: readonly { readonly label: string; readonly bars: readonly Bar[] }[]
  }[]
}

const WIDTH = 760
const LEFT = 24
const BAR_FROM = 330
const BAR_WIDTH = 340
const LINE = 22

const COLOURS = {
  light: { text: '#1f2328', soft: '#57606a', ours: '#0a6e5c', other: '#afb8c1', back: '#ffffff' },
  dark: { text: '#e6edf3', soft: '#9198a1', ours: '#3fb68b', other: '#4b5563', back: '#0d1117' },
} as const

/**
 * Bar charts as one SVG: a bar is as long as its share of the longest in its row, percentages as their share
 * of 100. Every bar has its figure in writing beside it.
 */
export function benchmarkChart(figures: BenchmarkFigures, theme: keyof typeof COLOURS): string {
  const colours = COLOURS[theme]
  const { text, soft, back } = colours
  const parts: string[] = []
  let y = 16
  const write = (x: number, content: string, fill: string, more = ''): void => {
    parts.push(textAt(x, y, content, fill, more))
  }
  for (const { title, more, rows } of figures.charts) {
    y += LINE + 6
    write(LEFT, title, text, ' font-weight="600" font-size="15"')
    write(WIDTH - LEFT, `more ${more}`, soft, ' text-anchor="end"')
    for (const { label, bars } of rows) {
      y += LINE + 2
      write(LEFT, label, soft, ' font-style="italic"')
      const longest = title.includes('percent') ? 100 : Math.max(...bars.map(([, value]) => value))
      for (const [name, value] of bars) {
        y += LINE
        parts.push(...barAt(y, name, value, longest, colours))
      }
    }
    y += LINE / 2
  }
  y += LINE
  write(LEFT, `Measured on ${figures.machine}; docs/benchmarks.md has the commands.`, soft, ' font-size="12"')
  const height = y + 16
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="system-ui, sans-serif" font-size="13" role="img" aria-label="${escaped(figures.charts.map(({ title }) => title).join('; '))}">
<rect width="${WIDTH}" height="${height}" fill="${back}"/>
${parts.join('\n')}
</svg>
`
}

function textAt(x: number, y: number, content: string, fill: string, more = ''): string {
  return `<text x="${x}" y="${y}" fill="${fill}"${more}>${escaped(content)}</text>`
}

/** The name of a contestant, its bar, and its figure behind that. */
function barAt(
  y: number,
  name: string,
  value: number,
  longest: number,
  { text, ours, other }: (typeof COLOURS)[keyof typeof COLOURS],
): readonly string[] {
  const length = Math.max(1, Math.round((value / longest) * BAR_WIDTH))
  const isOurs = name.startsWith('Postern')
  return [
    textAt(LEFT + 12, y, name.length > 44 ? `${name.slice(0, 43)}…` : name, text),
    `<rect x="${BAR_FROM}" y="${y - 12}" width="${length}" height="14" rx="2" fill="${isOurs ? ours : other}"/>`,
    textAt(BAR_FROM + length + 8, y, String(value), text, isOurs ? ' font-weight="600"' : ''),
  ]
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}

/** Draws the figures of docs/benchmarks.json for light and dark pages. */
export function writeBenchmarkCharts(): void {
  const figures = JSON.parse(readFileSync(join(root, 'docs/benchmarks.json'), 'utf8')) as BenchmarkFigures
  for (const theme of ['light', 'dark'] as const)
    writeFileSync(join(root, `docs/images/benchmarks-${theme}.svg`), benchmarkChart(figures, theme))
}
