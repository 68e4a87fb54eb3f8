/** What a part says of itself; readiness is the sum of the required ones. */
export interface Health {
  readonly name: string
  readonly ok: boolean
  /** Whether the process should be taken out of rotation when this part is not ok. */
  readonly required: boolean
  /** For people; no secrets. */
  readonly detail?: string
}

/** Something that can say how it is. Called often: answer from memory. */
export interface HealthProbe {
  health(): Health
}
