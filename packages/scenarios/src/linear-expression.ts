/** A set of characters: 0 to 127, and 128 for all others. */
type CharSet = Uint8Array
const SET_SIZE = 129

interface Atom {
  readonly set: CharSet
  readonly min: number
  readonly max: number
}

/** Why an expression is refused. */
class Refused extends Error {}

/** What is not repeated. */
const ONCE = { min: 1, max: 1 } as const
const ALL = charSet(() => true)

/**
 * Why an expression might take more than linear-looking time on a hostile text, or undefined when it cannot.
 * Conservative and small: no back references, no lookaround, no repetition within an unbounded repetition,
 * alternatives within a repetition that begin differently, and no two unbounded repetitions that could share
 * characters with nothing sure to part them.
 */
export function expressionRisk(source: string): string | undefined {
  if (source.length > 2_000) return 'is longer than 2,000 characters'
  try {
    new RegExp(source)
  } catch {
    return 'is not an expression that JavaScript can read'
  }
  try {
    const parser = new Parser(source)
    for (const branch of parser.alternatives()) checkOverlap(branch)
    return parser.isDone ? undefined : 'has an unmatched parenthesis'
  } catch (error) {
    if (error instanceof Refused) return error.message
    throw error
  }
}

/** Two unbounded repetitions are safe together only when some atom between them stops the first for sure. */
function checkOverlap(branch: readonly Atom[]): void {
  let open: CharSet | undefined
  for (const atom of branch) {
    if (atom.max === Number.POSITIVE_INFINITY) {
      if (open !== undefined && overlaps(open, atom.set))
        throw new Refused('has two unbounded repetitions that can match the same text')
      open = atom.set
    } else if (open !== undefined && atom.min > 0 && !overlaps(open, atom.set)) open = undefined
  }
}

class Parser {
  readonly #source: string
  #at = 0

  constructor(source: string) {
    this.#source = source
  }

  get isDone(): boolean {
    return this.#at >= this.#source.length
  }

  /** Branches parted by `|`, up to the end or a closing parenthesis. */
  alternatives(): Atom[][] {
    const branches: Atom[][] = [[]]
    while (!this.isDone && this.#peek() !== ')') {
      if (this.#peek() === '|') {
        this.#at++
        branches.push([])
      } else branches.at(-1)?.push(...this.#term())
    }
    return branches
  }

  #term(): Atom[] {
    const char = this.#take()
    if (char === '^' || char === '$') return []
    if (char === '(') return this.#group()
    const set =
      char === '.' ? ALL : char === '[' ? this.#bracket() : char === '\\' ? this.#escape() : single(char)
    if (set === undefined) return []
    const { min, max } = this.#quantifier()
    return [{ set, min, max }]
  }

  #group(): Atom[] {
    if (this.#peek() === '?') this.#groupKind()
    const branches = this.alternatives()
    if (this.#take() !== ')') throw new Refused('has an unmatched parenthesis')
    const { min, max } = this.#quantifier()
    for (const branch of branches) checkOverlap(branch)
    const isLong = branches.some(branch => branch.some(atom => atom.max === Number.POSITIVE_INFINITY))
    if (max > 1 && branches.some(branch => branch.some(atom => atom.max !== atom.min)))
      throw new Refused('repeats a group that itself repeats')
    if (max > 1) checkStarts(branches)
    // Seen from outside: one atom of all the characters the group can take.
    let set: CharSet = new Uint8Array(SET_SIZE)
    for (const atom of branches.flat()) set = union(set, atom.set)
    const fewest = Math.min(...branches.map(branch => branch.reduce((sum, atom) => sum + atom.min, 0)))
    const outerMax = isLong || max === Number.POSITIVE_INFINITY ? Number.POSITIVE_INFINITY : 1
    // A group that may be long and has a fixed beginning still has to be taken as a whole: the cautious
    // reading.
    return [{ set, min: Math.min(min, fewest), max: outerMax }]
  }

  /** Behind `(`: `?:`, or `?<name>`. */
  #groupKind(): void {
    this.#at++
    const kind = this.#take()
    if (kind === '<') {
      if (this.#peek() === '=' || this.#peek() === '!') throw new Refused('looks behind')
      this.#at = this.#source.indexOf('>', this.#at) + 1
    } else if (kind !== ':')
      throw new Refused(kind === '=' || kind === '!' ? 'looks ahead' : 'has a group of an unknown kind')
  }

  #quantifier(): { min: number; max: number } {
    if (!'*+?{'.includes(this.#peek() || ' ')) return ONCE
    const found = /^(?:([*+?])|\{(\d{1,4})(,(\d{0,4}))?\})\??/.exec(
      this.#source.slice(this.#at, this.#at + 12),
    )
    if (found === null) return ONCE
    this.#at += found[0].length
    const [, sign, low = '0', comma, high] = found
    if (sign === '*') return { min: 0, max: Number.POSITIVE_INFINITY }
    if (sign === '+') return { min: 1, max: Number.POSITIVE_INFINITY }
    if (sign === '?') return { min: 0, max: 1 }
    const min = Number(low)
    const max =
      comma === undefined ? min : high === '' || high === undefined ? Number.POSITIVE_INFINITY : Number(high)
    // A wide range backtracks like an unbounded one.
    return { min, max: max - min > 64 ? Number.POSITIVE_INFINITY : max }
  }

  #bracket(): CharSet {
    const isNegated = this.#peek() === '^'
    if (isNegated) this.#at++
    let set: CharSet = new Uint8Array(SET_SIZE)
    while (this.#peek() !== ']') {
      const from = this.#member()
      if (this.#peek() === '-' && this.#source[this.#at + 1] !== ']' && from.length === 1) {
        this.#at++
        const to = this.#member()
        set = union(set, range(from.charCodeAt(0), to.charCodeAt(0)))
      } else if (from.length === 1) set = union(set, single(from))
      else set = union(set, classOf(from.slice(1)) ?? ALL)
    }
    this.#at++
    return isNegated ? set.map((value, index) => (index === 128 || value === 0 ? 1 : 0)) : set
  }

  /** One character, or the text of an escape that stands for several. */
  #member(): string {
    const char = this.#take()
    if (char === '') throw new Refused('has an unmatched bracket')
    if (char !== '\\') return char
    const escaped = this.#take()
    if (/[a-z]/i.test(escaped) && classOf(escaped) !== undefined) return `\\${escaped}`
    return this.#literal(escaped)
  }

