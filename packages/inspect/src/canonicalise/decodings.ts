import type { Place, Reading } from '../value/reading.ts'
import { DecodingWalk } from './decoding-walk.ts'

/** Told each reading; returns true when it has seen enough. */
export type ReadingVisitor = (reading: Reading) => boolean

/**
 * Walks all readings of one value at once, its pieces included.
 * @returns false when a bound stopped the walk before the tree was done
 */
export function visitDecodings(value: string, place: Place, name: string, visit: ReadingVisitor): boolean {
  const walk = new DecodingWalk(value, { place, name, pieces: 'read' })
  for (let reading = walk.next(); reading !== undefined; reading = walk.next())
    if (visit(reading)) return true
  return !walk.isCut
}
