/**
 * Fields that frame a message or belong to one connection (RFC 9110 sections 7.6.1
 * and 8.6): only a carrier may write them.
 */
const CARRIER_FIELDS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Fields by which a carrier describes the client to a backend. */
const FORWARDING_FIELDS: ReadonlySet<string> = new Set([
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-postern-identity',
  'x-request-id',
])

const NAME = /^[!#$%&'*+.^_`|~\w-]{1,256}$/
/**
 * Characters that a value must not contain (RFC 9110 section 5.5): a line break
 * would turn one header into two.
 */
const FORBIDDEN = /[^\t\x20-\x7e\x80-\xff]/

/**
 * Asserts that a guard may write this header of an answer.
 * @throws TypeError naming the header, never its value
 */
export function assertSettableHeader(name: string, value: string): void {
  if (typeof name !== 'string' || !NAME.test(name)) throw new TypeError('not a header name')
  if (typeof value !== 'string' || FORBIDDEN.test(value))
    throw new TypeError(`the value of header ${name} is not text that HTTP can carry`)
  if (CARRIER_FIELDS.has(name.toLowerCase()))
    throw new TypeError(`header ${name} belongs to the carrier: a guard cannot change it`)
}

/**
 * Asserts that a guard may write this header of a request.
 * @throws TypeError naming the header, never its value
 */
export function assertSettableRequestHeader(lowerName: string, value: string): void {
  assertSettableHeader(lowerName, value)
  if (lowerName !== lowerName.toLowerCase())
    throw new TypeError(`header ${lowerName}: write the name in lower case`)
  if (FORWARDING_FIELDS.has(lowerName))
    throw new TypeError(`header ${lowerName} belongs to the carrier: a guard cannot change it`)
}
