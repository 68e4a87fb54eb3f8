import { addressBytes } from '@postern/core'

interface Length<T> {
  readonly bits: number
  readonly entries: Map<string, T>
}

/**
 * Values by network, found by an address inside. One hash lookup per distinct prefix length in use,
 * longest first, and none at all for a family without networks: 33 or 129 lookups at the very
 * worst, whatever the number of networks.
 */
export class NetworkIndex<T> {
  readonly #v4: Length<T>[] = []
  readonly #v6: Length<T>[] = []
  #size = 0

  get size(): number {
    return this.#size
  }

  /** @param network canonical CIDR text with a prefix length */
  get(network: string): T | undefined {
    const place = parse(network)
    return this.#family(place.bytes)
      .find(length => length.bits === place.bits)
      ?.entries.get(prefixKey(place.bytes, place.bits))
  }

  set(network: string, value: T): void {
    const { bytes, bits } = parse(network)
    const family = this.#family(bytes)
    let length = family.find(candidate => candidate.bits === bits)
    if (length === undefined) {
      length = { bits, entries: new Map() }
      family.push(length)
      family.sort((a, b) => b.bits - a.bits)
    }
    const key = prefixKey(bytes, bits)
    if (!length.entries.has(key)) this.#size++
    length.entries.set(key, value)
  }

  delete(network: string): void {
    const { bytes, bits } = parse(network)
    const family = this.#family(bytes)
    const at = family.findIndex(candidate => candidate.bits === bits)
    const length = family[at]
    if (length === undefined) return
    if (length.entries.delete(prefixKey(bytes, bits))) this.#size--
    if (length.entries.size === 0) family.splice(at, 1)
  }

  /** Calls back with the value of every network that contains the address, narrowest first. */
  each(address: string, found: (value: T) => void): void {
    if (this.#size === 0) return
    const bytes = addressBytes(address)
    if (bytes === undefined) return
    for (const length of this.#family(bytes)) {
      const value = length.entries.get(prefixKey(bytes, length.bits))
      if (value !== undefined) found(value)
    }
  }

  #family(bytes: Uint8Array): Length<T>[] {
    return bytes.length === 4 ? this.#v4 : this.#v6
  }
}

function parse(network: string): { bytes: Uint8Array; bits: number } {
  const slash = network.indexOf('/')
  const bytes = addressBytes(network.slice(0, slash)) ?? new Uint8Array(4)
  return { bytes, bits: Number(network.slice(slash + 1)) }
}

/** The first bits as a string of 16-bit units. */
function prefixKey(bytes: Uint8Array, bits: number): string {
  let key = ''
  let rest = bits
  for (let i = 0; rest > 0; i += 2, rest -= 16) {
    const unit = ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0)
    key += String.fromCharCode(rest >= 16 ? unit : unit & (0xffff << (16 - rest)) & 0xffff)
  }
  return key
}
