import { hash } from 'node:crypto'

const BLOCK = { sha256: 64, sha512: 128 } as const
const OUTPUT = { sha256: 32, sha512: 64 } as const

/**
 * HMAC (RFC 2104) with one key, over two one-shot hashes.
 *
 * `createHmac` wraps its key in an object whose checks cost 8 us a call in Node 24, six times the hashing of
 * a record's context; opening a page of records asks for two HMACs each. Digests are taken as latin1 text,
 * one character a byte, because one as a `Buffer` brings a backing store of its own, and collecting those
 * cost as much as the hashing. Keys are at most one block long, so none is hashed first.
 */
export class HmacKey {
  readonly #algorithm: 'sha256' | 'sha512'
  readonly #block: number
  /** Inner pad, then room for the message. Grows with the longest message seen. */
  #inner: Buffer
  /** View of the inner pad and the message hashed last. */
  #message: Buffer
  readonly #outer: Buffer
  /** Bytes of the key that is in the pads. */
  #keyBytes = 0

  constructor(algorithm: 'sha256' | 'sha512', key?: Uint8Array) {
    this.#algorithm = algorithm
    this.#block = BLOCK[algorithm]
    this.#inner = Buffer.allocUnsafeSlow(this.#block + 256)
    this.#message = this.#inner
    this.#outer = Buffer.allocUnsafeSlow(this.#block + OUTPUT[algorithm])
    this.#inner.fill(0x36, 0, this.#block)
    this.#outer.fill(0x5c, 0, this.#block)
    this.setKey(key ?? new Uint8Array(0))
  }

  /** Replaces the key: for keys that are used once. */
  setKey(key: Uint8Array): void {
    if (key.length > this.#block)
      throw new RangeError(`an HMAC key here is at most ${this.#block} bytes long`)
    // Pads differ from their filling only where a key is: these bytes, and those of the key before.
    const changed = Math.max(key.length, this.#keyBytes)
    for (let i = 0; i < changed; i++) {
      const byte = key[i] ?? 0
      this.#inner[i] = 0x36 ^ byte
      this.#outer[i] = 0x5c ^ byte
    }
    this.#keyBytes = key.length
  }

  /** HMAC of the parts, one after the other. */
  digest(first: Uint8Array, second?: Uint8Array): Buffer {
    return Buffer.from(this.latin1(first, second), 'latin1')
  }

  /** Writes the HMAC of a part of a buffer to a place in another: for many of them at once. */
  digestInto(out: Buffer, at: number, bytes: Buffer, start: number, end: number): void {
    this.#makeRoom(end - start)
    bytes.copy(this.#inner, this.#block, start, end)
    out.write(this.#digest(end - start), at, 'latin1')
  }

  /** HMAC of the parts, one after the other, as text of one character a byte. */
  latin1(first: Uint8Array, second?: Uint8Array): string {
    const length = first.length + (second?.length ?? 0)
    this.#makeRoom(length)
    this.#inner.set(first, this.#block)
    if (second !== undefined) this.#inner.set(second, this.#block + first.length)
    return this.#digest(length)
  }

  #makeRoom(length: number): void {
    if (this.#block + length <= this.#inner.length) return
    const larger = Buffer.allocUnsafeSlow((this.#block + length) * 2)
    this.#inner.copy(larger, 0, 0, this.#block)
    this.#inner.fill(0)
    this.#inner = larger
    this.#message = larger
  }

  /** Digest of the message of this length that lies after the inner pad. */
  #digest(length: number): string {
    // Messages of one table are mostly of one length, and a view costs as much as a sixth of the hash.
    if (this.#message.length !== this.#block + length)
      this.#message = this.#inner.subarray(0, this.#block + length)
    this.#outer.write(hash(this.#algorithm, this.#message, 'binary'), this.#block, 'latin1')
    return hash(this.#algorithm, this.#outer, 'binary')
  }
}
