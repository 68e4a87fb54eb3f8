import { LEXER_BOUNDS } from './lexer-bounds.ts'
import { ShellWordReader } from './shell-word.ts'
import { isWrapperCommand } from './shell-words.ts'

const {
  word: MAX_WORD,
  flags: LONGEST_FLAGS,
  variableName: LONGEST_VARIABLE,
  variableValue: LONGEST_VALUE,
} = LEXER_BOUNDS.shell

// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

/** Switches of a command that runs another, and their numbers. */
const FLAGS = /^(?:-{1,2}[\w=-]{1,16}\s{1,4}(?:\d{1,4}\s{1,4})?|\d{1,4}\s{1,4}){1,3}/

/**
 * Reads the name of the command at a place of a text, past what runs another command (`sudo`, `time`) and
 * assignments (`LANG=C`). Line ends and runs of separators lead to one place several times: the last one
 * read is kept.
 */
export class CommandNameReader {
  readonly #words = new ShellWordReader()
  #lower = ''
  #at = -1
  /** Where the name ends in the text. */
  end = 0
  /** Whether a shell drops something of it. */
  hasDropped = false
  /** Whether another command runs it. */
  isWrapped = false
  #name: string | undefined
  /** By where each begins, what commands and assignments lead to that were passed. */
  readonly #leadsTo = new Map<number, Led>()

  /** @returns undefined when there is none, or surely none that is known */
  read(lower: string, at: number): string | undefined {
    if (at !== this.#at || lower !== this.#lower) {
      this.#lower = lower
      this.#at = at
      this.#name = this.#readName(lower, at)
    }
    return this.#name
  }

  /** Parts of disguised words that were read since `begin`. */
  get parts(): number {
    return this.#words.parts
  }

  /** Forgets the text, and begins to count. */
  begin(): void {
    this.#lower = ''
    this.#at = -1
    this.#words.parts = 0
    // Clearing a map makes a new one, also when nothing is in it.
    if (this.#leadsTo.size > 0) this.#leadsTo.clear()
  }

  #readName(lower: string, at: number): string | undefined {
    const words = this.#words
    let name = words.read(lower, at)
    const { hasDropped } = words
    if (name === '' && hasDropped) name = words.read(lower, skipSpace(lower, words.end))
    this.end = words.end
    this.hasDropped = hasDropped
    this.isWrapped = false
    if (name !== undefined && name !== '') name = this.#behindWrappers(lower, at, name)
    return name === '' || (name !== undefined && name.length > MAX_WORD) ? undefined : name
  }

  /** Past commands that run another and assignments, however many: each of them is read once. */
  #behindWrappers(lower: string, at: number, first: string): string | undefined {
    const words = this.#words
    const passed: number[] = []
    let lastWrapper = -1
    let name: string | undefined = first
    let start = at
    while (name !== undefined && !this.#leadsTo.has(start)) {
      const isWrapper = isWrapperCommand(name.slice(name.lastIndexOf('/') + 1))
      if (!isWrapper && !isAssignment(name)) break
      const next = skipFlags(lower, this.end)
      const inner = words.read(lower, next)
      this.hasDropped = words.hasDropped
      if (inner === '' || inner?.startsWith('-') === true) break
      passed.push(start)
      if (isWrapper) lastWrapper = start
      this.end = words.end
      name = inner
      start = next
    }
    // A separator before this one may have led here too.
    const known = this.#leadsTo.get(start)
    if (known === undefined && passed.length === 0) return name
    const { end, hasDropped } = known ?? this
    const led = {
      name: known === undefined ? name : known.name,
      end,
      hasDropped,
      lastWrapper: Math.max(lastWrapper, known?.lastWrapper ?? -1),
    }
    for (const place of passed) this.#leadsTo.set(place, led)
    this.end = end
    this.hasDropped = hasDropped
    this.isWrapped = at <= led.lastWrapper
    return led.name
  }
}

/** Where commands and assignments that run another one lead. */
interface Led {
  readonly name: string | undefined
  readonly end: number
  readonly hasDropped: boolean
  /** Where the last command begins that runs another. */
  readonly lastWrapper: number
}

/** Behind white space, semicolons and the switches of a command. */
function skipFlags(lower: string, from: number): number {
  let at = from
  while (charCodeAt.call(lower, at) <= 32 || charCodeAt.call(lower, at) === 59) at++
  const code = charCodeAt.call(lower, at)
  if (code !== 45 && !(code >= 48 && code <= 57)) return at
  return at + (FLAGS.exec(lower.slice(at, at + LONGEST_FLAGS))?.[0].length ?? 0)
}

/** `LANG=C`, before a command. */
function isAssignment(word: string): boolean {
  const equals = word.indexOf('=')
  if (equals < 1 || equals > LONGEST_VARIABLE || word.length - equals - 1 > LONGEST_VALUE) return false
  for (let at = 0; at < equals; at++) if (!isNameCode(charCodeAt.call(word, at))) return false
  return !/\s/.test(word)
}

function isNameCode(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 48 && code <= 57) || code === 95
}

function skipSpace(lower: string, from: number): number {
  let at = from
  while (charCodeAt.call(lower, at) <= 32) at++
  return at
}
