import { createHmac } from 'node:crypto'
import { IntegrityError } from '@postern/core'
import { HmacKey } from '../primitive/hmac-key.ts'
import { type HolderId, PARTS_OF, type Part } from '../split/part.ts'

/** Bytes of the key of a part. */
export const PART_KEY_BYTES = 32

/** What the key of one part is used for; a purpose has a key of its own. */
type Purpose = 'record' | 'term' | 'harden'

/** The parts one holder has, per epoch. */
export class HolderKeys {
  readonly id: HolderId
  readonly #secrets = new Map<number, Map<Part, Uint8Array>>()
  readonly #derived = new Map<number, Record<Purpose, Partial<Record<Part, HmacKey>>>>()
  #complete: readonly number[] = []
  readonly #removed = new Set<number>()

  constructor(id: HolderId) {
    this.id = id
  }

  /**
   * Takes a part in. Once a part is there it is never replaced: records were sealed with it.
   * @throws IntegrityError when another key is there already, the epoch was removed, or the part is not this
   *   holder's
   */
  add(epoch: number, part: Part, key: Uint8Array): void {
    if (!PARTS_OF[this.id].includes(part))
      throw new IntegrityError(`holder ${this.id}: part ${part} belongs to the other holders`)
    if (key.length !== PART_KEY_BYTES)
      throw new IntegrityError(`holder ${this.id}: a part has ${PART_KEY_BYTES} bytes`)
    if (this.#removed.has(epoch))
      throw new IntegrityError(`holder ${this.id}: epoch ${epoch} was removed and cannot come back`)
    const parts = this.#secrets.get(epoch) ?? new Map<Part, Uint8Array>()
    const known = parts.get(part)
    if (known !== undefined && !Buffer.from(known).equals(key))
      throw new IntegrityError(`holder ${this.id}: epoch ${epoch} has another part ${part} already`)
    parts.set(part, key)
    this.#secrets.set(epoch, parts)
    const derived = this.#derived.get(epoch) ?? { record: {}, term: {}, harden: {} }
    for (const purpose of ['record', 'term', 'harden'] as const)
      derived[purpose][part] = new HmacKey('sha256', derive(key, purpose))
    this.#derived.set(epoch, derived)
    this.#count()
  }

  /** Forgets an epoch for good: what is sealed with it opens no more, and nobody can bring it back. */
  remove(epoch: number): void {
    this.#removed.add(epoch)
    this.#secrets.delete(epoch)
    this.#derived.delete(epoch)
    this.#count()
  }

  /**
   * Forgets the only part of an epoch that is not complete: nothing was sealed with it.
   * @throws IntegrityError when it is complete
   */
  forget(epoch: number): void {
    if (this.#complete.includes(epoch))
      throw new IntegrityError(
        `holder ${this.id}: epoch ${epoch} is complete, and records may be sealed in it`,
      )
    this.#secrets.delete(epoch)
    this.#derived.delete(epoch)
  }

  /** Forgets the parts of later epochs, none of which is complete. @throws IntegrityError */
  forgetAfter(epoch: number): void {
    for (const later of [...this.#secrets.keys()].filter(known => known > epoch)) this.forget(later)
  }

  /** Whether an epoch was removed. */
  isRemoved(epoch: number): boolean {
    return this.#removed.has(epoch)
  }

  /** Epochs of which both parts are here, ascending. */
  get epochs(): readonly number[] {
    return this.#complete
  }

  #count(): void {
    this.#complete = [...this.#secrets]
      .filter(([, parts]) => parts.size === 2)
      .map(([epoch]) => epoch)
      .sort((x, y) => x - y)
  }

  /**
   * The keyed function of a part, for a purpose.
   * @throws IntegrityError when the epoch is not here: ask `epochs` first
   */
  prf(epoch: number, part: Part, purpose: Purpose): HmacKey {
    const prf = this.#derived.get(epoch)?.[purpose][part]
    if (prf !== undefined) return prf
    throw new IntegrityError(`holder ${this.id}: has no part ${part} of epoch ${epoch}`)
  }

  /** Key of a part, for a peer that shall have it too. Secret. */
  secret(epoch: number, part: Part): Uint8Array | undefined {
    return this.#secrets.get(epoch)?.get(part)
  }
}

/** A key of its own per purpose: HMAC-SHA-256(part key, "postern vault part 1 " || purpose). */
function derive(key: Uint8Array, purpose: Purpose): Buffer {
  return createHmac('sha256', key).update(`postern vault part 1 ${purpose}`).digest()
}
