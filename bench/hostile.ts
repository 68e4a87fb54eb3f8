// What good clients notice while others attack the gateway: their p50 and p99 under each attack, as a ratio
// to what they see when it is quiet, just before. Beside it the floor: the same for the good clients of a
// bare server of node under the same attack. `--only slow-headers` measures one attack, `--quick` each once,
// in shorter slices, and not for so long that slow requests run out of time.
//
// All share one machine. What of the tail is the gateway's is known from the rest in three ways: the attacker
// is kept on one core and has the lowest priority; a few clients ask the backend at the same time without the
// gateway; and the share of the time is shown for which the server waited for a core.
import { type ChildProcess, execFileSync, fork } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { askAsGoodClients } from './support/good-clients.ts'
import { isQuick, median, quantile, report } from './support/harness.ts'
import type { AttackName } from './support/hostile-attacks.ts'

const ROUNDS = isQuick ? 1 : 5
/** One after another, so that what scatters within a round is seen. */
const SLICE_MS = isQuick ? 500 : 1_000
/** So many that p99 is not the work of one request or two. */
const QUIET_SLICES = isQuick ? 4 : 2
const SLICES = isQuick ? 4 : 3
/** An attack that cannot open its connections in this time is measured with those it has. */
const SETUP_MS = isQuick ? 4_000 : 12_000
/** What an attack costs once, when it begins, is over before good clients are measured. */
const SETTLE_MS = 1_000
/** The backend begins answers of 20 MB on up to 256 connections, which take its core for a second. */
const LARGE_SETTLE_MS = 3_000
/**
 * A client is known as slow after two seconds. Slow requests run out of time ten seconds after they began:
 * that is measured, and what follows; not in the short form.
 */
const SLOW_SETTLE_MS = isQuick ? 4_000 : 6_000
const SLOW_SLICES = isQuick ? SLICES : 6
/** Clients that ask the backend itself. */
const DIRECT_CLIENTS = 4
const ATTACKS: readonly AttackName[] = [
  'slow headers',
  'slow bodies',
  'slow readers',
  'zero window',
  'rapid reset',
  'attack text',
]

function chosen(): readonly AttackName[] {
  const at = process.argv.indexOf('--only')
  if (at < 0) return ATTACKS
  const wanted = process.argv[at + 1] ?? ''
  const found = ATTACKS.filter(name => name === wanted.replaceAll('-', ' '))
  if (found.length > 0) return found
  const names = ATTACKS.map(name => name.replaceAll(' ', '-')).join(', ')
  console.error(`--only "${wanted}": use one of ${names}`)
  process.exit(2)
}

const running = new Set<ChildProcess>()

/** Starts a file of `support/`; resolves with the first message, or when the time is over. */
async function start(
  file: string,
  args: readonly string[],
  ms?: number,
): Promise<{ child: ChildProcess; said: unknown }> {
  const child = fork(new URL(`./support/${file}.ts`, import.meta.url), args)
  running.add(child)
  let timer: NodeJS.Timeout | undefined
  const said = await new Promise((resolve, reject) => {
    child.once('message', resolve)
    child.once('exit', code => reject(new Error(`${file} ${args[0]} ended with ${code}`)))
    if (ms !== undefined) timer = setTimeout(resolve, ms)
  })
  clearTimeout(timer)
  child.removeAllListeners('exit')
  return { child, said }
}

async function end(child: ChildProcess): Promise<void> {
  running.delete(child)
  if (child.exitCode !== null) return
  const exited = new Promise(resolve => child.once('exit', resolve))
  child.kill('SIGKILL')
  await exited
}

/** A server that is attacked, and asked by good clients. */
interface Subject {
  readonly child: ChildProcess
  readonly ports: readonly number[]
  readonly backendPort: number
}

/** One slice of time. */
interface Sample {
  readonly latencies: readonly number[]
  readonly failed: number
  readonly reasons: ReadonlyMap<string, number>
  /** What clients saw that asked the backend itself at the same time. */
  readonly direct: readonly number[]
  /** Share of one core that the server took. */
  readonly cpu: number
  /** The longest stretch for which the event loop of the server was held, milliseconds of CPU. */
  readonly turn: number
  /** Share of the time for which the server could have run, and another process had the core. */
  readonly waited: number
}

