import { postern } from 'postern'
import { median } from './harness.ts'

/** Nanoseconds of CPU that sinks add to a request. */
export interface SinkCost {
  /** Nothing in it could act. */
  readonly inert: number
  /** It is compared with what its handler calls. */
  readonly compared: number
  /** Between two measurements of the same engine: what the others are to be held against. */
  readonly noise: number
  /** Of a request in which nothing could act, with sinks and without. */
  readonly ratio: number
}

const HEADERS = [
  ...[
    'Host',
    'shop.example',
    'Accept-Language',
    'en-US,en;q=0.5',
    'Accept-Encoding',
    'gzip, deflate, br, zstd',
  ],
  ...['User-Agent', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'],
  ...[
    'Accept',
    'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    'Connection',
    'keep-alive',
  ],
  ...['Cookie', 'session=0123456789abcdef0123456789abcdef; theme=dark'],
]
const LIMITS = { address: { limit: '60000000/1m' }, busy: false } as const

type Layer = Awaited<ReturnType<typeof postern>>

/** Measures engines with and without sinks, interleaved: open, decide, run an empty handler, settle. */
export async function sinkCost(size: {
  readonly rounds: number
  readonly requests: number
}): Promise<SinkCost> {
  const open = (sinks: false | object): Promise<Layer> =>
    postern({
      config: { audit: false, dataDirectory: false, limits: LIMITS, inspect: { sinks } },
      log: 'none',
    })
  // With addresses, every request is compared: any value may name a host.
  const [off, on, all] = [await open(false), await open({}), await open({ url: 'report' })]
  const samples: Record<'off' | 'again' | 'on' | 'all', number[]> = { off: [], again: [], on: [], all: [] }
  for (let round = -3; round < size.rounds; round++) {
    for (const [name, layer] of [
      ['off', off],
      ['on', on],
      ['again', off],
      ['all', all],
    ] as const) {
      const nanoseconds = cpuOf(layer, size.requests)
      if (round >= 0) samples[name].push(nanoseconds)
    }
  }
  for (const layer of [off, on, all]) await layer.close()
  const added = (of: readonly number[]): number =>
    Math.round(median(of.map((value, round) => value - (samples.off[round] as number))))
  return {
    inert: added(samples.on),
    compared: added(samples.all),
    noise: added(samples.again),
    ratio: median(samples.on.map((value, round) => value / (samples.off[round] as number))),
  }
}

/** What an application does with a request. */
const handler = (): string => 'handled'

function cpuOf({ engine }: Layer, requests: number): number {
  const before = process.cpuUsage()
  for (let i = 0; i < requests; i++) {
    const exchange = engine.open({
      method: 'GET',
      target: `/products/${i % 300}?page=${i % 7}&sort=price&q=blue+shoes`,
      headers: HEADERS,
      peer: `10.0.${(i * 7_919) % 20}.${i % 250}`,
      secure: false,
      httpVersion: '1.1',
      body: undefined,
      native: undefined,
    })
    const decision = engine.decide(exchange)
    if (decision instanceof Promise || decision.effect !== 'allow')
      throw new Error('a request of a browser must be allowed at once')
    if (engine.around === undefined) handler()
    else engine.around(exchange, handler)
    engine.settle(exchange, { status: 200, duration: 1, bytes: 5, aborted: false })
  }
  const { user, system } = process.cpuUsage(before)
  return ((user + system) * 1_000) / requests
}
