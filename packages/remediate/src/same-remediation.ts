import type { Remediation } from '@postern/core'

/** Whether a remediation already exists and would be prolonged by less than a hundredth, and a second. */
export function isSame(standing: Remediation, next: Remediation, now: number, duration: number): boolean {
  return standing.expiresAt > now && next.expiresAt - standing.expiresAt < Math.min(1_000, duration / 100)
}
