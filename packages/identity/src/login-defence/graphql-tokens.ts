/**
 * A token of a GraphQL document (October 2021, section 2.1): a name, a string, or a
 * mark. Numbers count as names.
 */
export interface GraphqlToken {
  readonly kind: 'name' | 'string' | 'mark'
  readonly text: string
}

const MAX_TOKENS = 5_000
const TOKEN =
  /(?<skip>[\s,\uFEFF]+|#[^\n\r]*)|(?<block>"""(?:\\"""|(?!""")[\s\S])*""")|(?<string>"(?:\\.|[^"\\\n\r])*")|(?<name>-?[\w.]+)|(?<mark>\.\.\.|[!$&()=:@[\]{}|])/y

/** The tokens of a document, or undefined when it is malformed or has more than 5,000. */
export function graphqlTokens(text: string): readonly GraphqlToken[] | undefined {
  const tokens: GraphqlToken[] = []
  TOKEN.lastIndex = 0
  let at = 0
  while (at < text.length) {
    TOKEN.lastIndex = at
    const groups = TOKEN.exec(text)?.groups
    if (groups === undefined) return undefined
    at = TOKEN.lastIndex
    const { block, string, name, mark } = groups
    if (name !== undefined) tokens.push({ kind: 'name', text: name })
    else if (mark !== undefined) tokens.push({ kind: 'mark', text: mark })
    else if (block !== undefined) tokens.push({ kind: 'string', text: block.slice(3, -3).trim() })
    else if (string !== undefined) {
      const value = unescaped(string)
      if (value === undefined) return undefined
      tokens.push({ kind: 'string', text: value })
    }
    if (tokens.length > MAX_TOKENS) return undefined
  }
  return tokens
}

/** GraphQL strings have JSON's escapes, and `\u{...}` besides. */
function unescaped(literal: string): string | undefined {
  try {
    return JSON.parse(
      literal.replace(/\\u\{([0-9a-fA-F]{1,6})\}/g, (_, hex: string) =>
        String.fromCodePoint(Number.parseInt(hex, 16)),
      ),
    ) as string
  } catch {
    return undefined
  }
}
