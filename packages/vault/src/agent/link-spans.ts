/**
 * Where an address of another machine may begin: a scheme with slashes, as browsers read them, `//host`, or
 * `www.`. A quote or an angle bracket before it says where it ends.
 */
const BEGINS = /(["'`<]?)(?:[a-z][a-z0-9+.-]{0,20}:[\\/]|https?:|[\\/]{2}|\bwww\.)/gi
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
    const end = endOf(text, found[1] ?? '', BEGINS.lastIndex)
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
