const LARGEST = 2_048
const LONGEST = 512

/**
 * Header values that were looked at and found clean. Clients repeat theirs with every request, so most header values of most requests are known. Two generations: when the young one is full, the old one
 * is dropped; memory is bounded whatever is sent. Values that may be secrets are never put in.
 */
export class CleanValues {
  #young = new Set<string>()
  #old = new Set<string>()

  has(value: string): boolean {
    if (this.#young.has(value)) return true
    if (!this.#old.has(value)) return false
    this.#keep(value)
    return true
  }

  add(value: string): void {
    if (value.length <= LONGEST) this.#keep(value)
  }

  #keep(value: string): void {
    if (this.#young.size >= LARGEST) {
      this.#old = this.#young
      this.#young = new Set()
    }
    this.#young.add(value)
  }
}
