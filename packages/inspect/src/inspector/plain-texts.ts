import type { EffortMeter } from '../bounds/effort-meter.ts'
import { PER_READING } from '../bounds/effort-units.ts'
import { mayHavePieces } from '../canonicalise/pieces.ts'
import { isPlainText } from '../clearance/unmet-text.ts'
import type { RuleSet } from '../matching/rule-set.ts'
import { readableText } from '../text/readable-text.ts'
import type { SeenTexts } from '../text/seen-texts.ts'
import type { Features } from '../value/features.ts'
import { isBody, type Place, PlainReading } from '../value/reading.ts'

/** Of texts that had to be looked at all the same, so many are tried in a request: they are read twice. */
const MOST_FAILED = 16

/**
 * Texts of a body that can be read in one way only. Of most sentences some rule must be asked, and none hits:
 * for them nothing else need be made or known.
 */
export class PlainTexts {
  readonly #rules: RuleSet
  readonly #meter: EffortMeter
  readonly #seen: SeenTexts
  readonly #reading = new PlainReading()
  #failed = 0

  /** @param seen texts of the same request that were looked at */
  constructor(rules: RuleSet, meter: EffortMeter, seen: SeenTexts) {
    this.#rules = rules
    this.#meter = meter
    this.#seen = seen
  }

  /**
   * Whether no rule hits a text.
   * @returns undefined of one that is not to be read so
   */
  isClear(text: string, place: Place, scanned: Readonly<Features>): boolean | undefined {
    if (!isBody(place) || this.#failed > MOST_FAILED || this.#meter.isOver) return undefined
    if (!isPlainText(text, scanned, place) || mayHavePieces(text, scanned.chars)) return undefined
    if (readableText(text, place, scanned) !== text) return undefined
    if (this.#seen.hasClean(text, place)) return true
    this.#meter.spend(PER_READING)
    const reading = this.#reading
    reading.begin(text, place, scanned)
    if (!this.#rules.hitsNothing(reading, this.#meter) || reading.isNameAsked) {
      this.#failed++
      return false
    }
    this.#seen.addClean(text, place, reading.isPlaceAsked || this.#rules.isPlaced)
    return true
  }
}
