/** What inspection costs, in units of one rule over one character, and what follows from it. */

/** When a request is refused anyway, in units: no more is read of it then. */
export const ENOUGH = 250_000
/**
 * What a request may cost, in units, before its documents are read only for what would count in them: what
 * people quote in a document refuses nothing, and looking for it is most of what a page costs.
 */
export const QUOTED = 2_000_000
/** What it costs to weigh what a rule found, and to write it down, in units. */
export const PER_HIT = 500
/** What undoing an escape costs, at most, beside one rule over one character. */
export const UNITS_OF_DECODING = 8
/** What finding a reading of a value costs, in units, besides the rules that run over it. */
export const PER_READING = 512
/** What a value costs besides its length, in units: it was cut out of what it stands in. */
export const PER_VALUE = 64
/**
 * Nanoseconds of CPU that one unit counts for at most. Ordinary text takes one to three. More is rare, or due
 * to a busy machine, on which the same work takes several times the CPU.
 */
const MOST_PER_UNIT = 4

/**
 * What work counts for against a budget of CPU, in milliseconds: what it took, and no more than its units
 * explain, so that a busy machine refuses nothing that an idle one lets pass.
 * @param taken milliseconds of CPU that it took
 * @param units that were counted meanwhile
 */
export function countedCpu(taken: number, units: number): number {
  return Math.min(taken, (units * MOST_PER_UNIT) / 1_000_000)
}
