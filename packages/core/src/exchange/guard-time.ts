/** How long one guard took to answer about one exchange. */
export interface GuardTime {
  readonly guard: string
  /** Milliseconds, waiting included. */
  readonly ms: number
}
