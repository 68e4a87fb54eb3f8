import { notedPrincipal } from '@postern/console'
import {
  claimedCredential,
  type Detector,
  type Event,
  type EventRecorder,
  type Exchange,
  type Finding,
  HttpEvent,
  type Receipt,
  StoreError,
} from '@postern/core'
import type { ForwardedEvent, FromWorker, ToWorker } from '../plan/worker-plan.ts'

const MAX_BATCH = 512
/** Batches the main thread has not taken yet; beyond, events wait here. */
const MAX_UNDER_WAY = 8
/** Allowed requests that may wait; further ones are lost, and counted. */
const MAX_ORDINARY = 8_192
/**
 * Everything else (refusals, failures of a backend, bans) has far more room: it is what an attacker would
 * want lost.
 */
const MAX_ESSENTIAL = 65_536

interface Waiting {
  readonly order: number
  readonly event: ForwardedEvent
}

/**
 * The worker's end of the log and of the detectors, which are on the main thread: hands events over in
 * batches, one a turn of the event loop, in their order. Bounded: when the main thread falls behind, allowed
 * requests are lost first, and every loss is reported with the next batch.
 */
export class EventForwarder implements EventRecorder, Detector {
  readonly name = 'forwarder'
  readonly #send: (message: FromWorker) => void
  readonly #countryOf: (exchange: Exchange) => string
  readonly #made: Int32Array
  readonly #commits = new Map<number, { resolve(receipt: Receipt): void; reject(error: Error): void }>()
  #ordinary: Waiting[] = []
  #essential: Waiting[] = []
  /** The event that the engine had recorded last: it shows the same one to detectors next. */
  #recorded: Event | undefined
  #scheduled: NodeJS.Immediate | undefined
  #underWay = 0
  #next = 0
  #lost = 0

  /**
   * @param countryOf country of a client, empty where it is not known
   * @param made one word, counted up with each event: the main thread reads it when this thread is gone
   */
  constructor(
    send: (message: FromWorker) => void,
    countryOf: (exchange: Exchange) => string = () => '',
    made: Int32Array = new Int32Array(1),
  ) {
    this.#send = send
    this.#countryOf = countryOf
    this.#made = made
  }

  record(event: Event): void {
    this.#recorded = event
  }

  observe(event: Event): readonly Finding[] | undefined {
    const record = this.#recorded === event ? 'record' : 'pass'
    this.#recorded = undefined
    this.#made[0] = (this.#made[0] as number) + 1
    const isOrdinary = event.type === 'http' && event.decision === 'allow' && event.observed === undefined
    const queue = isOrdinary ? this.#ordinary : this.#essential
    if (queue.length >= (isOrdinary ? MAX_ORDINARY : MAX_ESSENTIAL)) {
      this.#lost++
      return undefined
    }
    queue.push({ order: this.#next++, event: this.#forwarded(event, record) })
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
    while (this.#waiting > 0) this.#sendBatch()
  }

  get #waiting(): number {
    return this.#ordinary.length + this.#essential.length
  }

  #schedule(): void {
    if (this.#scheduled !== undefined || this.#waiting === 0 || this.#underWay >= MAX_UNDER_WAY) return
    this.#scheduled = setImmediate(() => {
      this.#scheduled = undefined
      this.#sendBatch()
      this.#schedule()
    })
  }

  #sendBatch(): void {
    const events: ForwardedEvent[] = []
    let ordinary = 0
    let essential = 0
    while (events.length < MAX_BATCH) {
      const first = this.#ordinary[ordinary]
      const second = this.#essential[essential]
      if (first === undefined && second === undefined) break
      if (second === undefined || (first !== undefined && first.order < second.order)) {
        events.push((first as Waiting).event)
        ordinary++
      } else {
        events.push(second.event)
        essential++
      }
    }
    this.#ordinary = this.#ordinary.slice(ordinary)
    this.#essential = this.#essential.slice(essential)
    this.#underWay++
    const lost = this.#lost
    this.#lost = 0
    this.#send({ kind: 'events', batch: this.#next++, events, lost })
  }

  #forwarded(event: Event, record: ForwardedEvent['record']): ForwardedEvent {
    if (!(event instanceof HttpEvent)) return { event, record, seen: undefined }
    const { source, principal, stopwatch } = event.exchange
    const isPlain = event.decision === 'allow' && event.observed === undefined
    const claimed = claimedCredential(event.exchange)
    const country = this.#countryOf(event.exchange)
    const acting = notedPrincipal(principal)
    const traceparent = event.exchange.header('traceparent')?.slice(0, 128)
    const seen = {
      target: source.target.slice(0, 4_096),
      referer: event.exchange.header('referer')?.slice(0, 1_024) ?? '',
      httpVersion: source.httpVersion,
      ...(country !== '' && { country }),
      ...(acting !== undefined && { acting }),
      ...(traceparent !== undefined && { traceparent }),
      ...(claimed !== undefined && { credential: claimed }),
      ...(principal.kind === 'apiKey' && { key: principal.id }),
      ...(stopwatch !== undefined && { layer: stopwatch.total }),
      // Copying a list for every allowed request would cost more than it shows.
      ...(stopwatch !== undefined && !isPlain && { guardTimes: stopwatch.times }),
    }
    return { event: event.toJSON(), record, seen }
  }
}
