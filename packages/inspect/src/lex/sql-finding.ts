/** Evidence of an injection. */
export interface Finding {
  readonly id: string
  readonly score: number
  /** Token after the evidence. */
  readonly end: number
  /** See `Rule.bare`. */
  readonly bare?: boolean
}
