/** What joins to a query, calls or compares: between quotes it stands where a value was broken out of. */
const GLUE = /[=;#|&<>(]|--|\/\*|\b(?:or|and|xor|union|select|having|where|from|r?like|regexp|div)\b/
const BACKSLASH = '\\'

/**
 * Whether a text that begins like a statement may be one: its quotes are closed, and what is between them is
 * not a query. A text that ends a string of a query which it is put into (`select ' or 'a'='a`) begins with
 * any word it likes; read by itself its strings and what is between them have changed places.
 * @param lower in lower case
 */
export function isUnbroken(lower: string): boolean {
  let at = 0
  while (at < lower.length) {
    const quote = lower[at]
    if (quote === BACKSLASH) return false
    if (quote !== "'" && quote !== '"') {
      at++
      continue
    }
    const end = endOf(lower, at, quote)
    if (end < 0 || GLUE.test(lower.slice(at + 1, end))) return false
    at = end + 1
  }
  return true
}

/** Where a string ends that begins at a quote; a quote that is there twice is one of the string. */
function endOf(text: string, start: number, quote: string): number {
  for (let end = text.indexOf(quote, start + 1); end >= 0; end = text.indexOf(quote, end + 2))
    if (text[end + 1] !== quote) return end
  return -1
}
