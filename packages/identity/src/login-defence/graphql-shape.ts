import type { GraphqlToken } from './graphql-tokens.ts'

/** A token, and how many braces and brackets are open around it. */
interface Place {
  readonly kind: GraphqlToken['kind']
  readonly text: string
  readonly before: string | undefined
  readonly braces: number
  readonly brackets: number
}

/**
 * Whether a client chose more of an answer than what one field gives: another field beside it, a fragment
 * that may hold some, or names of its own for fields, as `token: __typename`.
 */
export function isShaped(tokens: readonly GraphqlToken[]): boolean {
  const places = placesOf(tokens)
  if (places.some(isAlias)) return true
  return rootsOf(places).some(roots => roots.length > 1 || roots.some(name => name.startsWith('.')))
}

function placesOf(tokens: readonly GraphqlToken[]): readonly Place[] {
  let braces = 0
  let brackets = 0
  return tokens.map(({ kind, text }, index) => {
    const mark = kind === 'mark' ? text : ''
    if (mark === '}') braces--
    if (mark === ')') brackets--
    const place = { kind, text, before: tokens[index - 1]?.text, braces, brackets }
    if (mark === '{') braces++
    if (mark === '(') brackets++
    return place
  })
}

function isAlias({ kind, text, braces, brackets }: Place): boolean {
  return kind === 'mark' && text === ':' && brackets === 0 && braces > 0
}

/** Names of the fields of each operation, and of what is spread beside them; none of fragments. */
function rootsOf(places: readonly Place[]): readonly (readonly string[])[] {
  const operations: string[][] = []
  let roots: string[] = []
  let isFirst = true
  for (const { kind, text, before, braces, brackets } of places) {
    if (braces === 0) {
      // The first word of a definition says what it is; an operation may be called `fragment`.
      if (isFirst) {
        roots = []
        if (text !== 'fragment') operations.push(roots)
      }
      isFirst = kind === 'mark' && text === '}'
    } else if (braces === 1 && brackets === 0 && kind === 'name' && before !== '@') roots.push(text)
  }
  return operations
}
