/**
 * Something held that does not open: changed, moved, of another space, or with the
 * wrong secret. Never says which.
 */
export class HeldError extends Error {
  readonly code = 'POSTERN_INTEGRITY'
  override get name(): string {
    return 'HeldError'
  }
}
