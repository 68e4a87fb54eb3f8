// What good clients notice while others attack the gateway: their p50 and p99 under each attack, as a ratio
// to what they see when it is quiet, just before. Beside it the floor: what they notice while the same attack
// goes against another server on the same machine. `--quick` measures each once, in about two minutes.
import { type ChildProcess, execFileSync, fork } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { askAsGoodClients } from './support/good-clients.ts'
import { median, quantile, report } from './support/harness.ts'
import type { AttackName } from './support/hostile-attacks.ts'

const isQuick = process.argv.includes('--quick')
const ROUNDS = isQuick ? 1 : 3
const MEASURED_MS = isQuick ? 3_000 : 6_000
/** An attack that cannot open its connections in this time is measured with those it has. */
const SETUP_MS = isQuick ? 12_000 : 30_000
/** What an attack costs once, when it begins, is over before good clients are measured. */
const SETTLE_MS = 1_000
/** Slow requests run out of time ten seconds after they began: that is measured, and what comes of it. */
const SLOW_SETTLE_MS = 8_000
const SLOW_MEASURED_MS = isQuick ? 5_000 : 12_000
const ATTACKS: readonly AttackName[] = [
  'slow headers',
  'slow bodies',
  'slow readers',
  'zero window',
  'rapid reset',
  'attack text',
]

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

interface Sample {
  readonly p50: number
  readonly p99: number
  readonly failed: number
  /** Share of one core that the gateway took. */
  readonly cpu: number
  /** The longest stretch for which the event loop of the gateway was held, milliseconds of CPU. */
  readonly turn: number
}

async function sample(port: number, gateway: ChildProcess, ms: number): Promise<Sample> {
  await longestTurn(gateway)
  const before = cpuMsOf(gateway)
  const started = performance.now()
  const { latencies, failed } = await askAsGoodClients(port, ms)
  const cpu = (cpuMsOf(gateway) - before) / (performance.now() - started)
  const turn = await longestTurn(gateway)
  return { p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99), failed, cpu, turn }
}

/** Since it was last asked. */
function longestTurn(gateway: ChildProcess): Promise<number> {
  return new Promise(resolve => {
    gateway.once('message', longest => resolve(longest as number))
    gateway.send('turn')
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

const folder = mkdtempSync(join(tmpdir(), 'postern-hostile-'))
const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
const quiet: Sample[] = []
const attacked = new Map<AttackName, Sample[]>(ATTACKS.map(name => [name, []]))
const floors = new Map<AttackName, Sample[]>(ATTACKS.map(name => [name, []]))
try {
  execFileSync(
    'openssl',
    // biome-ignore format: one option and its value
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=localhost', '-keyout', key, '-out', cert],
    { stdio: 'ignore' },
  )
  const backend = await start('hostile-server', ['backend'])
  const [backendPort] = backend.said as number[]
  const gateway = await start('hostile-server', [
    'gateway',
    `http://127.0.0.1:${backendPort}`,
    join(folder, 'data'),
    cert,
    key,
  ])
  const [port = 0, tlsPort = 0] = gateway.said as number[]
  /** Good clients of the gateway while an attack goes against these ports. */
  const under = async (name: AttackName, ports: readonly number[], isFloor: boolean): Promise<Sample> => {
    const attack = await start('hostile-attacks', [name, ...ports.map(String)], SETUP_MS)
    const isSlow = !isFloor && (name === 'slow headers' || name === 'slow bodies')
    await new Promise(resolve => setTimeout(resolve, isSlow ? SLOW_SETTLE_MS : SETTLE_MS))
    const seen = await sample(port, gateway.child, isSlow ? SLOW_MEASURED_MS : MEASURED_MS)
    await end(attack.child)
    // What the attack left is over before the next quiet time.
    await askAsGoodClients(port, 500)
    return seen
  }
  await askAsGoodClients(port, 1_000)
  for (let round = 0; round < ROUNDS; round++)
    for (const name of ATTACKS) {
      quiet.push(await sample(port, gateway.child, MEASURED_MS))
      const other = await start('hostile-server', ['other', cert, key])
      floors.get(name)?.push(await under(name, other.said as number[], true))
      await end(other.child)
      attacked.get(name)?.push(await under(name, [port, tlsPort], false))
    }
} finally {
  for (const child of [...running]) await end(child)
  rmSync(folder, { recursive: true, force: true })
}

const middle = (samples: readonly Sample[], of: 'p50' | 'p99' | 'cpu' | 'turn'): number =>
  median(samples.map(s => s[of]))
const quiet50 = middle(quiet, 'p50')
const quiet99 = middle(quiet, 'p99')
const failures = (samples: readonly Sample[]): number => samples.reduce((sum, { failed }) => sum + failed, 0)
const ratios: Record<string, number> = {}
console.log(
  '\ngood clients (ms)                p50   ratio      p99   ratio   failed  gateway CPU  longest turn',
)
const line = (name: string, samples: readonly Sample[]): void => {
  const [p50, p99] = [middle(samples, 'p50'), middle(samples, 'p99')]
  const columns = [
    p50.toFixed(1).padStart(7),
    (p50 / quiet50).toFixed(2).padStart(7),
    p99.toFixed(1).padStart(8),
    (p99 / quiet99).toFixed(2).padStart(7),
    String(failures(samples)).padStart(8),
    `${(middle(samples, 'cpu') * 100).toFixed(0)} %`.padStart(12),
    `${middle(samples, 'turn').toFixed(1)} ms`.padStart(13),
  ]
  console.log(`  ${name.padEnd(26)}${columns.join(' ')}`)
  if (samples === quiet) return
  ratios[`${name} p50`] = p50 / quiet50
  ratios[`${name} p99`] = p99 / quiet99
}
line('quiet', quiet)
for (const [name, samples] of attacked) {
  line(name, samples)
  line(`${name}, floor`, floors.get(name) ?? [])
}
report({
  bench: 'hostile',
  ratios,
  figures: { 'quiet p50 ms': quiet50.toFixed(2), 'quiet p99 ms': quiet99.toFixed(2) },
  unequal: [
    'attackers, good clients, gateway and backend share the cores of one machine; attackers have the lowest priority there, and the floor says what their part of it costs good clients',
    'floor: the same attack against another server of this machine, of the lowest priority too, which has no time limits that could end it',
    'longest turn: of the event loop of the gateway, in milliseconds of its CPU, which other work of the machine does not change',
    'good clients ask 240 times a second in all, whether or not earlier answers have come',
  ],
})
