// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

/**
 * Headers that carry no text of the caller's choosing beyond what the HTTP parser allows, or a secret that
 * must not be remembered.
 */
const UNREAD = new Set(['host', 'content-length', 'connection', 'content-encoding', 'transfer-encoding'])
const UNREAD_LENGTHS = new Uint8Array(32)
for (const name of UNREAD) UNREAD_LENGTHS[name.length] = 1
const FILE_NAME_HEADER = /^x[._-]?file[._-]?name$/i
const SECRET_HEADER = /key|token|secret|auth|sess|pass|credential|signature/i

/**
 * Whether a header is not read. By the length first: most names are of no length of theirs, and need not be
 * put into lower case.
 */
export function isUnread(name: string): boolean {
  if (UNREAD_LENGTHS[name.length] !== 1) return false
  return name === 'Host' || name === 'Connection' || UNREAD.has(name.toLowerCase())
}

/**
 * Headers that a framework sends to itself, or that a server hands to scripts under the name of a setting
 * ("httpoxy"): no client has a reason to send them.
 */
const INTERNAL_HEADERS = new Set([
  'proxy',
  'x-middleware-subrequest',
  'x-pan-authcheck',
  'vlsync',
  'spring.cloud.function.routing-expression',
])
const INTERNAL_LENGTHS = new Uint8Array(64)
for (const name of INTERNAL_HEADERS) INTERNAL_LENGTHS[name.length] = 1

/** Headers that name what a route of Apache Camel runs. */
const CAMEL_HEADER = /^camel(?:exec|bean|file|sql|http|jdbc|language|script)/i

/**
 * Whether no client has a reason to send a header. By the length, or the first letter, first: as `isUnread`.
 */
export function isInternalHeader(name: string): boolean {
  if (INTERNAL_LENGTHS[name.length] === 1 && INTERNAL_HEADERS.has(name.toLowerCase())) return true
  // Not for `Cookie`, which comes with most requests.
  return name.length !== 6 && (charCodeAt.call(name, 0) | 32) === 99 && CAMEL_HEADER.test(name)
}

/**
 * Whether a header's value must not be remembered: cookies and keys are secrets, and a file name is looked at
 * in a way of its own.
 */
export function isUnremembered(name: string): boolean {
  return isCookie(name) || isFileName(name) || SECRET_HEADER.test(name)
}

/** `Cookie`, in any case. */
export function isCookie(name: string): boolean {
  return name.length === 6 && name.toLowerCase() === 'cookie'
}

/** A header that names a file that is uploaded: `X-File-Name`. */
export function isFileName(name: string): boolean {
  return name.length <= 11 && FILE_NAME_HEADER.test(name)
}
