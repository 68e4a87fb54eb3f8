/** What is looked for: one expression not far behind another. */
export interface Within {
  /** What opens: every place where it matches begins a search. */
  readonly opening: RegExp
  /** What is looked for behind an opening. */
  readonly inside: RegExp
  /** Characters between the opening and what is looked for. */
  readonly reach: number
  /** Characters that end a search, as a class of an expression: `{}%`. */
  readonly barriers: string
}

/** Where it was found. */
export interface FoundWithin {
  readonly start: number
  readonly end: number
}

/**
 * Finds the first `inside` that stands at most `reach` characters behind an `opening`, with no barrier
 * between. The same as one expression `opening[^barriers]{0,reach}?inside`, which tries `inside` at every
 * character behind each opening again; here each expression passes over the text once, however many
 * openings there are.
 */
export function foundWithin({
  opening,
  inside,
  reach,
  barriers,
}: Within): (text: string) => FoundWithin | undefined {
  const openings = new RegExp(opening.source, 'g')
  const insides = new RegExp(inside.source, 'g')
  const ends = new RegExp(`[${barriers}]`, 'g')
  return text => {
    let from = -1
    let to = -1
    let barrier = -1
    openings.lastIndex = 0
    for (let open = openings.exec(text); open !== null; open = openings.exec(text)) {
      const behind = open.index + open[0].length
      openings.lastIndex = open.index + 1
      if (from < behind) {
        insides.lastIndex = behind
        const found = insides.exec(text)
        if (found === null) return undefined
        from = found.index
        to = from + found[0].length
      }
      if (from - behind > reach) continue
      if (barrier < behind) {
        ends.lastIndex = behind
        barrier = ends.exec(text)?.index ?? text.length
      }
      if (from <= barrier) return { start: open.index, end: to }
    }
    return undefined
  }
}
