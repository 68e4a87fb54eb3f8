import type { Steps } from '../value/steps.ts'

// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

/** Longer texts are decoded in parts of this many characters, so that no part takes long. */
export const PART = 32_768
/** No escape is longer: a part ends before one that might go on behind it. */
const LONGEST_ESCAPE = 16

/** Who asks for a text in parts, and may want to pause between two. */
export interface Pausing {
  readonly isPaused: boolean
  /** Counts work that no value stands for, in characters. */
  work(characters: number): void
}

/**
 * Decodes a text longer than `PART` part by part. A part never ends inside an escape that `mark` begins, so
 * that the parts together are what the whole would be.
 * @param mark code of the character that begins an escape
 */
export function* decodeInParts(
  text: string,
  mark: number,
  decode: (part: string) => string,
  driver: Pausing,
): Steps<string> {
  let out = ''
  for (let start = 0; start < text.length; ) {
    const end = partEnd(text, start, mark)
    out += decode(text.slice(start, end))
    driver.work(end - start)
    start = end
    if (driver.isPaused) yield
  }
  return out
}

/**
 * Where a part that starts at `start` may end: behind a stretch without marks, or before a mark that begins
 * an escape.
 */
function partEnd(text: string, start: number, mark: number): number {
  const end = start + PART
  if (end >= text.length) return text.length
  // The last characters that could belong to an escape which goes on behind the end.
  for (let at = end - LONGEST_ESCAPE; at < end; at++) {
    if (charCodeAt.call(text, at) !== mark) continue
    // A mark that is itself escaped begins nothing: go back to the first of a row of marks.
    let first = at
    while (first > start && charCodeAt.call(text, first - 1) === mark) first--
    const ahead = (at - first) % 2 === 0 ? at : at - 1
    return ahead > start ? ahead : end
  }
  return end
}
