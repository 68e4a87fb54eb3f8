import { TILE_WIDTH } from './tile.ts'

/** What is left is read from its end: whole bundles are removed, and the newest full one stays. */
export function canBeRemoved(minimumIndex: number, size: number): boolean {
  if (minimumIndex === 0) return true
  return minimumIndex > 0 && minimumIndex % TILE_WIDTH === 0 && minimumIndex + TILE_WIDTH <= size
}
