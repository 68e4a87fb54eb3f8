import type { RequestSource } from '@postern/core'
import type { LogRecord } from '@postern/detect'

const UNKNOWN_HOST = 'log.invalid'

/** A log line as a request: what the log does not keep (body, most headers) is absent, so rules over those stay silent. */
export function replayedRequest(entry: LogRecord): RequestSource {
  const headers = ['host', entry.host ?? UNKNOWN_HOST]
  if (entry.agent !== undefined) headers.push('user-agent', entry.agent)
  if (entry.referer !== undefined) headers.push('referer', entry.referer)
  return {
    method: entry.method,
    target: entry.target,
    headers,
    peer: entry.address,
    secure: false,
    httpVersion: entry.httpVersion,
    body: undefined,
    native: undefined,
  }
}
