import { createHash } from 'node:crypto'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Event, type RandomSource, systemRandom } from '@postern/core'
import { joinEvent, type Sealed, type Subject, splitEvent } from './entry.ts'
import { KeyStore } from './key-store.ts'
import { openBytes, openPersonal, openText, sealBytes, sealPersonal } from './seal.ts'

/** What several events of one subject have in common to be sealed: one box for all of them. */
export interface SubjectBytes {
  readonly subject: Subject
  readonly bytes: Uint8Array
}

/** Sealed bytes of one subject: nonce, ciphertext and tag. */
export interface SealedBytes {
  /** Id of the subject's key. */
  readonly key: string
  readonly box: Uint8Array
}

/** An event outside the log, with what is personal in it sealed. */
export interface SealedEvent {
  /** What was done, readable forever. */
  readonly open: Event
  /** Absent when nothing in it was personal. */
  readonly sealed?: Sealed
}

const NONCE_BYTES = 12

/** Names what a text of several events was sealed for: its box does not open as that of one event. */
export function textOrigin(origin: string): string {
  return `${origin} texts`
}

/** As `textOrigin`, for bytes of several events. */
export function bytesOrigin(origin: string): string {
  return `${origin} bytes`
}

/**
 * Seals events that are kept outside the audit log as the log seals its own. What identifies a person is
 * sealed under a key of that person (AES-256-GCM), and anonymous traffic under a key of the day. The keys are
 * in a file of their own; destroying one erases what it sealed.
 */
export class EventSeal {
  readonly #keys: KeyStore
  readonly #random: RandomSource
  readonly #origin: string

  private constructor(keys: KeyStore, origin: string, random: RandomSource) {
    this.#keys = keys
    this.#origin = origin
    this.#random = random
  }

  /**
   * Opens or creates the keys in a directory.
   * @param options.origin names what is sealed: a box moved elsewhere does not open
   * @throws StoreError when they cannot be opened
   */
  static open(options: {
    readonly directory: string
    readonly origin: string
    readonly random?: RandomSource
  }): EventSeal {
    const { directory, origin, random = systemRandom } = options
    if (!existsSync(directory)) mkdirSync(directory, { recursive: true, mode: 0o700 })
    return new EventSeal(KeyStore.open(join(directory, 'subjects.db'), { random }), origin, random)
  }

  /** Seals an event. @param number of the event where it is kept */
  seal(event: Event, number: number): SealedEvent {
    const { open, personal, subject } = splitEvent(event)
    if (personal === undefined || subject === undefined) return { open }
    const key = this.#keys.obtain(subject)
    const context = { origin: this.#origin, index: number }
    return { open, sealed: sealPersonal(personal, key, this.#random.bytes(NONCE_BYTES), context) }
  }

  /**
   * The whole event again, or its readable part where the key was destroyed.
   * @throws IntegrityError when the box was changed or belongs elsewhere
   */
  unseal({ open, sealed }: SealedEvent, number: number): { readonly event: Event; readonly erased: boolean } {
    if (sealed === undefined) return { event: open, erased: false }
    const key = this.#keys.byId(sealed.key)
    if (key === undefined) return { event: open, erased: true }
    const personal = openPersonal(sealed, key, { origin: this.#origin, index: number })
    return { event: joinEvent(open, personal), erased: false }
  }

  /** Seals bytes, some of each subject. @param number of the place where they are kept together */
  sealAll(parts: readonly SubjectBytes[], number: number): readonly SealedBytes[] {
    const context = { origin: bytesOrigin(this.#origin), index: number }
    return parts.map(({ subject, bytes }) => {
      const key = this.#keys.obtain(subject)
      return { key: key.id, box: sealBytes(bytes, key, this.#random.bytes(NONCE_BYTES), context) }
    })
  }

  /**
   * Bytes again; undefined where the key was destroyed.
   * @throws IntegrityError when the box was changed or belongs elsewhere
   */
  open({ key: id, box }: SealedBytes, number: number): Uint8Array | undefined {
    const key = this.#keys.byId(id)
    return key === undefined
      ? undefined
      : openBytes(box, key, { origin: bytesOrigin(this.#origin), index: number })
  }

  /**
   * Texts that an earlier version sealed; undefined where the key was destroyed.
   * @throws IntegrityError when a box was changed or belongs elsewhere
   */
  unsealTexts(boxes: readonly Sealed[], number: number): readonly (string | undefined)[] {
    const context = { origin: textOrigin(this.#origin), index: number }
    return boxes.map(box => {
      const key = this.#keys.byId(box.key)
      return key === undefined ? undefined : openText(box, key, context)
    })
  }

  /**
   * Finds what somebody did without naming them: the same for the same words, and useless without the keys'
   * file.
   */
  token(kind: 'address' | 'principal', value: string): Uint8Array {
    return this.#keys.addressToken(createHash('sha256').update(`${kind}\n${value}`).digest('hex'))
  }

  /** Makes new keys durable: call it before what they sealed is. */
  flush(): void {
    this.#keys.flush()
  }

  /** Id of the key of a principal, as it stands in what it sealed; undefined where there is none. */
  keyOf(principal: string, tenant = ''): string | undefined {
    return this.#keys.find({ tenant, principal })?.id
  }

  /** Destroys the key of a principal. */
  erase(principal: string, tenant = ''): void {
    const key = this.#keys.find({ tenant, principal })
    if (key !== undefined) this.#keys.destroy(key.id)
  }

  /** Destroys the keys of anonymous traffic of days before this one, `2026-11-23`. */
  forgetDaysBefore(day: string): void {
    this.#keys.destroyDaysBefore(day)
  }

  close(): void {
    this.#keys.close()
  }
}
