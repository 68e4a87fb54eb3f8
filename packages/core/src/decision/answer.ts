/** An answer, ready for any carrier. */
export interface Answer {
  readonly status: number
  /** name, value, ... */
  readonly headers: readonly string[]
  readonly body: string | Uint8Array
}
