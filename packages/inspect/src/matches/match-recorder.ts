import type { Hit } from '../matching/rule-set.ts'
import { thresholdOf } from '../rule/family.ts'
import type { Finding, Inspection } from '../rule/match.ts'
import type { InspectorOptions } from '../settings/inspector-options.ts'
import type { Look } from '../text/look.ts'
import { MatchList } from './match-list.ts'
import { couldCount, matchOf } from './match-of.ts'

/** The rule about names that are operators: a parameter that is declared under such a name may have it. */
const OPERATOR = 'nosqli/operator-name'
/** How the place of a name ends. */
const OF_NAME = '#name'

/** Makes matches of what rules say about the values of one request, less what is excepted. */
export class MatchRecorder {
  readonly #options: InspectorOptions
  readonly #matches: MatchList = new MatchList()
  #hits = 0
  #weighed = 0
  #cuts = 0
  #isBlocking = false

  constructor(options: InspectorOptions) {
    this.#options = options
  }

  /** How often rules hit, whether or not it counted. */
  get hits(): number {
    return this.#hits
  }

  /**
   * How often one hit that could count somewhere: what scores less is the same in every field, whatever its
   * name.
   */
  get weighed(): number {
    return this.#weighed
  }

  /** Whether a match refuses the request. */
  get isBlocking(): boolean {
    return this.#isBlocking
  }

  get isFull(): boolean {
    return this.#matches.isFull
  }

  /** Whether nothing was left out: a value may be called clean only then. */
  get isWhole(): boolean {
    return !this.#matches.isTooBig && !this.#matches.isFull
  }

  /** How often a bound left something unread, excepted or not. */
  get cuts(): number {
    return this.#cuts
  }

  /** What a bound left unread. */
  tooBig(rule: string, location: string, detail: string): void {
    this.#cuts++
    this.add({ rule, family: 'bounds', location, score: 10, span: detail })
  }

  /** A match that no reading stands for. */
  add(match: Finding): void {
    if (!this.#isExcepted(match.rule, match.location)) this.#matches.add(match)
  }

  /** What a rule says about the reading that a look is at. */
  note(hit: Hit, look: Look): void {
    const { reading } = look
    if (reading === undefined) return
    this.#hits++
    if (!couldCount(hit, this.#options.level)) return
    this.#weighed++
    const { setting } = look
    const id = hit.span.id ?? hit.rule.id
    const location = look.locator.location()
    if (id.startsWith('bounds/')) {
      this.tooBig(id, location, 'too intricate to be read to its end')
      return
    }
    const { level, types } = this.#options
    if (id === OPERATOR && location.endsWith(OF_NAME) && types?.declares(location.slice(0, -OF_NAME.length)))
      return
    const match = matchOf(hit, reading, setting, location, this.#options)
    if (match === undefined || this.#isExcepted(id, location)) return
    if (match.score >= thresholdOf(level)) this.#isBlocking = true
    if (setting === 'document' && hit.rule.quotable && level === 1) look.isDoubted = true
    this.#matches.add(match)
  }

  verdict(): Inspection {
    return this.#matches.verdict(this.#options.level, this.#options.route)
  }

  #isExcepted(rule: string, location: string): boolean {
    for (const test of this.#options.except) if (test(rule, location)) return true
    return false
  }
}