async function sample({ child, ports, backendPort }: Subject): Promise<Sample> {
  await longestTurn(child)
  const before = cpuMsOf(child)
  const waitedBefore = waitedMsOf(child)
  const started = performance.now()
  const [{ latencies, failed, reasons }, direct] = await Promise.all([
    askAsGoodClients(ports[0] ?? 0, SLICE_MS),
    askAsGoodClients(backendPort, SLICE_MS, DIRECT_CLIENTS),
  ])
  const elapsed = performance.now() - started
  const cpu = (cpuMsOf(child) - before) / elapsed
  const waited = (waitedMsOf(child) - waitedBefore) / elapsed
  const turn = await longestTurn(child)
  return { latencies, failed, reasons, direct: direct.latencies, cpu, turn, waited }
}

/** Since it was last asked. */
function longestTurn(server: ChildProcess): Promise<number> {
  return new Promise(resolve => {
    server.once('message', longest => resolve(longest as number))
    server.send('turn')
  })
}

/** Linux counts in hundredths of a second. */
const TICK_MS = 10

/** Milliseconds of CPU that a process has taken, user and system (proc(5)); 0 where there is no such file. */
function cpuMsOf({ pid }: ChildProcess): number {
  if (!existsSync(`/proc/${pid}/stat`)) return 0
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
}

/**
 * Milliseconds for which the main thread of a process could have run while others had the cores (Linux,
 * /proc/PID/schedstat); 0 where there is no such file.
 */
