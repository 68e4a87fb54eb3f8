import type { PreviewResult, StoredEvent, TrafficShare, TrafficStore } from '@postern/console'
import { type Engine, mergedTarget, type Refusal, type RequestSource, VirtualClock } from '@postern/core'
import type { ReplayEngine } from '@postern/runtime'
import { PreviewCount } from './preview-count.ts'

export interface PreviewRunOptions {
  readonly traffic: Pick<TrafficStore, 'requestsAfter' | 'requestsFrom'>
  readonly before: ReplayEngine
  readonly after: ReplayEngine
  /** Epoch milliseconds. */
  readonly from: number
  /** Part of the actors whose requests are decided here; all unless given. */
  readonly share?: TrafficShare | undefined
  readonly onProgress: (done: number, total: number) => void
}

const PAGE = 1_000

/**
 * Decides kept requests by two configurations, in their order and on their own time, and compares. What was
 * not kept
 * is absent: bodies, most headers, masked parts of queries; rules over those stay silent in both.
 */
export async function previewRun(options: PreviewRunOptions): Promise<PreviewResult> {
  const { traffic, from, share, onProgress } = options
  // Counted once: the others work on parts of the same requests.
  const total = share === undefined || share.index === 0 ? await traffic.requestsFrom(from) : 0
  const before = await runOf(options.before, from)
  const after = await runOf(options.after, from)
  const count = new PreviewCount()
  let done = 0
  let last = 0
  for (;;) {
    const page = await traffic.requestsAfter(last, from, PAGE, share)
    if (page.length === 0) return count.result()
    for (const stored of page) {
      last = stored.id
      const source = sourceOf(stored)
      if (source === undefined) continue
      count.add(stored, await before(stored, source), await after(stored, source))
    }
    done += page.length
    onProgress(done, total)
  }
}

type Decide = (stored: StoredEvent, source: RequestSource) => Promise<Refusal | undefined>

async function runOf(make: ReplayEngine, start: number): Promise<Decide> {
  const clock = new VirtualClock(start)
  const engine = await make(clock)
  return (stored, source) => decide(engine, clock, stored, source)
}

async function decide(
  engine: Engine,
  clock: VirtualClock,
  { event }: StoredEvent,
  source: RequestSource,
): Promise<Refusal | undefined> {
  clock.advance(Math.max(0, event.time - clock.now()))
  const exchange = engine.open(source)
  const { principal, tenant } = event.actor
  if (principal !== undefined)
    exchange.setPrincipal({ kind: 'user', id: principal, ...(tenant !== undefined && { tenant }) })
  await engine.decide(exchange)
  const { decision } = exchange
  const { status = 200, duration = 0, bytes = 0 } = event.outcome ?? {}
  const isAllowed = decision.effect === 'allow'
  engine.settle(exchange, { status: isAllowed ? status : decision.status, duration, bytes, aborted: false })
  // What observe mode would refuse is what a preview is about.
  return isAllowed ? exchange.observed : decision
}

/** The request of an event; undefined where it was erased. */
function sourceOf({ event, erased }: StoredEvent): RequestSource | undefined {
  const { request, actor } = event
  if (erased || request === undefined || actor.address === undefined) return undefined
  return {
    method: request.method,
    target: mergedTarget(`${request.path}${request.query === '' ? '' : `?${request.query}`}`),
    headers: [
      'host',
      request.host === '' ? 'traffic.invalid' : request.host,
      ...(actor.agent === undefined ? [] : ['user-agent', actor.agent]),
    ],
    peer: actor.address,
    secure: false,
    httpVersion: '1.1',
    body: undefined,
    native: undefined,
  }
}
