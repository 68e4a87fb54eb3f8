import type { Steps } from '../value/steps.ts'
import type { ValueVisitor } from '../value/value-visitor.ts'
import { visitFile } from './archived-documents.ts'

const HEADER = Buffer.from('PK\u0003\u0004', 'latin1')
const END = Buffer.from('PK\u0005\u0006', 'latin1')
/** Bytes of an entry that goes on, which are read again with what follows: elements of its document. */
const KEPT = 65_536
/** New bytes that are waited for, so that what is kept is not read again with each packet. */
const ENOUGH = 16_384

/** Whether the bytes of a file begin as a ZIP archive, as far as they have arrived. */
export function beginsArchive(content: Buffer): boolean {
  const start = content.subarray(0, HEADER.length)
  return start.equals(HEADER.subarray(0, start.length))
}

/**
 * A ZIP archive that goes by (APPNOTE 4.3): its entries have headers of their own, in the order in which
 * they are stored, and are read as they arrive. Of what has gone by only the entry that goes on is kept, as
 * much of it as would be read.
 */
export class PassingArchive {
  /** The first bytes, as many as show that it is one. */
  #start: Buffer
  #pieces: Buffer[] = []
  /** Bytes that have not been read. */
  #new = 0
  /** The last bytes, in which the mark of the end may have begun. */
  #tail = Buffer.alloc(0)

  /** @param start what has arrived, and was read */
  constructor(start: Buffer) {
    this.#start = Buffer.from(start.subarray(0, HEADER.length))
    this.#keep(start)
  }

  /**
   * Visits the entries that have arrived, once there is enough of them or the archive ends.
   * @returns false to end the walk
   */
  *visit(piece: Buffer, isLast: boolean, location: string, visitor: ValueVisitor): Steps<boolean> {
    if (this.#start.length < HEADER.length)
      this.#start = Buffer.concat([this.#start, piece]).subarray(0, HEADER.length)
    if (!beginsArchive(this.#start)) return true
    this.#pieces.push(piece)
    this.#new += piece.length
    const tail = Buffer.concat([this.#tail, piece])
    this.#tail = Buffer.from(tail.subarray(1 - END.length))
    if (!isLast && this.#new < ENOUGH && !tail.includes(END)) return true
    const bytes = Buffer.concat(this.#pieces)
    this.#keep(bytes)
    visitor.work(bytes.length >> 6)
    const first = bytes.indexOf(HEADER)
    return first < 0 || (yield* visitFile(bytes.subarray(first), location, visitor))
  }

  #keep(bytes: Buffer): void {
    const last = bytes.lastIndexOf(HEADER)
    const length = last < 0 || bytes.length - last > KEPT ? HEADER.length - 1 : bytes.length - last
    this.#pieces = [Buffer.from(bytes.subarray(Math.max(0, bytes.length - length)))]
    this.#new = 0
  }
}
