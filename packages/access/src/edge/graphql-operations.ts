/** A field of an operation, as far as it says how much it changes. */
export interface GraphqlField {
  readonly name: string
  /** Elements of the longest list among its arguments; at least 1. */
  readonly listed: number
  /** Names of the variables in its arguments. */
  readonly variables: readonly string[]
  /** Whether it stands inside a field without arguments, as grouped operations do: `orders { ... }`. */
  readonly isInner: boolean
}

/** Fields of one level, those of inline fragments included, and the fragments that are spread there. */
export interface GraphqlSelection {
  readonly fields: readonly GraphqlField[]
  readonly spreads: readonly string[]
  /** Those that are spread inside a field without arguments. */
  readonly innerSpreads: readonly string[]
}

/** What a document of GraphQL holds. */
export interface GraphqlOperations {
  readonly mutations: readonly {
    readonly selection: GraphqlSelection
    /** Elements of the longest list in the default of each variable that has one. */
    readonly defaults: ReadonlyMap<string, number>
  }[]
  readonly fragments: ReadonlyMap<string, GraphqlSelection>
}

/**
 * Punctuators, names and variables, strings, comments (GraphQL, October 2021, section 2.1). In a block string
 * a backslash stands for itself, but before three quotes.
 */
const TOKEN =
  /#[^\n\r]*|"""(?:\\"""|[^"]|"(?!""))*"""|"(?:[^"\\\n]|\\.)*"|\.\.\.|\$?[_A-Za-z]\w*|[!$&()[\]{}:=@|]|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|[\s,\uFEFF]+|./gsu
const MAX_TOKENS = 100_000
/** Inline fragments inside of each other; nobody writes so many. */
const MAX_DEPTH = 200
const PAIRS: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' }

/**
 * Reads the mutations of a document, in time linear in its length, whatever brackets it holds. What is not
 * GraphQL gives operations of a kind: nobody executes them.
 * @returns undefined for a document of more than 100,000 tokens, or fragments more than 200 deep
 */
export function readGraphql(text: string): GraphqlOperations | undefined {
  const tokens = graphqlTokens(text)
  if (tokens === undefined) return undefined
  const reader = new Reader(tokens)
  const operations = reader.operations()
  return reader.isTooDeep ? undefined : operations
}

/**
 * Tokens of a document, without what is ignored between them. A variable is one, though its sign and its name
 * are two in the specification and may stand apart: `$ ids`.
 * @returns undefined for more than 100,000
 */
