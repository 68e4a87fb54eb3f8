/** Also `boundary*` (RFC 2231), and inside another name: some parsers look for the word alone. */
const BOUNDARY =
  /boundary(?:\*\d{0,2}\*?)?\s{0,8}=\s{0,8}(?:"((?:[^"\\]|\\.){1,200})"|([^\s;"][^\s;]{0,200}))/gi

/**
 * What parsers may take for the boundary of a multipart body (RFC 2046 section 5.1.1): one for what honest
 * clients send. Of two parameters some take the first and some the last; escapes, commas and the extended
 * form are undone by some.
 */
export function boundariesOf(contentType: string): readonly string[] {
  const found = new Set<string>()
  for (const [, quoted, bare] of contentType.slice(0, 2_048).matchAll(BOUNDARY)) {
    const sent = quoted ?? bare ?? ''
    for (const reading of [
      sent,
      sent.replace(/\\(.)/g, '$1'),
      sent.replace(/^[\w-]{0,20}'[\w-]{0,20}'/, ''),
      quoted === undefined ? (sent.split(',', 1)[0] ?? '') : sent,
    ])
      if (reading !== '') found.add(reading)
  }
  return [...found]
}
