/** Longer markup is hardly a form that only begins like it. */
const LONGEST_FORM = 1_024
const PAIR_BEFORE_QUOTE = /(?<![^&])[^&"=]{1,1024}=[^&"]{0,65536}/g

/**
 * The pairs of a form that was read as something else, but for the start of what looks like a document. Of
 * JSON to its end, as far as its quotes: its texts hold ampersands too, of addresses and of code. A list that
 * is broken may be a pair: qs and Rack take `[q]` and `[]q` for `q`.
 */
export function pairsBehind(text: string, as: 'json' | 'other'): string {
  // To its last quote it may have been read as JSON that has no end.
  const seen = as === 'json' && !/[\]}]\s{0,64}$/.test(text.slice(-65)) ? 'other' : as
  if (seen === 'other' && !/^\ufeff?\s{0,64}[{<]/.test(text)) return text
  // Rack 2 ends a pair at a semicolon too; in a page, there are many.
  const first = seen === 'json' || text.length > LONGEST_FORM ? text.indexOf('&') : text.search(/[&;]/)
  if (first < 0) return ''
  const pairs = text.slice(first + 1)
  return seen === 'json' ? (pairs.match(PAIR_BEFORE_QUOTE)?.join('&') ?? '') : pairs
}
