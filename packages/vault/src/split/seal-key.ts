/** A key to seal one record with, and what goes into its header. */
export interface SealKey {
  readonly recordKey: Uint8Array
  readonly salt: Uint8Array
  readonly epoch: number
}
