type ThresholdName =
  | 'documentLength'
  | 'documentLines'
  | 'window'
  | 'windowOverlap'
  | 'file'
  | 'readings'
  | 'encodings'
  | 'piece'
  | 'nestedDocuments'
  | 'matches'
  | 'span'

/**
 * The sizes at which inspection changes what it does, in one place. Characters are UTF-16 code units.
 */
export const THRESHOLDS: Readonly<Record<ThresholdName, number>> = Object.freeze({
  /**
   * From this length on, and with this many lines, a body value of an unknown parameter may be a document:
   * `value-setting.ts`.
   */
  documentLength: 300,
  documentLines: 6,
  /** Longer texts are read in windows of this many characters ... */
  window: 8_192,
  /** ... that overlap by so many, so that an attack of up to this length lies whole in one of them. */
  windowOverlap: 512,
  /**
   * Of the text behind longer base64 in a body, which is a file, only so much at the start and at the end
   * is read.
   */
  file: 16_384,
  /** How many readings one value (or one piece of a long one) may have. */
  readings: 24,
  /** How many encodings may lie inside each other. */
  encodings: 6,
  /** Longest piece (a line, the inside of quotes) that is also read as a value of its own. */
  piece: 2_048,
  /** How many JSON documents may lie inside each other's strings. */
  nestedDocuments: 3,
  /** Matches kept of one request. */
  matches: 32,
  /** Characters of a match's span. */
  span: 120,
})
