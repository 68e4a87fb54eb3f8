import type { ParameterType } from '../value/parameter-type.ts'
import type { Family } from './family.ts'

/** Where and why inspection took exception to a request. */
export interface Match {
  /** Stable id, family first: `sqli/tautology`. */
  readonly rule: string
  readonly family: Family
  /**
   * `path`, `query.id`, `header.user-agent`, `cookie.session`, `body.user.name`, `body.file#name`; a name
   * itself is `query.id#name`.
   */
  readonly location: string
  /** 1 (odd) to 10 (certain), after the setting was weighed. */
  readonly score: number
  /** The decoded text that matched, at most 120 characters. May quote the request: for the operator only. */
  readonly span: string
  /**
   * The narrowest configuration that would let this match pass, or end the doubt about it, ready to paste.
   */
  readonly exception: string
  /**
   * The type that would let this match pass when the parameter is known to have it: for a long text about
   * whose parameter nothing is known.
   */
  readonly type?: ParameterType
  /** It would refuse in a short text: a long one about whose parameter nothing is known is let pass. */
  readonly isDoubted?: true
}

/** A match before anybody asked how it would be let pass: of many that are found, few are reported. */
export interface Finding extends Omit<Match, 'exception'> {
  /** The parameter's type would end the doubt about it. */
  readonly isDoubtful?: true
}

/** What inspection found in one request. */
export interface Inspection {
  /** `block` when a match reached the threshold of the level, `too-big` when only a bound was met. */
  readonly verdict: 'pass' | 'block' | 'too-big'
  /** Best score first; also those one point below the threshold. At most 32. */
  readonly matches: readonly Match[]
}

/** The answer for a request with nothing to remark: shared, so that a clean request allocates nothing. */
export const CLEAN: Inspection = Object.freeze({ verdict: 'pass', matches: Object.freeze([]) })
