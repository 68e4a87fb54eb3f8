import type { ConfigException, Refusal } from '@postern/core'

/** What a protocol check found wrong. */
export interface ProtocolFault {
  /** The last part of the rule id. */
  readonly rule: string
  readonly status: number
  readonly message: string
  /** Where, as in `Evidence.location`. */
  readonly location: string
  /** The offending text, cut to 120 characters. */
  readonly span?: string
  readonly facts?: Readonly<Record<string, string | number | boolean>>
  /** Absent when nothing can let the request pass. */
  readonly exception?: ConfigException
  readonly headers?: readonly string[]
  /** The connection can no longer be trusted, or a body is left unread on it. */
  readonly close?: boolean
}

/**
 * The refusal for everything that is wrong with one request: the first fault gives the reason, and the
 * exception covers all of them, or is absent when one of them has none.
 */
export function protocolRefusal(faults: readonly [ProtocolFault, ...ProtocolFault[]]): Refusal {
  const [fault] = faults
  const exception = faults.every(({ exception }) => exception !== undefined)
    ? { changes: faults.flatMap(({ exception }) => exception?.changes ?? []) }
    : undefined
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
        ...(exception !== undefined && { exception }),
      },
    ],
    ...(fault.headers !== undefined && { headers: fault.headers }),
    ...(faults.some(({ close }) => close === true) && { close: true }),
  }
}