export function graphqlTokens(text: string): readonly string[] | undefined {
  const tokens: string[] = []
  for (const [token] of text.matchAll(TOKEN)) {
    if (/^(?:#|[\s,\uFEFF])/.test(token)) continue
    if (tokens.at(-1) === '$' && /^[_A-Za-z]/.test(token)) {
      tokens[tokens.length - 1] = `$${token}`
      continue
    }
    if (tokens.length >= MAX_TOKENS) return undefined
    tokens.push(token)
  }
  return tokens
}

/** How deep a selection stands, and whether in a field without arguments. */
interface Level {
  readonly depth: number
  readonly isInner: boolean
}

interface Selection {
  readonly fields: GraphqlField[]
  readonly spreads: string[]
  readonly innerSpreads: string[]
}

class Reader {
  isTooDeep = false
  readonly #tokens: readonly string[]
  /** For each opening bracket the place of the one that closes it; the end where none does. */
  readonly #ends: Uint32Array

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens
    this.#ends = endsOf(tokens)
  }

  operations(): GraphqlOperations {
    const tokens = this.#tokens
    const mutations: GraphqlOperations['mutations'][number][] = []
    const fragments = new Map<string, GraphqlSelection>()
    for (let i = 0; i < tokens.length; ) {
      const kind = tokens[i] ?? ''
      // A description stands before what it describes (draft of the specification, section 2.10).
      if (kind.startsWith('"')) {
        i++
        continue
      }
      const name = tokens[i + 1] ?? ''
      const brace = this.#openingBrace(i)
      const selection: Selection = { fields: [], spreads: [], innerSpreads: [] }
      const defaults = kind === 'mutation' ? this.#defaults(i, brace) : new Map()
      i = this.#selection(brace + 1, selection, { depth: 0, isInner: false })
      if (kind === 'mutation') mutations.push({ selection, defaults })
      else if (kind === 'fragment') fragments.set(name, selection)
    }
    return { mutations, fragments }
  }

  /** @returns the place after its closing brace */
  #selection(start: number, into: Selection, level: Level): number {
    let i = start
    while (i < this.#tokens.length && this.#tokens[i] !== '}')
      i = this.#tokens[i] === '...' ? this.#spread(i + 1, into, level) : this.#field(i, into, level)
    return i + 1
  }

  #inner(start: number, into: Selection, { depth, isInner }: Level): number {
    if (depth < MAX_DEPTH) return this.#selection(start, into, { depth: depth + 1, isInner })
    this.isTooDeep = true
    return this.#tokens.length
  }

  /** @param i after the three dots */
  #spread(i: number, into: Selection, level: Level): number {
    const next = this.#tokens[i] ?? ''
    if (next !== 'on' && next !== '@' && next !== '{') {
      ;(level.isInner ? into.innerSpreads : into.spreads).push(next)
      return this.#afterDirectives(i + 1)
    }
    return this.#inner(this.#openingBrace(i) + 1, into, level)
  }

  #field(start: number, into: Selection, { depth, isInner }: Level): number {
    const isAliased = this.#tokens[start + 1] === ':'
    const name = this.#tokens[isAliased ? start + 2 : start] ?? ''
    let i = start + (isAliased ? 3 : 1)
    let listed = 1
    let variables: readonly string[] = []
    const hasArguments = this.#tokens[i] === '('
    if (hasArguments) {
      const end = this.#end(i)
      listed = this.#longestList(i + 1, end)
      variables = this.#tokens.slice(i + 1, end).flatMap(token => (token[0] === '$' ? [token.slice(1)] : []))
      i = end + 1
    }
    if (hasArguments || !isInner) into.fields.push({ name, listed, variables, isInner })
    i = this.#afterDirectives(i)
    if (this.#tokens[i] !== '{') return i
    return hasArguments ? this.#end(i) + 1 : this.#inner(i + 1, into, { depth, isInner: true })
  }

  #afterDirectives(start: number): number {
    let i = start
    while (this.#tokens[i] === '@') {
      i += 2
      if (this.#tokens[i] === '(') i = this.#end(i) + 1
    }
    return i
  }

  /** The next `{` that is not inside of brackets. */
  #openingBrace(start: number): number {
    let i = start
    while (i < this.#tokens.length && this.#tokens[i] !== '{')
      i = this.#tokens[i] === '(' ? this.#end(i) + 1 : i + 1
    return i
  }

  /** `mutation ($ids: [ID!] = [1, 2])`. */
  #defaults(start: number, end: number): ReadonlyMap<string, number> {
    const sizes = new Map<string, number>()
    let variable = ''
    let from = end
    for (let i = start; i <= end; i++) {
      const token = i === end ? undefined : this.#tokens[i]
      if (token === '=' && from === end) from = i
      if (token !== undefined && !(token[0] === '$' && this.#tokens[i + 1] === ':')) continue
      if (from < i) sizes.set(variable, this.#longestList(from, i))
      variable = token?.slice(1) ?? ''
      from = end
    }
    return sizes
  }

  /** Elements of the longest list between two places; 1 where there is none. */
  #longestList(start: number, end: number): number {
    let longest = 1
    for (let i = start; i < end; i++) {
      if (this.#tokens[i] !== '[') continue
      let elements = 0
      for (let j = i + 1, last = Math.min(this.#end(i), end); j < last; j++) {
        const token = this.#tokens[j]
        elements++
        if (token === '[' || token === '{') j = this.#end(j)
      }
      longest = Math.max(longest, elements)
    }
    return longest
  }

  #end(start: number): number {
    return this.#ends[start] ?? this.#tokens.length
  }
}

/** A closing bracket of another kind than the last one that was opened closes nothing. */
function endsOf(tokens: readonly string[]): Uint32Array {
  const ends = new Uint32Array(tokens.length).fill(tokens.length)
  const open: number[] = []
  for (const [i, token] of tokens.entries()) {
    if (PAIRS[token] !== undefined) open.push(i)
    else if (open.length > 0 && token === PAIRS[tokens[open.at(-1) as number] as string])
      ends[open.pop() as number] = i
  }
  return ends
}
