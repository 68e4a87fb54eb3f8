import { createHash } from 'node:crypto'

/** Where an exchange stands in a trace (W3C Trace Context, Recommendation of 2021). */
export interface TraceContext {
  /** 32 hex digits. */
  readonly traceId: string
  /** 16 hex digits: the span of the exchange. */
  readonly spanId: string
  /** The caller's span; undefined where the trace begins here. */
  readonly parentId: string | undefined
  readonly sampled: boolean
}

/** Section 3.2: later versions may append fields after a dash, version ff is invalid, so are ids of zeros. */
const TRACEPARENT =
  /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:$|-)/

/**
 * The place of an exchange in a trace: the caller's trace goes on, or one begins. The span's id comes
 * from the request id, so that whoever knows the request knows it, on whichever thread.
 * @param traceparent header as the client sent it; a malformed one is ignored
 * @param ratio of the traces that begin here which are sampled, 0 to 1; a caller decides for its own
 */
export function traceContext(
  traceparent: string | undefined,
  requestId: string,
  ratio: number,
): TraceContext {
  const own = createHash('sha256').update(`postern trace\n${requestId}`).digest('hex')
  const spanId = own.slice(0, 16)
  const match = traceparent === undefined ? null : TRACEPARENT.exec(traceparent)
  const [whole = '', version = '', traceId = '', parentId = '', flags = ''] = match ?? []
  if (match === null || (version === '00' && whole.endsWith('-')))
    return {
      traceId: own.slice(16, 48),
      spanId,
      parentId: undefined,
      sampled: Number.parseInt(own.slice(48, 56), 16) < ratio * 2 ** 32,
    }
  return { traceId, spanId, parentId, sampled: (Number.parseInt(flags, 16) & 1) === 1 }
}

/** The header that hands a trace on. */
export function traceparentOf({ traceId, spanId, sampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-0${sampled ? 1 : 0}`
}
