/** A piece of a text: matched by the rule, or around it. */
export interface Piece {
  readonly text: string
  readonly isMatch: boolean
}

/**
 * Where a rule's evidence stands in a text. The evidence is decoded and may be cut; letter case and white
 * space may
 * differ from what was sent.
 * @returns undefined when it is not found there
 */
export function marked(text: string, span: string): readonly Piece[] | undefined {
  const wanted = span.replace(/…$/, '').trim()
  if (wanted === '') return undefined
  const words = wanted.split(/\s+/).map(word => word.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  const match = new RegExp(words.join('\\s+'), 'i').exec(text)
  if (match === null) return undefined
  return [
    { text: text.slice(0, match.index), isMatch: false },
    { text: match[0], isMatch: true },
    { text: text.slice(match.index + match[0].length), isMatch: false },
  ].filter(piece => piece.text !== '')
}
