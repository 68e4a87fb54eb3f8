// `npm run docs` writes what is made from the table of configuration keys, the library reference from
// docstrings and the chart of the benchmarks. `--check` only says what of the first is out of date;
// check-api.ts does so for the reference.
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { configJsonSchema } from '../packages/config/src/table/json-schema.ts'
import { writeApiReference } from './api-pages.ts'
import { writeBenchmarkCharts } from './benchmark-chart.ts'
import { referenceMarkdown, withDocstrings } from './config-reference.ts'
import { root } from './workspace.ts'

const BEGIN = '<!-- reference: written by npm run docs -->\n'
const END = '<!-- end of reference -->'

function withReference(page: string): string {
  const [before, rest = ''] = page.split(BEGIN)
  const after = rest.split(END)[1]
  if (after === undefined)
    throw new Error(`docs/configuration.md has no place for the reference: ${BEGIN} ... ${END}`)
  return `${before}${BEGIN}\n${referenceMarkdown()}\n${END}${after}`
}

const TARGETS: readonly { readonly files: readonly string[]; readonly make: (text: string) => string }[] = [
  { files: ['docs/configuration.md'], make: withReference },
  {
    files: ['packages/postern/schema/postern.schema.json'],
    make: () => `${JSON.stringify(configJsonSchema(), null, 2)}\n`,
  },
  {
    files: globSync(['packages/config/src/table/table.ts', 'packages/config/src/sections/*.ts'], {
      cwd: root,
    }),
    make: withDocstrings,
  },
]

const isCheck = process.argv.includes('--check')
const stale: string[] = []
for (const { files, make } of TARGETS) {
  for (const file of files) {
    const text = readFileSync(join(root, file), 'utf8')
    const made = make(text)
    if (made === text) continue
    if (isCheck) stale.push(file)
    else writeFileSync(join(root, file), made)
  }
}
if (!isCheck) {
  writeApiReference()
  writeBenchmarkCharts()
}
for (const file of stale) console.error(`${file} differs from the table of configuration keys: npm run docs`)
if (stale.length > 0) process.exit(1)
