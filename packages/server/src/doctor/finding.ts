/** What one check of the setup found. */
export interface DoctorFinding {
  readonly check: string
  /** `bad` keeps Postern from working or from protecting; `warn` is worth a look. */
  readonly state: 'ok' | 'warn' | 'bad'
  readonly detail: string
  readonly hint?: string
}

/** A finding that nothing is wrong. */
export function ok(check: string, detail: string): DoctorFinding {
  return { check, state: 'ok', detail }
}

export function warn(check: string, detail: string, hint: string): DoctorFinding {
  return { check, state: 'warn', detail, hint }
}

/** A finding that keeps the setup from working, with how to fix it. */
export function bad(check: string, detail: string, hint?: string): DoctorFinding {
  return { check, state: 'bad', detail, ...(hint !== undefined && { hint }) }
}
