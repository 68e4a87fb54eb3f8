import type { Event } from './event.ts'
import type { Finding } from './remediation.ts'

/** Code that watches events. */
export interface Detector {
  readonly name: string
  /** Called for every event, on the thread of the requests: quick, bounded, synchronous. */
  observe(event: Event): readonly Finding[] | undefined
}
