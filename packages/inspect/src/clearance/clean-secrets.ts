import { hash } from 'node:crypto'

// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype
/** Two for each of 4,096 numbers. */
const SLOTS = 8_192

/**
 * Secrets that were looked at and found clean: tokens, and cookies with their names. A client sends its own
 * with every request, for as long as they are valid, and looking at one takes as long as looking at a small
 * body. Their digests are kept (SHA-256) and not they themselves, in a table of fixed size: what collides
 * there pushes the older of two out.
 */
export class CleanSecrets {
  readonly #digests: string[] = new Array<string>(SLOTS).fill('')

  has(secret: string): boolean {
    return this.holds(digestOf(secret))
  }

  /** As `has`, for a caller that asks several tables. @param digest of `digestOf` */
  holds(digest: string): boolean {
    const slot = slotOf(digest)
    return this.#digests[slot] === digest || this.#digests[slot ^ 1] === digest
  }

  add(secret: string): void {
    const digest = digestOf(secret)
    const slot = slotOf(digest)
    this.#digests[slot ^ 1] = this.#digests[slot] as string
    this.#digests[slot] = digest
  }
}

/** The digest by which a secret is known. */
export function digestOf(secret: string): string {
  return hash('sha256', secret, 'base64')
}

/** By two characters of base64, of six bits each. */
function slotOf(digest: string): number {
  return (charCodeAt.call(digest, 0) * 131 + charCodeAt.call(digest, 1) * 8_179) & (SLOTS - 2)
}
