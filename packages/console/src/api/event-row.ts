import type { Evidence } from '@postern/core'
import { type StoredEvent, type TrafficEvent, type Verdict, verdictOf } from '../traffic/traffic-event.ts'
import { layerTime } from '../traffic/traffic-recorder.ts'

/** One event as a line of a list. */
export interface EventRow {
  /** Number in the store; absent for one that is not written yet. */
  readonly id?: number
  readonly time: number
  readonly type: string
  readonly verdict: Verdict
  /** Id of the request. */
  readonly request?: string
  readonly method?: string
  readonly host?: string
  readonly path?: string
  readonly query?: string
  readonly route?: string
  readonly status?: number
  /** Milliseconds in all. */
  readonly duration?: number
  /** Milliseconds in the guards. */
  readonly layer?: number
  readonly address?: string
  readonly principal?: string
  readonly agent?: string
  readonly rule?: string
  readonly evidence?: Evidence
  /** The instance that kept it, where several share a store. */
  readonly instance?: string
  /** Requests that it stands for. */
  readonly weight: number
  readonly erased?: true
  /** What other events than requests say. */
  readonly data?: unknown
  readonly action?: string
}

/** The row of an event, stored or on its way. */
export function eventRow(stored: TrafficEvent | StoredEvent): EventRow {
  const { event, weight, guardTimes } = stored
  const { request, actor, outcome, reasons } = event
  const reason = reasons?.[0]
  return {
    ...('id' in stored && { id: stored.id }),
    time: event.time,
    type: event.type,
    verdict: verdictOf(event),
    weight,
    ...(request !== undefined && {
      request: request.id,
      method: request.method,
      host: request.host,
      path: request.path,
      query: request.query,
      ...(request.route !== undefined && { route: request.route }),
    }),
    ...(outcome !== undefined && { status: outcome.status, duration: outcome.duration }),
    ...(guardTimes !== undefined && { layer: layerTime(guardTimes) }),
    ...(actor.address !== undefined && { address: actor.address }),
    ...(actor.principal !== undefined && { principal: actor.principal }),
    ...(actor.agent !== undefined && { agent: actor.agent }),
    ...(reason !== undefined && { rule: reason.rule }),
    ...(reason?.evidence !== undefined && { evidence: reason.evidence }),
    ...('instance' in stored && stored.instance !== undefined && { instance: stored.instance }),
    ...('erased' in stored && stored.erased && { erased: true as const }),
    ...(event.type !== 'http' && event.data !== undefined && { data: event.data }),
    ...(event.action !== undefined && { action: event.action }),
  }
}
