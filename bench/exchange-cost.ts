// What a whole exchange costs in process, part by part: open, decide and settle of an ordinary
// request through the default assembly.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Engine, type RequestSource } from '@postern/core'
import { type Config, postern } from 'postern'
import { type Candidate, interleave, printTimings, report } from './support/harness.ts'

const ROUNDS = 25
const OPERATIONS = 20_000
const CLIENTS = 5_000

/** Everything off; each step switches one part on, in the order in which the parts meet a request. */
const BARE: Config = {
  remediations: false,
  protocol: false,
  inspect: false,
  scenarios: false,
  audit: false,
  limits: { address: false, busy: false, login: false },
}
/** The numbers of the default limits raised: the same rules are asked, and none refuses. */
const LIMITS = { address: { limit: '60000/1m' }, busy: { limit: '60000 at once' } } as const
const BEHAVIOUR = ['id-walk', 'volume', 'session-drift']
const { remediations: _r, ...withRemediations } = BARE
const { protocol: _p, ...withProtocol } = withRemediations
const withLimits: Config = { ...withProtocol, limits: LIMITS }
const STEPS: readonly (readonly [string, Config])[] = [
  ['nothing switched on', BARE],
  ['+ remediations', withRemediations],
  ['+ protocol', withProtocol],
  ['+ limits', withLimits],
  ['+ scenarios', { ...withLimits, scenarios: { without: BEHAVIOUR } }],
  ['+ behaviour', { ...withLimits, scenarios: {} }],
  ['+ inspection: all', { ...withLimits, scenarios: {}, inspect: {} }],
]

/**
 * Readers of a shop: 5,000 clients, many paths, the headers of a browser. A new
 * object each time, as from a socket.
 */
function request(i: number): RequestSource {
  const client = (i * 7_919) % CLIENTS
  return {
    method: 'GET',
    target: flat(`/products/${client % 300}?page=${client % 7}&sort=price&q=blue+shoes`),
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
    peer: flat(`10.0.${client >> 8}.${client & 255}`),
    secure: false,
    httpVersion: '1.1',
    body: undefined,
    native: undefined,
  }
}

/** A text put together of parts is copied together when it is first read: one from a socket has no parts. */
function flat(text: string): string {
  return Buffer.from(text).toString('latin1')
}

const OUTCOME = { status: 200, duration: 1, bytes: 5_000, aborted: false }

function exchanges(name: string, engine: Engine): Candidate {
  let turn = 0
  let sources: readonly RequestSource[] = []
  return {
    name,
    operations: OPERATIONS,
    prepare: () => {
      sources = Array.from({ length: OPERATIONS }, () => request(turn++))
    },
    run: () => {
      for (const source of sources) {
        const exchange = engine.open(source)
        const decision = engine.decide(exchange)
        if (decision instanceof Promise || decision.effect !== 'allow')
          throw new Error('an ordinary request must be allowed at once')
        engine.settle(exchange, OUTCOME)
      }
    },
  }
}

const folder = mkdtempSync(join(tmpdir(), 'postern-bench-exchange-'))
const layers: Awaited<ReturnType<typeof postern>>[] = []
try {
  const candidates = [exchanges('an engine without parts', new Engine())]
  for (const [index, [name, config]] of STEPS.entries()) {
    const layer = await postern({ folder, config: { ...config, dataDirectory: join(folder, String(index)) } })
    layers.push(layer)
    candidates.push(exchanges(name, layer.engine))
  }
  const timings = await interleave(candidates, ROUNDS)
  printTimings('a whole exchange, each line with all parts of the lines before', timings)
  const figures: Record<string, number> = {}
  const costs: Record<string, number> = {}
  for (const [index, { name, median }] of timings.entries()) {
    const before = timings[index - 1]?.median ?? 0
    figures[`${name}_ns`] = Math.round(median)
    costs[`${name} (ns it adds)`] = Math.round(median - before)
  }
  const whole = timings.at(-1)?.median ?? Number.NaN
  const besidesInspection = timings.at(-2)?.median ?? Number.NaN
  report({
    bench: 'exchange-cost',
    ratios: { besides_inspection: besidesInspection / whole },
    figures: { ...figures, ...costs },
    unequal: [
      'the numbers of the default limits are raised, or the one loader would be throttled; every rule is still asked',
      'garbage that a round leaves is collected before the next, outside its time',
    ],
  })
} finally {
  for (const layer of layers) await layer.close()
  rmSync(folder, { recursive: true, force: true })
}
