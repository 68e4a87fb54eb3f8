import {
  type Detector,
  type Event,
  type EventRecorder,
  type Finding,
  HttpEvent,
  type Receipt,
  StoreError,
} from '@postern/core'
import type { ForwardedEvent, FromWorker, ToWorker } from './worker-plan.ts'

const MAX_BATCH = 512
/** Batches the main thread has not taken yet; beyond, events wait here, and then are lost and counted. */
const MAX_UNDER_WAY = 8
const MAX_WAITING = 8_192

/**
 * The worker's end of the log and of the detectors, which are on the main thread: hands events over in batches, one a turn of the event loop.
 * Bounded: when the main thread falls behind, events beyond 8,192 are dropped and counted.
 */
export class EventForwarder implements EventRecorder, Detector {
  readonly name = 'forwarder'
  readonly #send: (message: FromWorker) => void
  readonly #commits = new Map<number, { resolve(receipt: Receipt): void; reject(error: Error): void }>()
  #waiting: ForwardedEvent[] = []
  /** The event that the engine had recorded last: it shows the same one to detectors next. */
  #recorded: Event | undefined
  #scheduled: NodeJS.Immediate | undefined
  #underWay = 0
  #next = 0
  #lost = 0

  constructor(send: (message: FromWorker) => void) {
    this.#send = send
  }

  /** Events dropped since the start. */
  get lost(): number {
    return this.#lost
  }

  record(event: Event): void {
    this.#recorded = event
  }

  observe(event: Event): readonly Finding[] | undefined {
    const record = this.#recorded === event ? 'record' : 'pass'
    this.#recorded = undefined
    if (this.#waiting.length >= MAX_WAITING) {
      this.#lost++
      return undefined
    }
    this.#waiting.push(forwarded(event, record))
    this.#schedule()
    return undefined
  }

  commit(event: Event): Promise<Receipt> {
    const id = this.#next++
    return new Promise((resolve, reject) => {
      this.#commits.set(id, { resolve, reject })
      this.#send({ kind: 'commit', id, event })
    })
  }

  /** Takes an answer of the main thread that is meant for this worker. */
  answer(message: ToWorker): void {
    if (message.kind === 'taken') {
      this.#underWay--
      this.#schedule()
      return
    }
    const waiting = this.#commits.get(message.id)
    this.#commits.delete(message.id)
    if (message.kind === 'failed')
      waiting?.reject(new StoreError(message.problem, { store: 'audit log', retryable: true }))
    else
      waiting?.resolve({
        index: message.index,
        ...(message.leafHash !== undefined && { leafHash: message.leafHash }),
      })
  }

  /** Hands over what still waits; for the end of the worker. */
  flush(): void {
    while (this.#waiting.length > 0) this.#sendBatch()
  }

  #schedule(): void {
    if (this.#scheduled !== undefined || this.#waiting.length === 0 || this.#underWay >= MAX_UNDER_WAY) return
    this.#scheduled = setImmediate(() => {
      this.#scheduled = undefined
      this.#sendBatch()
      this.#schedule()
    })
  }

  #sendBatch(): void {
    const events = this.#waiting.slice(0, MAX_BATCH)
    this.#waiting = this.#waiting.slice(MAX_BATCH)
    this.#underWay++
    this.#send({ kind: 'events', batch: this.#next++, events })
  }
}

function forwarded(event: Event, record: ForwardedEvent['record']): ForwardedEvent {
  if (!(event instanceof HttpEvent)) return { event, record, seen: undefined }
  const { source, principal } = event.exchange
  const seen = {
    target: source.target.slice(0, 4_096),
    referer: event.exchange.header('referer')?.slice(0, 1_024) ?? '',
    httpVersion: source.httpVersion,
    ...(principal.kind === 'apiKey' && { key: principal.id }),
  }
  return { event: event.toJSON(), record, seen }
}
