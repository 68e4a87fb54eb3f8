import type { Exchange, Refusal } from '@postern/core'

/** What a protocol check found wrong. */
export interface ProtocolFault {
  /** The last part of the rule id. */
  readonly rule: string
  readonly status: number
  readonly message: string
  /** Where, as in `Evidence.location`. */
  readonly location: string
  /** What stood there; cut to 120 characters. */
  readonly span?: string
  readonly facts?: Readonly<Record<string, string | number | boolean>>
  readonly exception?: string
  readonly headers?: readonly string[]
  /** The connection can no longer be trusted, or a body is left unread on it. */
  readonly close?: boolean
}

/** The refusal of a fault, with what the operator needs to judge it. */
export function protocolRefusal(fault: ProtocolFault): Refusal {
  return {
    effect: 'deny',
    guard: 'protocol',
    status: fault.status,
    reasons: [
      {
        rule: `protocol/${fault.rule}`,
        message: fault.message,
        evidence: {
          location: fault.location,
          ...(fault.span !== undefined && { span: fault.span.slice(0, 120) }),
          ...(fault.facts !== undefined && { facts: fault.facts }),
        },
        ...(fault.exception !== undefined && { exception: fault.exception }),
      },
    ],
    ...(fault.headers !== undefined && { headers: fault.headers }),
    ...(fault.close === true && { close: true }),
  }
}

/** The narrowest route of this exchange with one setting, ready to paste. */
export function exceptionFor(exchange: Exchange, setting: string): string {
  const pattern = exchange.route?.pattern ?? narrowPattern(exchange)
  return `routes: { ${JSON.stringify(pattern)}: { ${setting} } }`
}

/** The path itself as a pattern, where it can be one. */
function narrowPattern(exchange: Exchange): string {
  const path = exchange.path.canonical.slice(0, 200)
  const isPattern = path.startsWith('/') && !/[?#\s*:]|\/\//.test(path)
  return isPattern ? path : '/**'
}
