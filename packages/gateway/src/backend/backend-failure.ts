import type { Refusal } from '@postern/core'
import { errorCode } from '@postern/core'
import { ResponseFault } from '../message/response-head.ts'

/** How the backend failed an exchange. */
export type BackendFailure = 'unreachable' | 'exhausted' | 'timeout' | 'closed' | 'invalid' | 'request'

const TIMEOUTS: ReadonlySet<string> = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'ETIMEDOUT',
])

/** It is this process, or machine, that can open no more. */
const EXHAUSTED: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS'])

const CLOSED: ReadonlySet<string> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE', 'ECONNABORTED'])

const INVALID: ReadonlySet<string> = new Set([
  'UND_ERR_HEADERS_OVERFLOW',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'UND_ERR_RES_EXCEEDED_MAX_SIZE',
])

const UNREACHABLE: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
])

/** What an error of the client to the backend means. */
export function backendFailure(error: unknown): BackendFailure {
  if (error instanceof ResponseFault) return 'invalid'
  const code = errorCode(error) ?? ''
  if (TIMEOUTS.has(code)) return 'timeout'
  if (CLOSED.has(code))
    return error instanceof Error && error.message.startsWith('bad ') ? 'invalid' : 'closed'
  // What the parser of undici refuses has a code in some versions only.
  if (error instanceof Error && error.name === 'HTTPParserError') return 'invalid'
  if (code.startsWith('HPE_') || code.startsWith('ERR_') || INVALID.has(code)) return 'invalid'
  if (EXHAUSTED.has(code)) return 'exhausted'
  if (UNREACHABLE.has(code)) return 'unreachable'
  if (code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH') return 'request'
  return 'unreachable'
}

const STATUSES: Readonly<Record<BackendFailure, number>> = {
  unreachable: 502,
  exhausted: 503,
  timeout: 504,
  closed: 502,
  invalid: 502,
  request: 400,
}

const MESSAGES: Readonly<Record<BackendFailure, string>> = {
  unreachable: 'The service behind this address cannot be reached at the moment. Please try again shortly.',
  exhausted: 'Too many connections are open here at the moment. Please try again shortly.',
  timeout: 'The service behind this address did not answer in time. Please try again shortly.',
  closed: 'The service behind this address broke off its answer. Please try again shortly.',
  invalid: 'The service behind this address sent an answer that is not valid.',
  request: 'The request cannot be passed on.',
}

/** The answer to a failure: 502, 503, 504 or 400, and nothing about where or what the backend is. */
export function failureRefusal(failure: BackendFailure): Refusal {
  return {
    effect: 'deny',
    guard: 'gateway',
    status: STATUSES[failure],
    ...(failure === 'exhausted' && { retryAfter: 1 }),
    reasons: [{ rule: `gateway/backend-${failure}`, message: MESSAGES[failure] }],
  }
}
