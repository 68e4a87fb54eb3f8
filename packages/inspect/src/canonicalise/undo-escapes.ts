/** Reads one kind of escape. Where it stands is its only state, so one reader serves all texts in turn. */
export interface EscapeReader {
  /** What every escape of this kind begins with. */
  readonly sign: string
  /** Where the text goes on behind what was read last. */
  readonly end: number
  /** The character that an escape at `at`, where the sign is, stands for; undefined when it is invalid. */
  read(text: string, at: number): string | undefined
}

/** A text with every escape of one kind replaced by its character, once. Linear, never throws. */
export function undoEscapes(text: string, reader: EscapeReader): string {
  const { sign } = reader
  let out = ''
  let from = 0
  for (let at = text.indexOf(sign); at >= 0; at = text.indexOf(sign, reader.end)) {
    const character = reader.read(text, at)
    if (character === undefined) continue
    out += text.slice(from, at) + character
    from = reader.end
  }
  return from === 0 ? text : out + text.slice(from)
}
