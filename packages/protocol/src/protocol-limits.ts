/** Defaults already applied, sizes in bytes. */
export interface ProtocolLimits {
  readonly methods: readonly string[]
  readonly contentTypes: readonly string[] | undefined
  readonly maxBody: number
}
