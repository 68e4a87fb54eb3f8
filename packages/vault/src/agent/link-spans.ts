/**
 * How an address of another machine may begin: a scheme with slashes, as browsers read them, `//host`, a
 * host with a path behind it, or a character reference, which HTML and Markdown undo before they read an
 * address.
 */
const ADDRESS =
  /[a-z][a-z0-9+.-]{0,20}:[\\/]|https?:|[\\/]{2}|\bwww\.|&#?\w{1,31};|[\p{L}\p{N}]\.[\p{L}\p{N}-]{1,63}\.?(?::\d{1,5})?[/?#]/u
/** An attribute that holds one: browsers undo line breaks within it, so that nothing need look like one. */
const ATTRIBUTE =
  /\b(?:href|src|srcset|action|formaction|poster|background|ping|style)\s{0,20}=\s{0,20}(["'])/
/** A quote or an angle bracket before an address says where it ends. */
const BEGINS = new RegExp(`${ATTRIBUTE.source}|(["'\`<]?)(?:${ADDRESS.source})`, 'giu')
const SPACE = /\s/g

/** A stretch of a text, from its first character to the one after its last. */
interface Span {
  readonly start: number
  readonly end: number
}

/**
 * The stretches of a text that a browser may take for an address: up to the quote that closes it, else up to
 * white space. In doubt longer than the address is.
 */
export function linkSpans(text: string): readonly Span[] {
  const spans: Span[] = []
  BEGINS.lastIndex = 0
  for (let found = BEGINS.exec(text); found !== null; found = BEGINS.exec(text)) {
    const end = endOf(text, found[1] ?? found[2] ?? '', BEGINS.lastIndex)
    spans.push({ start: found.index, end })
    BEGINS.lastIndex = end
  }
  return spans
}

function endOf(text: string, quote: string, from: number): number {
  if (quote !== '') {
    const closed = text.indexOf(quote === '<' ? '>' : quote, from)
    return closed === -1 ? text.length : closed
  }
  SPACE.lastIndex = from
  return SPACE.exec(text)?.index ?? text.length
}
