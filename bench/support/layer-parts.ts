import { median, quantile } from './harness.ts'
import { HelloServer } from './hello-server.ts'

/** Everything off; each step switches one part on, in the order in which the parts meet a request. */
const NOTHING = {
  remediations: false,
  protocol: false,
  inspect: false,
  scenarios: false,
  audit: false,
  rateLimitHeaders: 'none',
  limits: { address: false, busy: false, login: false },
}
/** The numbers of the default limits raised: the same rules are asked, and none refuses. */
const LIMITS = { address: { limit: '60000/1m' }, busy: { limit: '60000 at once' } }
const BEHAVIOUR = ['id-walk', 'volume', 'session-drift']
const { remediations: _, ...REMEDIATIONS } = NOTHING
const { protocol: __, ...PROTOCOL } = REMEDIATIONS
const COUNTS = { ...PROTOCOL, limits: LIMITS }
const { rateLimitHeaders: ___, ...HEADERS } = COUNTS
const SCENARIOS = { ...HEADERS, scenarios: { without: BEHAVIOUR } }
const { inspect: ____, ...INSPECTION } = { ...HEADERS, scenarios: {} }

const STEPS: readonly (readonly [string, string, object?])[] = [
  ['bare', 'express'],
  ['adapter: exchange, close, settle', 'express+adapter'],
  ['assembly: connections, events', 'express+layer', NOTHING],
  ['remediations', 'express+layer', REMEDIATIONS],
  ['protocol', 'express+layer', PROTOCOL],
  ['limits', 'express+layer', COUNTS],
  ['headers of limits', 'express+layer', HEADERS],
  ['scenarios', 'express+layer', SCENARIOS],
  ['behaviour', 'express+layer', { ...HEADERS, scenarios: {} }],
  ['inspection', 'express+layer', INSPECTION],
  ['login defence, log: the default', 'express+layer', { limits: LIMITS }],
]

/** Requests between two looks at the heap, and looks: most have no collection between them. */
const ALLOCATING = 100
const LOOKS = 41

/**
 * Prints what each part of the default protection adds to a request of an Express hello: CPU of the process,
 * and bytes that it allocates on the heap. Each line has the parts of all lines before it.
 */
export async function printParts(folder: string, rounds: number, requests: number): Promise<void> {
  const servers = STEPS.map(
    ([, kind, config], step) =>
      new HelloServer(kind, `${folder}/${step}`, config === undefined ? {} : { config }),
  )
  const samples: number[][] = servers.map(() => [])
  const collections: number[] = []
  const bytes: number[] = []
  try {
    await HelloServer.startAll(servers)
    for (const server of servers) await server.ask('collections')
    for (let round = 0; round < rounds; round++) {
      for (let turn = 0; turn < servers.length; turn++) {
        const at = (turn + round) % servers.length
        samples[at]?.push(await (servers[at] as HelloServer).cpuPerRequest(requests))
      }
    }
    for (const server of servers) collections.push((await server.ask('collections')) / (rounds * requests))
    for (const server of servers) bytes.push(await allocated(server))
  } finally {
    for (const server of servers) server.stop()
  }
  console.log(
    '\nCPU us/request (median, quartiles), what the part adds, ratio to bare, heap bytes, us of collections',
  )
  let before = { cpu: 0, bytes: 0 }
  for (const [step, [name]] of STEPS.entries()) {
    const own = samples[step] ?? []
    const bare = samples[0] ?? []
    const cpu = median(own)
    const ratio = median(own.map((value, round) => value / (bare[round] ?? Number.NaN)))
    const heap = bytes[step] ?? Number.NaN
    const spread = `${quantile(own, 0.25).toFixed(1)}-${quantile(own, 0.75).toFixed(1)}`
    console.log(
      `  ${name.padEnd(34)}${cpu.toFixed(1).padStart(7)} ${spread.padStart(10)} ${signed(cpu - before.cpu, 1)}` +
        `${ratio.toFixed(2).padStart(6)} ${heap.toFixed(0).padStart(7)} ${signed(heap - before.bytes, 0)}` +
        ` ${(collections[step] ?? Number.NaN).toFixed(2).padStart(6)}`,
    )
    before = { cpu, bytes: heap }
  }
}

function signed(value: number, digits: number): string {
  return `${value < 0 ? '' : '+'}${value.toFixed(digits)}`.padStart(7)
}

/** Bytes that the server's heap grows by for a request. */
async function allocated(server: HelloServer): Promise<number> {
  const looks: number[] = []
  for (let look = 0; look < LOOKS; look++) {
    await server.ask('heap')
    await server.run(ALLOCATING)
    looks.push((await server.ask('heap')) / ALLOCATING)
  }
  return median(looks)
}
