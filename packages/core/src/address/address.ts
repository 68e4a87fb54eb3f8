import { isIPv6 } from 'node:net'

// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

declare const canonical: unique symbol

/**
 * An IP address in the one spelling that stands for it: IPv4 dotted, IPv6 as RFC 5952, IPv4-mapped forms
 * folded to IPv4, no zone. Two spellings of one address are one `Address`, so it can be a key.
 */
export type Address = string & { readonly [canonical]: 'address' }

/** Spellings that are kept; a full table is emptied. */
const MOST_KEPT = 4_096

/** The canonical form of an address; undefined when the text is not an address. Never throws. */
export function parseAddress(text: string): Address | undefined {
  // Of IPv4 there is one spelling, and reading it takes less time than looking it up.
  if (isDotted(text)) return text as Address
  return addresses.of(text)
}

/** Addresses by a spelling of theirs, in a table of fixed size. */
class KnownAddresses {
  #known = new Map<string, Address>()

  of(text: string): Address | undefined {
    const known = this.#known.get(text)
    if (known !== undefined) return known
    if (text.length > 64) return undefined
    const parsed = canonicalise(text)
    if (parsed !== undefined) {
      if (this.#known.size >= MOST_KEPT) this.#known = new Map()
      this.#known.set(text, parsed)
    }
    return parsed
  }
}

const addresses = new KnownAddresses()

/**
 * Whether a text is an IPv4 address: four numbers from 0 to 255 without leading zeros, as `isIPv4` of
 * node:net has it.
 */
function isDotted(text: string): boolean {
  const { length } = text
  if (length < 7 || length > 15) return false
  let value = NO_DIGIT
  let dots = 0
  for (let i = 0; i < length; i++) {
    const digit = charCodeAt.call(text, i) - 48
    if (digit === DOT) {
      if (value === NO_DIGIT || ++dots > 3) return false
      value = NO_DIGIT
    } else {
      value = withDigit(value, digit)
      if (value === INVALID) return false
    }
  }
  return dots === 3 && value !== NO_DIGIT
}

/** What a dot is as a digit, a number before its first digit, and what an address cannot hold. */
const DOT = -2
const NO_DIGIT = -1
const INVALID = -2

/** One of the four numbers with one digit more, or `INVALID`. */
function withDigit(value: number, digit: number): number {
  // A zero that leads is octal to some readers.
  if (digit < 0 || digit > 9 || value === 0) return INVALID
  const longer = value === NO_DIGIT ? digit : value * 10 + digit
  return longer > 255 ? INVALID : longer
}

function canonicalise(text: string): Address | undefined {
  const bytes = addressBytes(text)
  return bytes === undefined ? undefined : formatBytes(bytes)
}

/** The 4 or 16 bytes of an address (mapped IPv4 gives 4); undefined when the text is not an address. */
export function addressBytes(text: string): Uint8Array | undefined {
  if (isDotted(text)) return ipv4Bytes(text)
  const zone = text.indexOf('%')
  const bare = zone < 0 ? text : text.slice(0, zone)
  if (zone === text.length - 1 || !isIPv6(bare)) return undefined
  const bytes = ipv6Bytes(bare)
  return isMapped(bytes) ? bytes.slice(12) : bytes
}

/**
 * Digit by digit: every decision may need the bytes of an address, and splitting costs several times as much.
 */
function ipv4Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(4)
  let index = 0
  let value = 0
  for (let i = 0; i < text.length; i++) {
    const digit = charCodeAt.call(text, i) - 48
    if (digit < 0) {
      bytes[index++] = value
      value = 0
    } else value = value * 10 + digit
  }
  bytes[index] = value
  return bytes
}

function ipv6Bytes(text: string): Uint8Array {
  const dotted = text.lastIndexOf(':') + 1
  let groups = text
  if (text.includes('.')) {
    const [a = 0, b = 0, c = 0, d = 0] = text.slice(dotted).split('.').map(Number)
    groups = `${text.slice(0, dotted)}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
  }
  const [head = '', tail] = groups.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const bytes = new Uint8Array(16)
  for (const [index, group] of left.entries()) writeGroup(bytes, index, group)
  for (const [index, group] of right.entries()) writeGroup(bytes, 8 - right.length + index, group)
  return bytes
}

function writeGroup(bytes: Uint8Array, index: number, group: string): void {
  const value = Number.parseInt(group, 16)
  bytes[index * 2] = value >> 8
  bytes[index * 2 + 1] = value & 0xff
}

/** `::ffff:a.b.c.d` (RFC 4291 section 2.5.5.2). */
function isMapped(bytes: Uint8Array): boolean {
  for (let i = 0; i < 10; i++) if (bytes[i] !== 0) return false
  return bytes[10] === 0xff && bytes[11] === 0xff
}

/** The canonical text of 4 or 16 bytes (RFC 5952 section 4). */
export function formatBytes(bytes: Uint8Array): Address {
  if (bytes.length === 4) return bytes.join('.') as Address
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[i * 2] ?? 0) << 8) | (bytes[i * 2 + 1] ?? 0))
  let start = -1
  let longest = 1
  for (let i = 0; i < 8; i++) {
    let end = i
    while (end < 8 && groups[end] === 0) end++
    if (end - i > longest) {
      start = i
      longest = end - i
    }
    if (end > i) i = end
  }
  const hex = groups.map(group => group.toString(16))
  if (start < 0) return hex.join(':') as Address
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + longest).join(':')}` as Address
}

/** Whether the address is this machine itself: `127.0.0.0/8` or `::1`. */
export function isLoopback(address: Address): boolean {
  return address === '::1' || address.startsWith('127.')
}
