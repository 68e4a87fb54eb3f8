// What it costs to start: files loaded and time of `import 'postern'`, and until `await
// postern()` is ready, each in a process of its own; and the memory that it adds to an Express application.
// Needs a build (npm run build): users load the build, and Node strips no types of it.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isQuick, report } from './support/harness.ts'

const ROUNDS = isQuick ? 3 : 15
const MEMORY_ROUNDS = isQuick ? 3 : 7
const REQUESTS = 2_000
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

/**
 * An Express application that answers requests on one connection: alone, with the packages that `postern()`
 * needs loaded and nothing started, or behind it. Tells its resident memory when it listens and after the
 * requests, and what of it is V8's young generation, in MB.
 */
const APPLICATION = `
import { connect } from 'node:net'
import { once } from 'node:events'
import { getHeapSpaceStatistics } from 'node:v8'
const [build, folder, framework, started] = process.argv.slice(2)
const { default: express } = await import(framework)
const application = express()
if (started === 'code') {
  await import(build)
  for (const name of ['config', 'runtime', 'http']) await import(new URL('../../' + name + '/dist/index.js', 'file://' + build))
} else if (build !== '') {
  const { postern } = await import(build)
  const limits = { address: { limit: '1000000/1m' } }
  application.use((await postern({ folder, config: { limits } })).express())
}
application.get('/hello', (_request, response) => void response.json({ hello: 'world' }))
const server = application.listen(0, '127.0.0.1')
await once(server, 'listening')
const rss = () => process.memoryUsage.rss() / 1_048_576
const ready = rss()
const client = connect(server.address().port, '127.0.0.1')
await once(client, 'connect')
for (let sent = 0; sent < ${REQUESTS}; sent++) {
  client.write('GET /hello HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\n\\r\\n')
  const [answer] = await once(client, 'data')
  if (answer.toString('latin1', 9, 12) !== '200') throw new Error('answered ' + answer)
}
const young = getHeapSpaceStatistics().find(space => space.space_name === 'new_space').physical_space_size
console.log(JSON.stringify({ ready, used: rss(), young: young / 1_048_576 }))
process.exit()
`

interface Memory {
  readonly ready: number
  readonly used: number
  readonly young: number
}

/**
 * @param build the module that is put in front of the application; empty for none
 * @param started `code`: its packages are loaded, and nothing of it is started
 */
function memoryOnce(build: string, started: 'code' | 'all' = 'all'): Memory {
  const folder = mkdtempSync(join(tmpdir(), 'postern-memory-'))
  try {
    const file = join(folder, 'application.mjs')
    writeFileSync(file, APPLICATION)
    const express = import.meta.resolve('express')
    const child = spawnSync(process.execPath, [file, build, folder, express, started], {
      encoding: 'utf8',
      timeout: 60_000,
    })
    if (child.status !== 0) throw new Error(child.stderr)
    return JSON.parse(child.stdout) as Memory
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

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
const bare: Memory[] = []
const code: Memory[] = []
const layered: Memory[] = []
for (let round = 0; round < MEMORY_ROUNDS; round++) {
  bare.push(memoryOnce(''))
  code.push(memoryOnce(BUILD, 'code'))
  layered.push(memoryOnce(BUILD))
}
const middle = (memories: readonly Memory[], of: keyof Memory): number =>
  median(memories.map(each => each[of]))
const added = (of: keyof Memory, by = layered): number =>
  Number((middle(by, of) - middle(bare, of)).toFixed(1))
const starts = Array.from({ length: ROUNDS }, startOnce)
const figures = {
  import_ms: Math.round(median(starts.map(({ imported }) => imported))),
  import_files: starts[0]?.importedFiles ?? 0,
  ready_ms: Math.round(median(starts.map(({ ready }) => ready))),
  ready_files: starts[0]?.readyFiles ?? 0,
  bare_rss_mb: Number(middle(bare, 'ready').toFixed(1)),
  added_rss_mb: added('ready'),
  floor_rss_mb: added('ready', code),
  young_generation_mb: added('young'),
  [`added_rss_mb_after_${REQUESTS}_requests`]: added('used'),
}
console.log(`import 'postern'   ${figures.import_ms} ms, ${figures.import_files} files`)
console.log(`await postern()    ${figures.ready_ms} ms, ${figures.ready_files} files`)
console.log(
  `memory             ${figures.added_rss_mb} MB more than Express alone (${figures.bare_rss_mb} MB); its code alone ${figures.floor_rss_mb} MB`,
)
report({
  bench: 'startup',
  ratios: {},
  figures,
  unequal: [
    'Nobody else is measured: the figures are for comparing versions of Postern.',
    'Memory is resident memory of an Express application in front of which the build stands, as it is packed, with the default configuration; that of Express alone is subtracted.',
    'The floor is the code of the packages that a start needs, loaded and not started: no store, no table, no scenario. The young generation of V8 grows by what survives the start, and stays so.',
  ],
})
