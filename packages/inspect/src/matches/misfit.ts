import type { Finding } from '../rule/match.ts'
import type { ParameterType } from '../value/parameter-type.ts'
import { THRESHOLDS } from '../value/thresholds.ts'

/** What is said of a value that its parameter's type excludes. */
export function misfit(type: ParameterType, text: string, location: string): Finding {
  return {
    rule: `parameter/${type}`,
    family: 'parameter',
    location,
    score: 6,
    span: text.slice(0, THRESHOLDS.span),
  }
}
