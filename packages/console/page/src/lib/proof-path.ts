/**
 * The way of a proof from a node of a Merkle tree up to its root, one hash of the proof after the other
 * (RFC 9162 section 2.1.3.2, where the two numbers are `fn` and `sn`).
 */
export class ProofPath {
  /** The node on its level, and the last node of that level. */
  #node: bigint
  #last: bigint

  constructor(node: bigint, last: bigint) {
    this.#node = node
    this.#last = last
  }

  /** The way from the last leaf of the smaller one of two trees (section 2.1.4.2). */
  static fromOldEdge(oldSize: bigint, newSize: bigint): ProofPath {
    const path = new ProofPath(oldSize - 1n, newSize - 1n)
    while (path.#isRight) path.#goUp()
    return path
  }

  get isAtRoot(): boolean {
    return this.#last === 0n
  }

  get #isRight(): boolean {
    return (this.#node & 1n) === 1n
  }

  #goUp(): void {
    this.#node >>= 1n
    this.#last >>= 1n
  }

  /** Goes up past the next hash of the proof. @returns on which side of it that hash stands */
  climb(): 'left' | 'right' {
    const side = this.#isRight || this.#node === this.#last ? 'left' : 'right'
    // A node at the right edge has no sibling until it is a right one.
    if (side === 'left') while (!this.#isRight && this.#node !== 0n) this.#goUp()
    this.#goUp()
    return side
  }
}
