import { type Event, HttpEvent, type TraceContext, traceContext } from '@postern/core'
import { nanoseconds, type OtlpAttribute, otlpAttributes } from './otlp-json.ts'

/** A span in OTLP's JSON (`trace/v1`); ids are hex there, and enumerations numbers. */
export interface OtlpSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly flags: number
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly OtlpAttribute[]
  readonly status: { readonly code?: number }
}

const SERVER = 2
const ERROR = 2
/** Methods of the semantic conventions; any other word is the client's own. */
const METHODS: ReadonlySet<string> = new Set(
  'CONNECT DELETE GET HEAD OPTIONS PATCH POST PUT TRACE QUERY'.split(' '),
)

/**
 * The span of an exchange that ended; undefined for other events, and where it is not sampled. Refusals
 * always
 * are. Attributes are those of the semantic conventions for HTTP servers and of the decision, and none
 * says who asked, or for what beyond the pattern of the route.
 */
export function spanOf(event: Event, ratio: number): OtlpSpan | undefined {
  const { request, outcome, decision, observed, reasons, guard, time } = event
  if (event.type !== 'http' || request === undefined || outcome === undefined) return undefined
  const trace = traceContext(traceparentOf(event), request.id, ratio)
  const isPlain = decision === 'allow' && observed === undefined
  if (!trace.sampled && isPlain) return undefined
  const method = METHODS.has(request.method) ? request.method : '_OTHER'
  const { status, duration, aborted } = outcome
  return {
    ...idsOf(trace),
    name: request.route === undefined ? method : `${method} ${pathOf(request.route)}`,
    kind: SERVER,
    startTimeUnixNano: nanoseconds(time),
    endTimeUnixNano: nanoseconds(time + duration),
    attributes: otlpAttributes({
      'http.request.method': method,
      'http.response.status_code': status === 0 ? undefined : status,
      'http.route': request.route === undefined ? undefined : pathOf(request.route),
      'error.type': status >= 500 ? String(status) : aborted ? 'aborted' : undefined,
      'postern.request_id': request.id,
      'postern.decision': decision,
      'postern.observed': observed,
      'postern.guard': guard,
      'postern.rule': reasons?.[0]?.rule,
    }),
    status: status >= 500 || aborted ? { code: ERROR } : {},
  }
}

/** Bits 8 and 9 say that it is known whether the parent is in another process, and that it is. */
function idsOf({
  traceId,
  spanId,
  parentId,
  sampled,
}: TraceContext): Omit<
  OtlpSpan,
  'name' | 'kind' | 'startTimeUnixNano' | 'endTimeUnixNano' | 'attributes' | 'status'
> {
  const flags = (sampled ? 1 : 0) | (parentId === undefined ? 0 : 0x300)
  return { traceId, spanId, ...(parentId !== undefined && { parentSpanId: parentId }), flags }
}

/** A pattern without its method: `/orders/:id`. */
function pathOf(pattern: string): string {
  return pattern.slice(pattern.indexOf('/'))
}

/** As the client sent it, to this thread or to a worker. */
function traceparentOf(event: Event): string | undefined {
  if (event instanceof HttpEvent) return event.exchange.header('traceparent')
  const sent = event.data?.['traceparent']
  return typeof sent === 'string' ? sent : undefined
}
