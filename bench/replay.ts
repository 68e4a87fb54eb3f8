// How fast `postern replay` reads an access log with the default configuration, and whether its
// memory is flat: 100,000, 400,000 and 1,000,000 lines, each in a process of its own. Memory grows
// until the tables of 20,000 clients are full.
import { fork } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { replay } from '../packages/cli/src/replay/replay.ts'
import { loadConfig } from '../packages/config/src/load/load-config.ts'
import { replayEngine } from '../packages/runtime/src/engine/replay-engine.ts'
import { isQuick, report } from './support/harness.ts'

const SIZES = isQuick ? ([40_000, 200_000, 400_000] as const) : ([100_000, 400_000, 1_000_000] as const)
const CLIENTS = 20_000
const PAGES = 3_000
const AGENTS = [
  'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
]
const PROBES = [
  '/wp-login.php',
  '/.env',
  '/admin.php?id=1%27%20OR%201=1--',
  '/../../etc/passwd',
  '/cgi-bin/x',
]

interface Run {
  readonly lines: number
  readonly malformed: number
  readonly milliseconds: number
  /** Peak of the resident set, MiB. */
  readonly peak: number
}

const random = (() => {
  let state = 42
  return (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
})()

/**
 * A line of a shop: readers that come in visits, one request in a hundred a probe
 * that is not there. 25 requests a second.
 */
function line(index: number): string {
  const isProbe = random(100) === 0
  // Few clients send most: the square of an even draw.
  const share = random(CLIENTS) / CLIENTS
  const client = isProbe ? random(50) : Math.floor(share * share * CLIENTS)
  const page = random(PAGES)
  const target = isProbe
    ? PROBES[random(PROBES.length)]
    : page % 3 === 0
      ? `/assets/app-${page}.js`
      : `/products/${page}?page=${random(40)}&sort=price`
  const status = isProbe || random(50) === 0 ? 404 : 200
  const time = new Date(Date.UTC(2026, 0, 1) + index * 40).toISOString()
  const stamp = `${time.slice(8, 10)}/${MONTHS[Number(time.slice(5, 7)) - 1]}/${time.slice(0, 4)}:${time.slice(11, 19)} +0000`
  return `203.0.${client >> 8}.${client & 255} - - [${stamp}] "GET ${target} HTTP/1.1" ${status} ${random(50_000)} "https://shop.example/" "${AGENTS[client % AGENTS.length]}"\n`
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

function writeLog(path: string, lines: number): void {
  const file = openSync(path, 'w')
  let text = ''
  for (let i = 0; i < lines; i++) {
    text += line(i)
    if (text.length > 1_048_576 || i === lines - 1) {
      writeSync(file, text)
      text = ''
    }
  }
  closeSync(file)
}

async function runReplay(file: string, folder: string): Promise<Run> {
  const loaded = await loadConfig({ path: undefined, config: {}, folder, environment: {} })
  const started = performance.now()
  const { lines, malformed } = await replay({ files: [file], engine: replayEngine(loaded) })
  const milliseconds = performance.now() - started
  return { lines, malformed, milliseconds, peak: process.resourceUsage().maxRSS / 1_024 }
}

function runInOwnProcess(file: string, folder: string): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(import.meta.url), [file, folder], {
      env: { ...process.env, REPLAY_BENCH: 'run' },
    })
    child.once('message', answer => resolve(answer as Run))
    child.once('exit', code => reject(new Error(`the replay ended with ${code}`)))
  })
}

if (process.env['REPLAY_BENCH'] === 'run') {
  const [file = '', folder = ''] = process.argv.slice(2)
  process.send?.(await runReplay(file, folder))
} else {
  const folder = mkdtempSync(join(tmpdir(), 'postern-bench-replay-'))
  try {
    const figures: Record<string, number> = {}
    const peaks: number[] = []
    for (const size of SIZES) {
      const file = join(folder, 'access.log')
      writeLog(file, size)
      const { lines, malformed, milliseconds, peak } = await runInOwnProcess(file, folder)
      if (lines !== size || malformed > 0) throw new Error(`${lines} lines were read, ${malformed} malformed`)
      figures[`seconds_${size}`] = Number((milliseconds / 1_000).toFixed(2))
      figures[`lines_per_second_${size}`] = Math.round((size / milliseconds) * 1_000)
      figures[`peak_mib_${size}`] = Math.round(peak)
      peaks.push(peak)
    }
    const [small = Number.NaN, middle = Number.NaN, large = Number.NaN] = peaks
    report({
      bench: 'replay',
      ratios: {
        memory_of_ten_times_the_lines: large / small,
        memory_of_1000000_to_400000_lines: large / middle,
      },
      figures,
      unequal: [
        'the log is generated: 20,000 clients, 3,000 pages with queries, one line in a hundred a probe',
        'a log has no bodies and few headers, so a line is less work than a request',
      ],
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
