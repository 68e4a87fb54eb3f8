/**
 * What one step of nesting may take of the engine's stack, which is that of a WebAssembly module: about 100
 * brackets fill it, and then the module is broken for every policy set of the process. These are counts at
 * which it was seen to have room, and a path through a condition uses up the sum of its steps.
 */
const BRACKET = 1 / 64
const CHAINED = 1 / 150
const LOGICAL = 1 / 250

/** One pair of brackets that is open, and what its current item has nested by itself. */
interface Level {
  /** Share of the stack that everything around it takes. */
  readonly around: number
  /** `.name`, `[...]` and calls behind each other. */
  chain: number
  /** `+`, `-`, `*` and `!` behind each other. */
  sums: number
  /** `&&` and `||`. */
  logical: number
  /** `if`, whose `else` holds the next. */
  ifs: number
}

const TOKEN = /\/\/[^\n]*|"(?:[^"\\]|\\[\s\S])*"|\w+|&&|\|\||[!<>=]=|[^\s\w]/g
const WORDS_BETWEEN_VALUES: ReadonlySet<string> = new Set(['in', 'has', 'like', 'is', 'then', 'else', 'when'])

/**
 * Whether a text in Cedar's language could break the engine by how deep it is nested. Asked before the engine
 * sees it, because policies may come from whoever administers a tenant.
 * @param kind `schema`: there `<` is a bracket
 */
export function isNestedTooDeep(text: string, kind: 'policies' | 'schema'): boolean {
  const [opening, closing] = kind === 'schema' ? ['([{<', ')]}>'] : ['([{', ')]}']
  let level = levelIn(0)
  const outer: Level[] = []
  let previous = ''
  for (const [token] of text.matchAll(TOKEN)) {
    if (token.startsWith('//')) continue
    if (opening.includes(token)) {
      if (token === '[' || closing.includes(previous)) level.chain++
      outer.push(level)
      level = levelIn(level.around + taken(level) + BRACKET)
    } else if (closing.includes(token)) level = outer.pop() ?? levelIn(0)
    else count(level, token, previous)
    if (level.around + taken(level) > 1) return true
    previous = token
  }
  return false
}

function levelIn(around: number): Level {
  return { around, chain: 0, sums: 0, logical: 0, ifs: 0 }
}

function taken({ chain, sums, logical, ifs }: Level): number {
  return (chain + sums + ifs) * CHAINED + logical * LOGICAL
}

function count(level: Level, token: string, previous: string): void {
  switch (token) {
    case ',':
    case ';':
      Object.assign(level, levelIn(level.around))
      return
    case '.':
      level.chain++
      return
    case '+':
    case '-':
    case '*':
    case '!':
      level.sums++
      level.chain = 0
      return
    case '&&':
    case '||':
      level.logical++
      level.sums = 0
      level.chain = 0
      return
    case 'if':
      level.ifs++
      level.chain = 0
      return
    default:
      if (/^[<>=]|^!=/.test(token) || WORDS_BETWEEN_VALUES.has(token)) level.sums = 0
      // What follows a dot, or a double colon, continues the value.
      if (previous !== '.' && token !== ':') level.chain = 0
  }
}
