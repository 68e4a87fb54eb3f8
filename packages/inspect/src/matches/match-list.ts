import { type Level, thresholdOf } from '../rule/family.ts'
import { CLEAN, type Finding, type Inspection, type Match } from '../rule/match.ts'
import { exceptionFor, typeSettingFor } from '../settings/narrow-exception.ts'
import { THRESHOLDS } from '../value/thresholds.ts'

/** Of most requests: made once. */
const NONE: Finding[] = []

/** The matches of one request: one for each rule and place, and of too many the strongest. */
export class MatchList {
  #matches: Finding[] = NONE
  #isTooBig = false

  get isFull(): boolean {
    return this.#matches.length >= THRESHOLDS.matches
  }

  /** Whether a bound was met. */
  get isTooBig(): boolean {
    return this.#isTooBig
  }

  add(match: Finding): void {
    if (match.family === 'bounds') this.#isTooBig = true
    const same = this.#matches.findIndex(
      other => other.rule === match.rule && other.location === match.location,
    )
    if (same >= 0) {
      if ((this.#matches[same]?.score ?? 0) < match.score) this.#matches[same] = match
      return
    }
    if (this.#matches === NONE) this.#matches = [match]
    else if (!this.isFull) this.#matches.push(match)
    else this.#replaceWeakest(match)
  }

  #replaceWeakest(match: Finding): void {
    const weakest = this.#matches.reduce(
      (low, other, index) => (other.score < (this.#matches[low]?.score ?? 0) ? index : low),
      0,
    )
    if ((this.#matches[weakest]?.score ?? 0) < match.score) this.#matches[weakest] = match
  }

  /** What the matches come to at a level. @param route of the request, as exceptions name it */
  verdict(level: Level, route: () => string): Inspection {
    if (this.#matches.length === 0) return CLEAN
    const matches = this.#matches.map(found => told(found, route())).sort((a, b) => b.score - a.score)
    const threshold = thresholdOf(level)
    const blocked = matches.some(match => match.family !== 'bounds' && match.score >= threshold)
    return { verdict: blocked ? 'block' : this.#isTooBig ? 'too-big' : 'pass', matches }
  }
}

function told({ isDoubtful, ...found }: Finding, route: string): Match {
  const { rule, location } = found
  const exception = isDoubtful ? typeSettingFor(location, route) : exceptionFor(rule, location, route)
  return { ...found, exception }
}
