/** The health that a part reports; the process is ready when all required parts are. */
export interface Health {
  readonly name: string
  readonly ok: boolean
  /** Whether the process should be removed from rotation when this part is not ok. */
  readonly required: boolean
  /** For people; no secrets. */
  readonly detail?: string
}

/** A part that reports its health. Called often: answer from memory. */
export interface HealthProbe {
  health(): Health
}
