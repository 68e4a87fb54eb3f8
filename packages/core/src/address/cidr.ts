import { ConfigError } from '../error/errors.ts'
import { type Address, addressBytes, formatBytes } from './address.ts'
import { NAMED_RANGES } from './proxy-presets.ts'

interface Range {
  readonly bytes: Uint8Array
  readonly bits: number
}

/** A set of address ranges; membership is a few byte compares per range. Immutable. */
export class CidrSet {
  readonly #v4: readonly Range[]
  readonly #v6: readonly Range[]
  readonly #texts: readonly string[]
  /** The address asked about last, and the answer: a server is asked about its proxy with every request. */
  #asked: Address | undefined
  #holds = false

  private constructor(ranges: readonly Range[], texts: readonly string[]) {
    this.#v4 = ranges.filter(range => range.bytes.length === 4)
    this.#v6 = ranges.filter(range => range.bytes.length === 16)
    this.#texts = texts
  }

  /**
   * @param entries addresses, CIDR ranges, `loopback`, `linklocal`, `private`, or a
   *   platform of `NAMED_RANGES`
   * @throws ConfigError naming every invalid entry, including ranges with bits set beyond their prefix
   */
  static parse(entries: readonly string[], place = 'addresses'): CidrSet {
    const issues: { place: string; problem: string; hint: string }[] = []
    const ranges: Range[] = []
    for (const entry of entries.flatMap(name => NAMED_RANGES.get(name) ?? [name])) {
      const range = parseRange(entry)
      if (typeof range === 'string') {
        issues.push({
          place,
          problem: `"${entry.slice(0, 60)}" ${range}`,
          hint: 'e.g. 10.0.0.0/8, 2001:db8::/32, loopback',
        })
      } else ranges.push(range)
    }
    if (issues.length > 0) throw new ConfigError(issues)
    return new CidrSet(ranges, entries)
  }

  /** Whether the address is in one of the ranges. */
  has(address: Address): boolean {
    if (this.#v4.length + this.#v6.length === 0) return false
    if (address === this.#asked) return this.#holds
    const bytes = addressBytes(address)
    this.#holds = bytes !== undefined && this.#hasBytes(bytes)
    this.#asked = address
    return this.#holds
  }

  #hasBytes(bytes: Uint8Array): boolean {
    const ranges = bytes.length === 4 ? this.#v4 : this.#v6
    return ranges.some(range => samePrefix(range.bytes, bytes, range.bits))
  }

  /**
   * Whether a range shares an address with one of these ranges.
   * @param range an address or CIDR text
   * @throws ConfigError when it is neither
   */
  overlaps(range: string): boolean {
    const other = parseRange(range)
    if (typeof other === 'string')
      throw new ConfigError({ place: 'network', problem: `"${range.slice(0, 60)}" ${other}` })
    const ranges = other.bytes.length === 4 ? this.#v4 : this.#v6
    return ranges.some(own => samePrefix(own.bytes, other.bytes, Math.min(own.bits, other.bits)))
  }

  /** As they were written, in order. */
  get entries(): readonly string[] {
    return this.#texts
  }

  get isEmpty(): boolean {
    return this.#v4.length + this.#v6.length === 0
  }

  toString(): string {
    return this.#texts.join(', ')
  }
}

/** Bits of an IPv4-mapped address before the IPv4 address (RFC 4291 section 2.5.5.2). */
const MAPPED_BITS = 96

function parseRange(entry: string): Range | string {
  const slash = entry.indexOf('/')
  const bytes = addressBytes(slash < 0 ? entry : entry.slice(0, slash))
  if (bytes === undefined) return 'is not an address or range'
  const width = bytes.length * 8
  if (slash < 0) return { bytes, bits: width }
  const bits = prefixLength(entry.slice(slash + 1), width, entry.includes(':') && width === 32)
  if (bits === undefined) return `needs a prefix length of 0 to ${width}`
  const masked = maskBytes(bytes, bits)
  if (!samePrefix(masked, bytes, width))
    return `has bits beyond its prefix; did you mean ${formatBytes(masked)}/${bits}?`
  return { bytes, bits }
}

/** @param isMapped whether an IPv4 address was written as one of IPv6: /104 is /8 then */
function prefixLength(text: string, width: number, isMapped: boolean): number | undefined {
  if (!/^\d{1,3}$/.test(text)) return undefined
  const bits = Number(text)
  if (bits <= width) return bits
  return isMapped && bits >= MAPPED_BITS && bits <= MAPPED_BITS + width ? bits - MAPPED_BITS : undefined
}

function samePrefix(a: Uint8Array, b: Uint8Array, bits: number): boolean {
  const whole = bits >> 3
  for (let i = 0; i < whole; i++) if (a[i] !== b[i]) return false
  const rest = bits & 7
  if (rest === 0) return true
  const mask = 0xff << (8 - rest)
  return ((a[whole] ?? 0) & mask) === ((b[whole] ?? 0) & mask)
}

function maskBytes(bytes: Uint8Array, bits: number): Uint8Array {
  const masked = bytes.slice()
  for (let i = 0; i < masked.length; i++) {
    const keep = Math.min(8, Math.max(0, bits - i * 8))
    masked[i] = (masked[i] ?? 0) & (0xff << (8 - keep))
  }
  return masked
}

/** How much of an address identifies one customer. Default: /32 and /56. */
export interface NetworkWidth {
  readonly v4?: number
  readonly v6?: number
}

/**
 * The network that limits and remediations count an address under, in CIDR text (an IPv4 /32
 * stays a bare address). IPv6 customers get whole /56 networks (RFC 6177), so a key on the full
 * address is evaded by rotating addresses.
 */
export function networkOf(address: Address, width: NetworkWidth = {}): string {
  const v4 = width.v4 ?? 32
  const isV6 = address.includes(':')
  if (!isV6 && v4 === 32) return address
  const bytes = addressBytes(address)
  if (bytes === undefined) return address
  const bits = isV6 ? (width.v6 ?? 56) : v4
  return `${formatBytes(maskBytes(bytes, bits))}/${bits}`
}
