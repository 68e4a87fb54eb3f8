// `kill -9` of the whole gateway under load, to listening again and to the first answer: one and two
// workers, over a data directory with a large log. Needs a build (npm run build). `--quick`: a smaller log
// and fewer kills.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, globSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, get } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Event } from '@postern/core'
import { postern } from 'postern'
import { askAsGoodClients } from './support/good-clients.ts'
import { isQuick, median, report } from './support/harness.ts'

const COMMAND = join(import.meta.dirname, '../packages/postern/dist/bin.js')
const ENTRIES = isQuick ? 50_000 : 200_000
const KILLS = isQuick ? 3 : 9
const LOAD_MS = 1_000
const PATIENCE_MS = 120_000

if (!existsSync(COMMAND)) {
  console.error('There is no build to start: npm run build')
  process.exit(2)
}

const folder = mkdtempSync(join(tmpdir(), 'postern-restart-'))
const backend = createServer((_request, response) => response.end('ok')).listen(0, '127.0.0.1')
await new Promise(resolve => backend.once('listening', resolve))
const { port: backendPort } = backend.address() as AddressInfo

/** A port that nobody has: the gateway comes back to the same one each time. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

function entry(i: number): Event {
  return {
    type: 'http',
    time: Date.now(),
    actor: { address: `203.0.113.${i % 250}`, principal: `user-${i % 5_000}` },
    request: { id: `r${i}`, method: 'GET', host: 'shop.example', path: `/orders/${i}`, query: '' },
    decision: 'allow',
    outcome: { status: 200, duration: 12, bytes: 2, aborted: false },
  }
}

/** Fills the log as a running gateway would. */
async function fill(): Promise<void> {
  const layer = await postern({ folder })
  for (let i = 0; i < ENTRIES; i++) {
    layer.engine.emit(entry(i))
    if (i % 500 === 0) await new Promise(resolve => setTimeout(resolve, 5))
  }
  await layer.close()
}

function connects(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    const done = (open: boolean): void => {
      socket.destroy()
      resolve(open)
    }
    socket.once('connect', () => done(true)).once('error', () => done(false))
  })
}

function isAnswered(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const request = get({ host: '127.0.0.1', port, path: '/', agent: false }, response => {
      response.resume().on('end', () => resolve(response.statusCode === 200))
    })
    request.on('error', () => resolve(false))
  })
}

/** Milliseconds until something holds. */
async function timeUntil(holds: () => Promise<boolean>, since: number): Promise<number> {
  while (!(await holds())) {
    if (performance.now() - since > PATIENCE_MS) throw new Error('the gateway does not come back')
    await new Promise(resolve => setTimeout(resolve, 2))
  }
  return performance.now() - since
}

function startGateway(port: number, workers: number): ChildProcess {
  const args = ['gateway', '--to', `http://127.0.0.1:${backendPort}`, '--listen', `127.0.0.1:${port}`]
  return spawn(process.execPath, [COMMAND, ...args, '--workers', String(workers), '--admin', '127.0.0.1:0'], {
    cwd: folder,
    stdio: 'ignore',
  })
}

interface Restart {
  readonly listening: number
  readonly answering: number
}

/** Starts a gateway and kills it under load, and again. */
async function restarts(workers: number): Promise<readonly Restart[]> {
  const port = await freePort()
  const seen: Restart[] = []
  let child = startGateway(port, workers)
  try {
    await timeUntil(() => isAnswered(port), performance.now())
    for (let kill = 0; kill < KILLS; kill++) {
      const load = askAsGoodClients(port, LOAD_MS)
      await new Promise(resolve => setTimeout(resolve, LOAD_MS / 2))
      const exited = new Promise(resolve => child.once('exit', resolve))
      child.kill('SIGKILL')
      await exited
      const since = performance.now()
      child = startGateway(port, workers)
      const listening = await timeUntil(() => connects(port), since)
      seen.push({ listening, answering: await timeUntil(() => isAnswered(port), since) })
      await load
    }
  } finally {
    child.kill('SIGKILL')
  }
  return seen
}

const figures: Record<string, number | string> = {}
try {
  // The limit of one address is not what is measured.
  writeFileSync(
    join(folder, 'postern.config.json'),
    JSON.stringify({ limits: { address: { limit: '1000000/1m' } } }),
  )
  await fill()
  const bytes = globSync(join(folder, '.postern/**'))
    .map(file => statSync(file))
    .reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0)
  figures['data directory MB'] = (bytes / 1_048_576).toFixed(0)
  for (const workers of [1, 2]) {
    const seen = await restarts(workers)
    const show = (of: keyof Restart): string => {
      const times = seen.map(each => each[of])
      return `${median(times).toFixed(0)} (${Math.min(...times).toFixed(0)}..${Math.max(...times).toFixed(0)})`
    }
    figures[`${workers} worker(s), listening again, ms`] = show('listening')
    figures[`${workers} worker(s), first answer, ms`] = show('answering')
  }
} finally {
  backend.close()
  backend.closeAllConnections()
  rmSync(folder, { recursive: true, force: true })
}
report({
  bench: 'restart',
  ratios: {},
  figures,
  unequal: [
    'Nobody else is measured. Time runs from the end of the killed process and includes the start of Node; median, least and most.',
    'Who connects while the gateway listens and does not answer yet waits, and is answered.',
  ],
})
