import { parseRequestPath, type RequestPath } from './request-path.ts'

// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype
const ABSOLUTE = /^https?:\/\/([^/?#]*)/i
/** A name may be spelled with escapes. */
const METHOD_NAME = /method|%/i
/** Targets that are kept; a full table is emptied. */
const MOST_KEPT = 4_096
/** Places for what came once, a power of two. */
const PLACES = 16_384
/** Longer targets are not kept, in characters. */
const LONGEST_KEPT = 256

const NONE: readonly number[] = Object.freeze([])

/** What a request target says by itself, worked out once while the same target comes again. */
export class KnownTarget {
  /** Path and query, taken apart; an absolute-form target is cut down to its path. */
  readonly path: RequestPath
  /** Whether the query may ask for another method; see `headMethodOverrides`. */
  readonly mayNameMethod: boolean
  /** The rules of inspection that one scan of this very target found nothing for. Kept by inspection. */
  clearFor: object | undefined = undefined
  /** Those that found nothing in a full look, unless another site linked here. Kept by inspection. */
  spotlessFor: object | undefined = undefined
  /** Whether something in it could act in a statement or a command, once one of these is known. */
  mayAct = false
  /** Who asked which rules a plain GET for this very target matches, and these. Kept by scenarios. */
  answeredBy: object | undefined = undefined
  answers: readonly number[] = NONE

  constructor(target: string) {
    const absolute = charCodeAt.call(target, 0) === 47 ? null : ABSOLUTE.exec(target)
    const origin = absolute === null ? target : target.slice(absolute[0].length)
    this.path = parseRequestPath(absolute !== null && !origin.startsWith('/') ? `/${origin}` : origin)
    this.mayNameMethod = this.path.query !== '' && METHOD_NAME.test(this.path.query)
  }
}

/** Host and port of an absolute-form target (RFC 9112 section 3.2.2); undefined for any other. */
export function hostOfTarget(target: string): string | undefined {
  return charCodeAt.call(target, 0) === 47 ? undefined : ABSOLUTE.exec(target)?.[1]
}

class KnownTargets {
  #kept = new Map<string, KnownTarget>()
  /** By place, a mark of the target that was there last. */
  readonly #once: Int32Array = new Int32Array(PLACES)

  of(target: string): KnownTarget {
    const kept = this.#kept.get(target)
    if (kept !== undefined) return kept
    const fresh = new KnownTarget(target)
    if (target.length <= LONGEST_KEPT && this.#isSecondTime(target)) {
      if (this.#kept.size >= MOST_KEPT) this.#kept = new Map()
      this.#kept.set(target, fresh)
    }
    return fresh
  }

  #isSecondTime(target: string): boolean {
    let mark = target.length
    for (let i = 0; i < target.length; i++) mark = (Math.imul(mark, 31) + charCodeAt.call(target, i)) | 0
    mark = Math.imul(mark ^ (mark >>> 15), 0x2c1b3c6d)
    const place = (mark >>> 12) & (PLACES - 1)
    if (this.#once[place] === mark) return true
    this.#once[place] = mark
    return false
  }
}

const targets = new KnownTargets()

/**
 * What a target says. Kept for the whole process, in a table of fixed size, from the second time on: targets
 * that come once (a search, a link with a secret) leave a number behind and no text.
 */
export function knownTarget(target: string): KnownTarget {
  return targets.of(target)
}