  #escape(): CharSet | undefined {
    const char = this.#take()
    if (/[1-9k]/.test(char)) throw new Refused('refers back to a group')
    if (char === 'b' || char === 'B') return undefined
    return classOf(char) ?? single(this.#literal(char))
  }

  #literal(escaped: string): string {
    if (escaped === 'x' || escaped === 'u') {
      const length = escaped === 'x' ? 2 : 4
      const code = Number.parseInt(this.#source.slice(this.#at, this.#at + length), 16)
      this.#at += length
      return Number.isNaN(code) ? escaped : String.fromCharCode(code)
    }
    return { n: '\n', r: '\r', t: '\t', f: '\f', v: '\v', 0: '\0' }[escaped] ?? escaped
  }

  #peek(): string {
    return this.#source[this.#at] ?? ''
  }

  #take(): string {
    return this.#source[this.#at++] ?? ''
  }
}

/**
 * Alternatives under a repetition must be told apart by their first character, or every round doubles the
 * ways.
 */
function checkStarts(branches: readonly (readonly Atom[])[]): void {
  let seen: CharSet = new Uint8Array(SET_SIZE)
  for (const branch of branches) {
    const first = branch[0]?.set
    if (first === undefined) throw new Refused('repeats a group that can be empty')
    if (overlaps(seen, first))
      throw new Refused('repeats alternatives that can begin with the same character')
    seen = union(seen, first)
  }
}

function classOf(letter: string): CharSet | undefined {
  const word = (code: number): boolean => /\w/.test(String.fromCharCode(code))
  if (letter === 'd') return charSet(code => code >= 48 && code <= 57)
  if (letter === 'D') return charSet(code => code < 48 || code > 57)
  if (letter === 'w') return charSet(code => code < 128 && word(code))
  if (letter === 'W') return charSet(code => code === 128 || !word(code))
  if (letter === 's') return charSet(code => code === 128 || code === 32 || (code >= 9 && code <= 13))
  if (letter === 'S') return charSet(code => code !== 32 && (code < 9 || code > 13))
  return undefined
}

function charSet(has: (code: number) => boolean): CharSet {
  const set = new Uint8Array(SET_SIZE)
  for (let code = 0; code < SET_SIZE; code++) set[code] = has(code) ? 1 : 0
  return set
}

/** Both cases: expressions are matched without regard to case. */
function single(char: string): CharSet {
  const set = new Uint8Array(SET_SIZE)
  add(set, char)
  return set
}

function add(set: CharSet, char: string): void {
  set[Math.min(128, char.toLowerCase().charCodeAt(0))] = 1
  set[Math.min(128, char.toUpperCase().charCodeAt(0))] = 1
}

function range(from: number, to: number): CharSet {
  const set = new Uint8Array(SET_SIZE)
  if (to > 127) set[128] = 1
  for (let code = from; code <= Math.min(127, to); code++) add(set, String.fromCharCode(code))
  return set
}

function union(a: CharSet, b: CharSet): CharSet {
  const both = new Uint8Array(SET_SIZE)
  for (let code = 0; code < SET_SIZE; code++) both[code] = (a[code] as number) | (b[code] as number)
  return both
}

function overlaps(a: CharSet, b: CharSet): boolean {
  for (let code = 0; code < SET_SIZE; code++)
    if (((a[code] as number) & (b[code] as number)) !== 0) return true
  return false
}
