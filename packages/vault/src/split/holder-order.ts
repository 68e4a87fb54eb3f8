import type { Clock } from '@postern/core'
import type { HolderLink } from './holder-link.ts'
import type { HolderId } from './part.ts'

/** In which order holders are asked. */
export class HolderOrder {
  readonly #links: readonly HolderLink[]
  readonly #clock: Clock
  readonly #lateFor: number
  /** Holders that were late, and until when others are preferred; an answer ends it. */
  readonly #late = new Map<HolderId, number>()

  /**
   * @param lateFor milliseconds for which a holder that was late is asked last. As long as a request may
   *   take: by then it has answered, or its link knows that it is silent and asks whether it is back
   */
  constructor(links: readonly HolderLink[], clock: Clock, lateFor: number) {
    this.#links = links
    this.#clock = clock
    this.#lateFor = lateFor
  }

  /**
   * Holders that are up first; among these the pair is chosen by the record, so that
   * a page read twice is counted once.
   */
  from(turn: number): readonly HolderLink[] {
    const start = turn % this.#links.length
    const rotated = [...this.#links.slice(start), ...this.#links.slice(0, start)]
    return [...rotated.filter(link => this.#isPrompt(link)), ...rotated.filter(link => !this.#isPrompt(link))]
  }

  /** Those to seal with: all that answer promptly, or, when these are not two, all that are up. */
  get forSealing(): readonly HolderLink[] {
    const prompt = this.#links.filter(link => this.#isPrompt(link))
    return prompt.length >= 2 ? prompt : this.#links.filter(({ isUp }) => isUp)
  }

  /** Others than these are asked first for a while. */
  late(holders: ReadonlySet<HolderId>): void {
    for (const id of holders) this.#late.set(id, this.#clock.monotonic() + this.#lateFor)
  }

  /** A holder answered. */
  answered(id: HolderId): void {
    this.#late.delete(id)
  }

  #isPrompt({ id, isUp }: HolderLink): boolean {
    return isUp && (this.#late.get(id) ?? 0) <= this.#clock.monotonic()
  }
}
