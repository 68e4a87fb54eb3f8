// What a request through the gateway costs in CPU and time, beside nginx, HAProxy,
// http-proxy and a bare undici proxy.
import { execFileSync, fork, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { consoleCost } from './support/console-cost.ts'
import { isQuick, median, report } from './support/harness.ts'
import { CpuRounds, type MeasuredProcess, warm } from './support/process-cpu.ts'

/** Rounds for CPU; requests of a turn, and those of each proxy before the first. */
const ROUNDS = isQuick ? 40 : 120
const REQUESTS = 400
const WARM_UP = isQuick ? 20_000 : 50_000
/** Seconds of load for latencies, which the quick form leaves out. */
const LATENCY_ROUNDS = 7
/** Of the comparison with and without console, which needs many. */
const COST_ROUNDS = isQuick ? 40 : 300
const SECONDS = 1
const CONNECTIONS = 32

/** What wrk says of one second. */
interface Sample {
  readonly requestsPerSecond: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
}

function isInstalled(command: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${command}`]).status === 0
}

function startNode(name: string, upstream: string, folder: string): Promise<MeasuredProcess> {
  const child = fork(new URL('./support/gateway-server.ts', import.meta.url), [name, upstream, folder])
  return new Promise((resolve, reject) => {
    child.once('message', port => resolve({ name, process: child, port: Number(port) }))
    child.once('exit', code => reject(new Error(`${name} ended with ${code}`)))
  })
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  return port
}

/** Resolves when something listens; tried again at once after each refusal, for ten seconds. */
async function untilListening(port: number): Promise<void> {
  const deadline = performance.now() + 10_000
  for (;;) {
    const open = await new Promise<boolean>(resolve => {
      const socket = connect(port, '127.0.0.1')
      socket.once('connect', () => resolve(true))
      socket.once('error', () => resolve(false))
      socket.once('close', () => resolve(false))
      socket.once('connect', () => socket.destroy())
    })
    if (open) return
    if (performance.now() > deadline) throw new Error(`nothing listens on ${port}`)
  }
}

async function startNginx(backendPort: number, folder: string): Promise<MeasuredProcess> {
  const port = await freePort()
  const home = join(folder, 'nginx')
  mkdirSync(home)
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map(kind => `${kind}_temp_path ${home}/${kind};`)
    .join('\n')
  writeFileSync(
    join(home, 'nginx.conf'),
    `daemon off; master_process off; worker_processes 1; pid ${home}/pid; error_log ${home}/error.log;
events { worker_connections 1024; }
http {
  access_log off; ${temporary} keepalive_requests 100000000;
  upstream backend { server 127.0.0.1:${backendPort}; keepalive 64; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://backend; proxy_http_version 1.1;
      proxy_set_header Connection ""; proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $host; proxy_set_header X-Request-Id $request_id;
      add_header X-Request-Id $request_id;
    }
  }
}`,
  )
  const child = spawn('nginx', ['-p', home, '-c', join(home, 'nginx.conf'), '-e', join(home, 'error.log')], {
    stdio: 'ignore',
  })
  await untilListening(port)
  return { name: 'nginx', process: child, port }
}

async function startHaproxy(backendPort: number, folder: string): Promise<MeasuredProcess> {
  const port = await freePort()
  const file = join(folder, 'haproxy.cfg')
  writeFileSync(
    file,
    `global
  nbthread 1
  maxconn 1024
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend front
  bind 127.0.0.1:${port}
  unique-id-format %{+X}o%ci%cp%ts%rt
  unique-id-header X-Request-Id
  default_backend back
backend back
  option forwardfor
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-response set-header X-Request-Id %[unique-id]
  server one 127.0.0.1:${backendPort}
`,
  )
  const child = spawn('haproxy', ['-db', '-f', file], { stdio: 'ignore' })
  await untilListening(port)
  return { name: 'haproxy', process: child, port }
}

const UNIT: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1_000 }

/** One second of load by wrk. */
function sample(proxy: MeasuredProcess): Sample {
  const arguments_ = ['-t1', `-c${CONNECTIONS}`, `-d${SECONDS}s`, '--latency']
  const headers = [
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
    'Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8',
    'Accept-Language: en-US,en;q=0.5',
    'Accept-Encoding: gzip, deflate, br',
  ].flatMap(header => ['-H', header])
  const text = execFileSync(
    'wrk',
    [...arguments_, ...headers, `http://127.0.0.1:${proxy.port}/hello?name=world`],
    {
      encoding: 'utf8',
    },
  )
  const requests = Number(/(\d+) requests in/.exec(text)?.[1])
  if (/Non-2xx|Socket errors/.test(text) || !(requests > 0)) throw new Error(`${proxy.name}: ${text}`)
  const latency = (share: string): number => {
    const [, value, unit = ''] = new RegExp(`${share}%\\s+([\\d.]+)(us|ms|s)`).exec(text) ?? []
    return Number(value) * (UNIT[unit] ?? Number.NaN)
  }
  return {
    requestsPerSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]),
    p50: latency('50'),
    p99: latency('99'),
  }
}

/** Two processes of each of the two that are compared. */
const OURS = ['default', 'default-again'] as const
const BARE = ['undici', 'undici-again'] as const

