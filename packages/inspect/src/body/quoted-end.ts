// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

const BACKSLASH = 92

/**
 * Where a string ends: at the quote that no backslash stands before, or at the end of the text. Linear.
 * @param from behind the opening quote
 */
export function quotedEnd(text: string, from: number, quote: string): number {
  let end = text.indexOf(quote, from)
  while (end >= 0) {
    let first = end
    while (first > from && charCodeAt.call(text, first - 1) === BACKSLASH) first--
    if ((end - first) % 2 === 0) return end
    end = text.indexOf(quote, end + 1)
  }
  return text.length
}
