import type { RequestSource } from '@postern/core'
import type { LogRecord } from '@postern/detect'

const UNKNOWN_HOST = 'log.invalid'
const MAX_KNOWN = 8_192
const MAX_LENGTH = 512

let known = new Map<string, string>()

/**
 * The same text as the same object: a log says few agents and referers over and over, and what is looked up by them then neither hashes nor
 * compares them again. A fixed number is kept.
 */
function sameObject(text: string): string {
  if (text.length > MAX_LENGTH) return text
  const first = known.get(text)
  if (first !== undefined) return first
  if (known.size >= MAX_KNOWN) known = new Map()
  known.set(text, text)
  return text
}

/** A log line as a request: what the log does not keep (body, most headers) is absent, so rules over those stay silent. */
export function replayedRequest(entry: LogRecord): RequestSource {
  const headers = ['host', entry.host === undefined ? UNKNOWN_HOST : sameObject(entry.host)]
  if (entry.agent !== undefined) headers.push('user-agent', sameObject(entry.agent))
  if (entry.referer !== undefined) headers.push('referer', sameObject(entry.referer))
  return {
    method: sameObject(entry.method),
    target: entry.target,
    headers,
    peer: sameObject(entry.address),
    secure: false,
    httpVersion: entry.httpVersion,
    body: undefined,
    native: undefined,
  }
}
