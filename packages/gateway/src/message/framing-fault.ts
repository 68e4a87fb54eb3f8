import type { Refusal } from '@postern/core'

/**
 * Why a request is not forwarded at all: what two parsers could read differently, or no server has to accept.
 */
export interface FramingFault {
  /** Rule id: `framing/two-lengths`. */
  readonly rule: string
  /** HTTP status of the answer. */
  readonly status: number
  /** One sentence for the caller. */
  readonly message: string
}

/** What can be wrong with a request as a message. */
export type FramingRule =
  | 'bad-method'
  | 'method-not-allowed'
  | 'bad-target'
  | 'target-too-long'
  | 'bad-version'
  | 'too-many-headers'
  | 'headers-too-large'
  | 'bad-header'
  | 'no-host'
  | 'several-hosts'
  | 'bad-host'
  | 'host-mismatch'
  | 'bad-length'
  | 'two-lengths'
  | 'bad-transfer-encoding'
  | 'bad-connection'
  | 'bad-expectation'
  | 'bad-upgrade'
  | 'upgrade-with-body'
  | 'malformed'
  | 'tls'
  | 'plain-http'
  | 'http2-without-tls'
  | 'proxy-protocol'
  | 'head-timeout'
  | 'body-timeout'
  | 'bad-chunk'

const FAULTS: Readonly<Record<FramingRule, readonly [status: number, message: string]>> = {
  'bad-method': [400, 'The request method is not valid.'],
  'method-not-allowed': [405, 'This method is not served here.'],
  'bad-target': [400, 'The request target is not valid.'],
  'target-too-long': [414, 'The address of the request is too long: at most 8,192 characters are read.'],
  'bad-version': [505, 'Only HTTP/1.0, HTTP/1.1 and HTTP/2 are served here.'],
  'too-many-headers': [431, 'The request has too many header fields.'],
  'headers-too-large': [431, 'The header fields of the request are too large.'],
  'bad-header': [400, 'A header field has a name or value that is not allowed.'],
  'no-host': [400, 'The request names no host.'],
  'several-hosts': [400, 'The request names more than one host.'],
  'bad-host': [400, 'The host of the request is not valid.'],
  'host-mismatch': [400, 'The request names two different hosts.'],
  'bad-length': [400, 'The Content-Length of the request is not valid.'],
  'two-lengths': [400, 'The request states the length of its body twice.'],
  'bad-transfer-encoding': [400, 'The Transfer-Encoding of the request is not supported.'],
  'bad-connection': [400, 'The Connection header of the request is not valid.'],
  'bad-expectation': [417, 'The Expect header of the request is not supported.'],
  'bad-upgrade': [400, 'The upgrade request is not valid.'],
  'upgrade-with-body': [400, 'An upgrade request must not have a body.'],
  malformed: [400, 'The request is not valid HTTP.'],
  tls: [400, 'The client speaks TLS, and this port serves plain HTTP: call it by http://, or configure tls.'],
  'plain-http': [400, 'This port serves TLS, which the client does not speak: call it by https://.'],
  'http2-without-tls': [
    505,
    'The client speaks HTTP/2 without TLS, which is not served: use HTTP/1.1, or configure tls.',
  ],
  'proxy-protocol': [
    400,
    'The connection begins with the PROXY protocol, which this port does not expect: switch it off in the load balancer, or name its addresses in proxyProtocolFrom.',
  ],
  'head-timeout': [408, 'The request did not arrive in time.'],
  'body-timeout': [408, 'The body of the request arrived too slowly.'],
  'bad-chunk': [400, 'The body of the request is not valid HTTP.'],
}

/** The fault of a rule. */
export function framingFault(rule: FramingRule): FramingFault {
  const [status, message] = FAULTS[rule]
  return { rule: `framing/${rule}`, status, message }
}

/**
 * A fault as the engine's word; the connection is closed, since where the next request starts is no longer
 * certain.
 */
export function framingRefusal(fault: FramingFault): Refusal {
  return {
    effect: 'deny',
    guard: 'framing',
    status: fault.status,
    reasons: [{ rule: fault.rule, message: fault.message }],
    close: true,
    ...(fault.status === 405 && { headers: ['Allow', 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'] }),
  }
}
