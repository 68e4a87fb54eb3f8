// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype
const KEPT = 16

/**
 * Cuts what only serves as padding: a character repeated more than 16 times in a row, and the inside of closed comments longer than 64
 * characters. So that filler inside an attack cannot push its halves into different windows. Linear.
 */
export function collapsePadding(text: string): string {
  let out = ''
  let from = 0
  let at = 0
  while (at < text.length) {
    const code = charCodeAt.call(text, at)
    let end = at + 1
    while (end < text.length && charCodeAt.call(text, end) === code) end++
    if (end - at > KEPT) {
      out += text.slice(from, at + KEPT)
      from = end
    }
    at = end
  }
  return collapseComments(from === 0 ? text : out + text.slice(from))
}

function collapseComments(text: string): string {
  let out = ''
  let from = 0
  let open = text.indexOf('/*')
  while (open >= 0) {
    const close = text.indexOf('*/', open + 2)
    if (close < 0) break
    if (close - open > 64 && charCodeAt.call(text, open + 2) !== 33) {
      out += text.slice(from, open + 2)
      from = close
    }
    open = text.indexOf('/*', close + 2)
  }
  return from === 0 ? text : out + text.slice(from)
}