const folder = mkdtempSync(join(tmpdir(), 'postern-bench-'))
const proxies: MeasuredProcess[] = []
/** Compared with the default gateway alone. */
const others: MeasuredProcess[] = []
const unequal = [
  'Every proxy adds X-Request-Id, X-Forwarded-For, -Proto and -Host, but the bare undici proxy, which adds nothing, and http-proxy, which adds no request id.',
  'nginx, HAProxy, http-proxy and undici decide nothing; "empty" is an engine without guards, "default" the guards and stores of a default configuration, "console" the same with the traffic that the console keeps.',
  'CPU is that of the process with all its threads, in short turns of requests made by node. The default gateway and the bare undici proxy have two processes each, whose mean counts; "undici_again" and "default_again" compare the second with the first, and say what the comparison is worth.',
  '"floor" is that bare proxy with the least that does what the default protection promises (see `layer`), and the four headers of a proxy; it cannot be configured, keeps no log, and shares nothing among processes.',
  'The console is compared with the default gateway in short rounds of 500 requests made by node, all of one client for it, by the CPU that the processes report; "default_again_cpu_vs_default" is what this comparison is worth.',
]
function keyOf(name: string): string {
  return name.replaceAll('-', '_')
}

/** What wrk says of each proxy: the middle of some seconds in turn. */
function latencies(): Record<string, number> {
  const samples = new Map<string, Sample[]>(proxies.map(({ name }) => [name, []]))
  for (let round = 0; round < LATENCY_ROUNDS; round++) {
    for (let turn = 0; turn < proxies.length; turn++) {
      const proxy = proxies[(turn + round) % proxies.length] as MeasuredProcess
      samples.get(proxy.name)?.push(sample(proxy))
    }
  }
  const figures: Record<string, number> = {}
  for (const [name, seen] of samples) {
    const middle = (key: keyof Sample): number => median(seen.map(one => one[key]))
    figures[`${keyOf(name)}_p50_ms`] = Number(middle('p50').toFixed(2))
    figures[`${keyOf(name)}_p99_ms`] = Number(middle('p99').toFixed(2))
    figures[`${keyOf(name)}_requests_per_second`] = Math.round(middle('requestsPerSecond'))
  }
  return figures
}

const backend = await startNode('backend', '', '')
try {
  const upstream = `http://127.0.0.1:${backend.port}`
  for (const name of [...OURS, 'empty', 'http-proxy', ...BARE, 'undici-floor'])
    proxies.push(await startNode(name, upstream, join(folder, name)))
  others.push(await startNode('console', upstream, join(folder, 'console')))
  if (isInstalled('nginx')) proxies.push(await startNginx(backend.port, folder))
  else unequal.push('nginx is not installed, and was left out: apt-get install nginx')
  if (isInstalled('haproxy')) proxies.push(await startHaproxy(backend.port, folder))
  else unequal.push('HAProxy is not installed, and was left out: apt-get install haproxy')
  const cpu = await CpuRounds.measure(proxies, { rounds: ROUNDS, requests: REQUESTS, warmUp: WARM_UP })
  const figures: Record<string, number | string> = {}
  for (const { name } of proxies) figures[`${keyOf(name)}_cpu_us`] = Number(cpu.of(name).toFixed(1))
  const ratios: Record<string, number> = {}
  const compare = (
    key: string,
    names: string | readonly string[],
    peers: string | readonly string[],
  ): void => {
    const { median: middle, lower, upper } = cpu.ratio(names, peers)
    ratios[key] = middle
    figures[`${key}_quartiles`] = `${lower.toFixed(3)} to ${upper.toFixed(3)}`
  }
  for (const peer of ['nginx', 'haproxy', 'http-proxy', 'undici']) {
    if (!proxies.some(({ name }) => name === peer)) continue
    const peers = peer === 'undici' ? BARE : peer
    compare(`cpu_vs_${keyOf(peer)}`, OURS, peers)
    compare(`empty_cpu_vs_${keyOf(peer)}`, 'empty', peers)
  }
  compare('undici_again_cpu_vs_undici', 'undici-again', 'undici')
  compare('default_again_cpu_vs_first', 'default-again', 'default')
  compare('floor_cpu_vs_undici', 'undici-floor', BARE)
  if (isQuick) unequal.push('Latencies are measured without --quick only.')
  else if (isInstalled('wrk')) Object.assign(figures, latencies())
  else unequal.push('wrk is not installed, and no latencies are measured: apt-get install wrk')
  await warm(others, WARM_UP)
  const [console_] = others as [MeasuredProcess]
  const [plain, control] = proxies as [MeasuredProcess, MeasuredProcess]
  const cost = await consoleCost({ plain, control, console: console_ }, COST_ROUNDS)
  for (const [name, { median: middle, lower, upper }] of [
    ['console', cost.console],
    ['default_again', cost.control],
  ] as const) {
    ratios[`${name}_cpu_vs_default`] = middle
    figures[`${name}_cpu_vs_default_quartiles`] = `${lower.toFixed(3)} to ${upper.toFixed(3)}`
  }
  figures['console_rounds'] = cost.rounds
  report({ bench: 'gateway', ratios, figures, unequal })
} finally {
  for (const proxy of [...proxies, ...others, backend]) {
    proxy.process.removeAllListeners('exit')
    proxy.process.kill()
  }
  rmSync(folder, { recursive: true, force: true })
}