function waitedMsOf({ pid }: ChildProcess): number {
  if (!existsSync(`/proc/${pid}/schedstat`)) return 0
  return Number(readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ')[1]) / 1e6
}

/** What good clients of a server saw, of all rounds. */
interface Seen {
  readonly quiet: Sample[]
  readonly attacked: Sample[]
}

/**
 * The attacker's own work takes no time of the other cores, where there are some, and util-linux. What the
 * kernel does for its connections may still run anywhere.
 */
function keepOnLastCore({ pid }: ChildProcess): void {
  const cores = cpus().length
  if (cores < 2) return
  try {
    execFileSync('taskset', ['-a', '-c', '-p', String(cores - 1), String(pid)], { stdio: 'ignore' })
  } catch {
    // Only its priority holds it back then.
  }
}

/** Good clients of a server, first while it is quiet, then under an attack. */
async function measure(name: AttackName, subject: Subject, canEnd: boolean, seen: Seen): Promise<void> {
  for (let i = 0; i < QUIET_SLICES; i++) seen.quiet.push(await sample(subject))
  const attack = await start('hostile-attacks', [name, ...subject.ports.map(String)], SETUP_MS)
  keepOnLastCore(attack.child)
  const isSlow = canEnd && (name === 'slow headers' || name === 'slow bodies')
  const settle = name === 'zero window' ? LARGE_SETTLE_MS : isSlow ? SLOW_SETTLE_MS : SETTLE_MS
  await new Promise(resolve => setTimeout(resolve, settle))
  for (let i = isSlow ? SLOW_SLICES : SLICES; i > 0; i--) seen.attacked.push(await sample(subject))
  await end(attack.child)
}

const folder = mkdtempSync(join(tmpdir(), 'postern-hostile-'))
const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
const attacks = chosen()
const gateways = new Map<AttackName, Seen>(attacks.map(name => [name, { quiet: [], attacked: [] }]))
const floors = new Map<AttackName, Seen>(attacks.map(name => [name, { quiet: [], attacked: [] }]))
try {
  execFileSync(
    'openssl',
    // biome-ignore format: one option and its value
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=localhost', '-keyout', key, '-out', cert],
    { stdio: 'ignore' },
  )
  const backend = await start('hostile-server', ['backend'])
  const [backendPort] = backend.said as number[]
  let run = 0
  const subject = async (args: readonly string[]): Promise<Subject> => {
    const { child, said } = await start('hostile-server', args)
    const ports = said as number[]
    await askAsGoodClients(ports[0] ?? 0, SLICE_MS)
    return { child, ports, backendPort: backendPort ?? 0 }
  }
  for (let round = 0; round < ROUNDS; round++)
    for (const name of attacks) {
      // New ones each time, in turn: what one attack left behind is not measured with the next.
      const data = join(folder, `data-${run++}`)
      const upstream = `http://127.0.0.1:${backendPort}`
      const [bare, gateway] = await Promise.all([
        subject(['bare', cert, key]),
        subject(['gateway', upstream, data, cert, key]),
      ])
      await measure(name, bare, false, floors.get(name) as Seen)
      await end(bare.child)
      await measure(name, gateway, true, gateways.get(name) as Seen)
      await end(gateway.child)
    }
} finally {
  for (const child of [...running]) await end(child)
  rmSync(folder, { recursive: true, force: true })
}

const all = (samples: readonly Sample[], share: number): number =>
  quantile(
    samples.flatMap(({ latencies }) => latencies),
    share,
  )
const directOf = (samples: readonly Sample[]): number =>
  quantile(
    samples.flatMap(({ direct }) => direct),
    0.99,
  )
const ratios: Record<string, number> = {}
console.log(
  `\ngood clients (ms)              quiet p50     p50   ratio   quiet p99      p99 (slices)          ratio  failed  CPU  turn  waited  backend p99`,
)

/** `4.1`, or a dash where nothing was measured. */
const ms = (value: number): string => (Number.isNaN(value) ? '-' : value.toFixed(1))

/** How many requests failed for each reason, in words: `503: 12, ECONNRESET: 3`. */
function reasonsOf(samples: readonly Sample[]): string {
  const counts = new Map<string, number>()
  for (const { reasons } of samples)
    for (const [reason, count] of reasons) counts.set(reason, (counts.get(reason) ?? 0) + count)
  return [...counts].map(([reason, count]) => `${reason}: ${count}`).join(', ')
}

function line(name: string, { quiet, attacked }: Seen): void {
  const slices = attacked.map(({ latencies }) => quantile(latencies, 0.99)).filter(p99 => !Number.isNaN(p99))
  const spread =
    slices.length === 0
      ? 'none answered'
      : `${ms(all(attacked, 0.99))} (${ms(Math.min(...slices))}..${ms(Math.max(...slices))})`
  const setRatio = (percentile: string, share: number): string => {
    const ratio = all(attacked, share) / all(quiet, share)
    if (Number.isNaN(ratio)) return '-'
    ratios[`${name} ${percentile}`] = ratio
    return ratio.toFixed(2)
  }
  const columns = [
    ms(all(quiet, 0.5)).padStart(13),
    ms(all(attacked, 0.5)).padStart(7),
    setRatio('p50', 0.5).padStart(7),
    ms(all(quiet, 0.99)).padStart(11),
    spread.padStart(22),
    setRatio('p99', 0.99).padStart(7),
    String(attacked.reduce((sum, { failed }) => sum + failed, 0)).padStart(7),
    `${(median(attacked.map(({ cpu }) => cpu)) * 100).toFixed(0)} %`.padStart(5),
    median(attacked.map(({ turn }) => turn))
      .toFixed(1)
      .padStart(5),
    `${(median(attacked.map(({ waited }) => waited)) * 100).toFixed(0)} %`.padStart(7),
    `${ms(directOf(quiet))} -> ${ms(directOf(attacked))}`.padStart(14),
  ]
  console.log(`  ${name.padEnd(22)}${columns.join(' ')}`)
  const failures = reasonsOf([...quiet, ...attacked])
  if (failures !== '') console.log(`    failed: ${failures}`)
}
for (const name of attacks) {
  const gateway = gateways.get(name) as Seen
  const floor = floors.get(name) as Seen
  line(name, gateway)
  line(`${name}, floor`, floor)
  const overFloor = all(gateway.attacked, 0.99) / all(floor.attacked, 0.99)
  if (!Number.isNaN(overFloor)) ratios[`${name} p99 over the floor's`] = overFloor
}
report({
  bench: 'hostile',
  ratios,
  figures: {
    rounds: ROUNDS,
    'milliseconds of a slice': SLICE_MS,
    'slices in each, under attack': SLICES,
    'under slow requests': SLOW_SLICES,
  },
  unequal: [
    'attackers, good clients, server and backend share the cores of one machine; attackers have the lowest priority there',
    'floor: a bare server of node under the same attack, as a ratio to its own quiet; it answers by itself, decides nothing, and has no time limits that could end the attack while it is measured',
    'turn: the longest of the event loop of the server, in milliseconds of its CPU, which other work of the machine does not change; the median of slices',
    'waited: share of the time for which the main thread of the server could have run and another process, or another server of this benchmark, had the core',
    'backend p99: of clients that ask the backend itself at the same time, quiet and under attack: what the machine does to a server that is not attacked',
    'good clients ask 240 times a second in all, whether or not earlier answers have come; p99 is of all slices together, in brackets the least and the most of one',
  ],
})
