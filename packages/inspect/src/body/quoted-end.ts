// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

const BACKSLASH = 92

/**
 * Where a string ends: at the quote that no backslash stands before, or at the end of the text.
 * @param from behind the opening quote
 * @param quote code of the character
 */
export function quotedEnd(text: string, from: number, quote: number): number {
  for (let at = from; at < text.length; at++) {
    const code = charCodeAt.call(text, at)
    if (code === quote) return at
    if (code === BACKSLASH) at++
  }
  return text.length
}
