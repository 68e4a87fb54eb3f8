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
/** What a value costs besides its length, in units: it was cut out of what it stands in. */
export const PER_VALUE = 64
