import type { Event, EventRecorder } from '../event/event.ts'
import type { Detector } from '../remediation/detector.ts'
import type { Finding, Remediation, Remediations } from '../remediation/remediation.ts'

/** Called with every event, after detectors and recorder: the console's live view, tests. */
export type EventListener = (event: Event) => void

export interface EventPublisherOptions {
  readonly detectors: readonly Detector[]
  readonly recorder: EventRecorder | undefined
  readonly remediations: Remediations | undefined
  /** Receives what detectors, recorder and listeners threw. Must not throw. */
  readonly report: (part: string, error: unknown) => void
}

/**
 * Takes every event of an engine to recorder, listeners and detectors, and what detectors find back to the
 * remediations. Never throws.
 */
export class EventPublisher {
  readonly #options: EventPublisherOptions
  readonly #detectors: readonly Detector[]
  /** Replaced, never mutated: it is read for every event and hardly ever changes. */
  #listeners: readonly EventListener[] = []

  constructor(options: EventPublisherOptions) {
    this.#options = options
    this.#detectors = options.detectors
  }

  /** Whether an event that is not recorded reaches anybody. */
  get isHeard(): boolean {
    return this.#detectors.length > 0 || this.#listeners.length > 0
  }

  /** Adds a listener; the returned function removes it. */
  listen(listener: EventListener): () => void {
    if (!this.#listeners.includes(listener)) this.#listeners = [...this.#listeners, listener]
    return () => {
      this.#listeners = this.#listeners.filter(other => other !== listener)
    }
  }

  publish(event: Event, record: boolean): void {
    if (record || this.#listeners.length > 0) this.#tell(event, record)
    for (let i = 0; i < this.#detectors.length; i++) {
      const detector = this.#detectors[i] as Detector
      try {
        const findings = detector.observe(event)
        if (findings !== undefined) for (const finding of findings) this.#respond(finding, event)
      } catch (error) {
        this.#options.report(`detector ${detector.name}`, error)
      }
    }
  }

  #tell(event: Event, record: boolean): void {
    if (record && this.#options.recorder !== undefined) {
      try {
        this.#options.recorder.record(event)
      } catch (error) {
        this.#options.report('recorder', error)
      }
    }
    const listeners = this.#listeners
    for (let i = 0; i < listeners.length; i++) {
      try {
        listeners[i]?.(event)
      } catch (error) {
        this.#options.report('listener', error)
      }
    }
  }

  #apply(finding: Finding): Remediation | undefined {
    if (finding.respond === undefined || this.#options.remediations === undefined) return undefined
    try {
      return this.#options.remediations.apply(finding)
    } catch (error) {
      this.#options.report('remediations', error)
      return undefined
    }
  }

  #respond(finding: Finding, cause: Event): void {
    const remediation = this.#apply(finding)
    const event: Event = {
      type: 'finding',
      time: cause.time,
      actor: cause.actor,
      ...(cause.request !== undefined && { request: cause.request }),
      data: {
        scenario: finding.scenario,
        title: finding.title,
        severity: finding.severity,
        actorKind: finding.actor.kind,
        actorValue: finding.actor.value,
        count: finding.count,
        requests: finding.requests,
        ...(remediation !== undefined && { remediation: remediation.id, measure: remediation.measure }),
      },
    }
    this.#tell(event, true)
  }
}
