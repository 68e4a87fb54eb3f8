// What the layer costs in process: CPU per request of an Express and a Fastify hello with and
// without it, with helmet and express-rate-limit, and the time of a decision. 50,000 clients.
// `--parts`: what each part of the protection adds, with what it allocates.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RequestSource } from '@postern/core'
import { postern } from 'postern'
import { isQuick, median, quantile, report } from './support/harness.ts'
import { HelloServer } from './support/hello-server.ts'
import { printParts } from './support/layer-parts.ts'

const ROUNDS = isQuick ? 8 : 30
const REQUESTS = isQuick ? 1_500 : 2_500
/** On a loaded machine: so many rounds as fit into this. */
const MOST_MILLISECONDS = isQuick ? 8_000 : 240_000
const FRAMEWORKS = ['express', 'fastify'] as const
/** `+adapter` is the layer with an engine that has no guards: what carrying costs. */
const KINDS = ['', '+adapter', '+layer'] as const
const VARIANTS = [
  ...FRAMEWORKS.flatMap(framework => KINDS.map(kind => `${framework}${kind}`)),
  // The usual pair: security headers and a limit by address.
  'express+helmet',
  // The least that counts addresses, says so in headers, and sees the end of an answer.
  'express+floor',
  // The least that does what the default protection promises; see `protection-floor.ts`.
  'express+protection-floor',
]

/**
 * The default limits with numbers that one loader does not reach: the same rules are asked, with counters of
 * the same width, and none refuses.
 */
const LIMITS = { address: { limit: '60000/1m' }, busy: { limit: '60000 at once' } } as const

async function cpuOfServers(folder: string): Promise<ReadonlyMap<string, readonly number[]>> {
  const servers = VARIANTS.map(name => new HelloServer(name, folder))
  try {
    await HelloServer.startAll(servers)
    const samples = new Map<string, number[]>(VARIANTS.map(name => [name, []]))
    const end = Date.now() + MOST_MILLISECONDS
    for (let round = 0; round < ROUNDS && (round < 3 || Date.now() < end); round++) {
      for (let turn = 0; turn < servers.length; turn++) {
        const server = servers[(turn + round) % servers.length] as HelloServer
        samples.get(server.name)?.push(await server.cpuPerRequest(REQUESTS))
      }
    }
    return samples
  } finally {
    for (const server of servers) server.stop()
  }
}

/**
 * Microseconds of each of `count` decisions, and of the same exchanges with their settling, after a warm-up.
 */
async function decisionTimes(
  folder: string,
  count: number,
): Promise<{ decisions: number[]; exchanges: number[] }> {
  const layer = await postern({
    folder,
    config: { limits: LIMITS, dataDirectory: join(folder, 'decisions') },
  })
  const { engine } = layer
  const decisions: number[] = []
  const exchanges: number[] = []
  for (let i = -count; i < count; i++) {
    const source = request(i)
    const started = process.hrtime.bigint()
    const exchange = engine.open(source)
    const decision = engine.decide(exchange)
    const decided = process.hrtime.bigint()
    if (decision instanceof Promise || decision.effect !== 'allow')
      throw new Error('a hello must be allowed at once')
    engine.settle(exchange, { status: 200, duration: 1, bytes: 5, aborted: false })
    const settled = process.hrtime.bigint()
    if (i < 0) continue
    decisions.push(Number(decided - started) / 1_000)
    exchanges.push(Number(settled - started) / 1_000)
  }
  await layer.close()
  return { decisions, exchanges }
}

/** Readers of a shop: 5,000 clients, many paths, the headers of a browser. */
function request(i: number): RequestSource {
  const client = Math.abs(i * 7_919) % 5_000
  return {
    method: 'GET',
    target: `/products/${client % 300}?page=${client % 7}&sort=price&q=blue+shoes`,
    headers: [
      'Host',
      'shop.example',
      'User-Agent',
      'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
      'Accept',
      'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
      'Accept-Language',
      'en-US,en;q=0.5',
      'Accept-Encoding',
      'gzip, deflate, br, zstd',
      'Cookie',
      'session=0123456789abcdef0123456789abcdef; theme=dark',
      'Connection',
      'keep-alive',
    ],
    peer: `10.0.${client >> 8}.${client & 255}`,
    secure: false,
    httpVersion: '1.1',
    body: undefined,
    native: undefined,
  }
}

async function compare(folder: string): Promise<void> {
  const samples = await cpuOfServers(folder)
  const { decisions, exchanges } = await decisionTimes(folder, isQuick ? 20_000 : 200_000)
  const of = (name: string): readonly number[] => samples.get(name) ?? []
  const ratio = (framework: string, kind: string): number => {
    const bare = of(framework)
    return median(of(framework + kind).map((cpu, round) => cpu / (bare[round] ?? Number.NaN)))
  }
  const figures: Record<string, number> = {}
  for (const name of VARIANTS) figures[`${name}_cpu_us`] = Number(median(of(name)).toFixed(2))
  figures['decision_p50_us'] = Number(quantile(decisions, 0.5).toFixed(2))
  figures['decision_p99_us'] = Number(quantile(decisions, 0.99).toFixed(2))
  figures['exchange_p50_us'] = Number(quantile(exchanges, 0.5).toFixed(2))
  figures['exchange_p99_us'] = Number(quantile(exchanges, 0.99).toFixed(2))
  report({
    bench: 'layer',
    ratios: {
      express_cpu: ratio('express', '+layer'),
      express_helmet_and_rate_limit_cpu: ratio('express', '+helmet'),
      express_floor_cpu: ratio('express', '+floor'),
      express_protection_floor_cpu: ratio('express', '+protection-floor'),
      fastify_cpu: ratio('fastify', '+layer'),
      express_adapter_cpu: ratio('express', '+adapter'),
      fastify_adapter_cpu: ratio('fastify', '+adapter'),
    },
    figures,
    unequal: [
      'the floor counts addresses in a Map, sends the two headers of a limit and listens for the end of the answer: about the least that a layer with limits by address does, and it reads nothing',
      'the floor of the protection is written for this one route, with nothing to configure: one record of each client for limits, bans and scenarios, one expression over each value that can carry an attack, no explanations, no log, windows that are not exact, nothing that is shared among processes',
      'helmet and express-rate-limit set headers and count addresses; they inspect nothing, know no bans and watch nothing',
      'the default guards run with the numbers of their limits raised, or one loader would be throttled; every rule is still asked',
      'CPU is user and system time of the server process; the loader runs in another, and waking it is part of the system time: a slower server finds it asleep more often',
      'a ratio is the median over rounds of the two neighbours of one round',
    ],
  })
}

const folder = mkdtempSync(join(tmpdir(), 'postern-bench-layer-'))
try {
  if (process.argv.includes('--parts')) await printParts(folder, ROUNDS, REQUESTS)
  else await compare(folder)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
