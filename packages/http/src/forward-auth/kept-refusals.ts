import type { Answer } from '@postern/core'

/** Answers that are kept at a time; a flood of refusals replaces the oldest. */
const MOST = 512
/** A proxy fetches the answer at once. */
const LONGEST_KEPT_BODY = 65_536

/**
 * Answers to refused requests, for a proxy that passes nothing on of the answer to its question (nginx
 * `auth_request`): it fetches them by the id of the request. Each is given out once.
 */
export class KeptRefusals {
  readonly #answers = new Map<string, Answer>()

  keep(id: string, answer: Answer): void {
    if (answer.body.length > LONGEST_KEPT_BODY) return
    this.#answers.set(id, answer)
    if (this.#answers.size <= MOST) return
    for (const oldest of this.#answers.keys()) {
      this.#answers.delete(oldest)
      break
    }
  }

  /** The answer kept for a request, which is then forgotten; undefined for any other text. */
  take(id: string): Answer | undefined {
    const answer = this.#answers.get(id)
    this.#answers.delete(id)
    return answer
  }
}
