// What it costs to start: files loaded and time of `import 'postern'`, and until `await
// postern()` is ready, each in a process of its own. Needs a build (npm run build): users load
// the build, and Node strips no types of it.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isQuick, report } from './support/harness.ts'

const ROUNDS = isQuick ? 3 : 15
const BUILD = join(import.meta.dirname, '../packages/postern/dist/index.js')
const CHILD = `
import { registerHooks } from 'node:module'
let files = 0
registerHooks({ load(url, context, next) { files++; return next(url, context) } })
const start = performance.now()
const { postern } = await import(process.argv[2])
const imported = performance.now() - start
const importedFiles = files
const layer = await postern({ folder: process.argv[3] })
const ready = performance.now() - start
console.log(JSON.stringify({ imported, importedFiles, ready, readyFiles: files }))
await layer.close()
`

interface Start {
  readonly imported: number
  readonly importedFiles: number
  readonly ready: number
  readonly readyFiles: number
}

function startOnce(): Start {
  const folder = mkdtempSync(join(tmpdir(), 'postern-startup-'))
  try {
    const file = join(folder, 'start.mjs')
    writeFileSync(file, CHILD)
    const child = spawnSync(process.execPath, [file, BUILD, folder], {
      encoding: 'utf8',
      timeout: 60_000,
    })
    if (child.status !== 0) throw new Error(child.stderr)
    return JSON.parse(child.stdout) as Start
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

if (!existsSync(BUILD)) {
  console.error('There is no build to start: npm run build')
  process.exit(2)
}
const starts = Array.from({ length: ROUNDS }, startOnce)
const figures = {
  import_ms: Math.round(median(starts.map(({ imported }) => imported))),
  import_files: starts[0]?.importedFiles ?? 0,
  ready_ms: Math.round(median(starts.map(({ ready }) => ready))),
  ready_files: starts[0]?.readyFiles ?? 0,
}
console.log(`import 'postern'   ${figures.import_ms} ms, ${figures.import_files} files`)
console.log(`await postern()    ${figures.ready_ms} ms, ${figures.ready_files} files`)
report({
  bench: 'startup',
  ratios: {},
  figures,
  unequal: ['Nobody else is measured: the figures are for comparing versions of Postern.'],
})
