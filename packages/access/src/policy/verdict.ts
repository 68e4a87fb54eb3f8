/** What a policy set says. Shared and frozen: saying it allocates nothing. */
export interface Verdict {
  readonly allowed: boolean
  /** Name of the policy that decided; `default` when none spoke. */
  readonly policy: string
  /** `unknown` for a deny policy that forbids because its condition could not be determined. */
  readonly why: 'policy' | 'unknown' | 'default'
}

/** What is said when no policy applies. */
export const DEFAULT_DENY: Verdict = Object.freeze({ allowed: false, policy: 'default', why: 'default' })
