import type { Span } from '../rule/rule.ts'
import type { Reading } from '../value/reading.ts'
import { isInTable } from '../value/table-row.ts'
import { CommandNameReader } from './command-name.ts'
import { FoundCommand, type Opening, rate } from './found-command.ts'
import { LEXER_BOUNDS } from './lexer-bounds.ts'
import { SensitiveTexts } from './sensitive-texts.ts'
import { isAdvisedCommand, isShellCommand, looksAround } from './shell-words.ts'

const {
  commands: MAX_WEIGHED,
  disguisedParts: MAX_PARTS,
  bareScore: MAX_BARE,
  gap: MAX_GAP,
} = LEXER_BOUNDS.shell

// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

/**
 * Where a value would start a command of its own: behind a separator, a line end or inside a substitution,
 * undoing what shells drop from a word (quotes, backslashes, empty
 * variables, carets). A command that is also an English word needs an argument that only a shell takes; a
 * separator deep inside a sentence counts less than one behind a single word.
 */
export class ShellCommandLexer {
  readonly #names = new CommandNameReader()
  readonly #sensitive = new SensitiveTexts()
  #weighed = 0
  /** The white space that was read last. */
  #spaceFrom = 0
  #spaceEnd = 0
  /** The last word that does not name a command anywhere: one that is repeated is looked up once. */
  #refused = ''

  // biome-ignore lint/complexity/noExcessiveCognitiveComplexity: one pass over every separator of a value; runs and pairs of backticks are its state.
  find(reading: Reading): Span | undefined {
    const { lower } = reading
    let best: Span | undefined
    this.#weighed = 0
    this.#spaceFrom = 0
    this.#spaceEnd = 0
    this.#names.begin()
    this.#sensitive.begin(lower)
    if (reading.fromStart) best = this.#commandAt(reading, 0, 'start', 0)
    let backticks = 0
    // Where a run of separators (`&&`, `;;`) begins: what stands before it is what the command is separated
    // from.
    let run = -1
    let hasBacktick = true
    for (let at = 0; at < lower.length; at++) {
      const code = charCodeAt.call(lower, at)
      if (code > 127 || OPENS[code] === 0) continue
      const opening = openingAt(lower, at)
      if (opening === undefined) continue
      if (opening === 'separator' && openingAt(lower, at + 1) === 'separator') {
        if (run < 0) run = at
        continue
      }
      const separator = run < 0 ? at : run
      run = -1
      if (code === 96) {
        // Every second backtick closes what the one before opened.
        if (isFence(lower, at) || ++backticks % 2 === 0) continue
        if (isLink(lower, at)) continue
        // `like this' is how people quote: nothing closes it.
        hasBacktick &&= lower.indexOf('`', at + 1) >= 0
        if (!hasBacktick) continue
      } else if (opening === 'substitution') {
        // `$(MAKE)` is a variable of make.
        if (/^\$\([A-Z_]{2,24}\)/.test(reading.text.slice(at, at + 28))) continue
        if (isInBody(reading) && HARMLESS.test(lower.slice(at, at + HARMLESS_REACH))) continue
      }
      const skip = opening === 'substitution' && code !== 96 ? 2 : 1
      const found = this.#commandAt(reading, at + skip, opening, separator)
      if (found !== undefined && (best === undefined || weightOf(found) > weightOf(best))) best = found
      if (best !== undefined && weightOf(best) >= 6) break
      if (this.#weighed > MAX_WEIGHED || this.#names.parts > MAX_PARTS) {
        this.#forget()
        return { start: 0, end: 1, score: 10, id: 'bounds/effort' }
      }
    }
    this.#forget()
    return best
  }

  #commandAt(reading: Reading, from: number, opening: Opening, separator: number): Span | undefined {
    const { lower, place } = reading
    const at = this.#behindGap(lower, from)
    const name = this.#names.read(lower, at)
    if (name === undefined || name === this.#refused) return undefined
    const { end: wordEnd, hasDropped, isWrapped } = this.#names
    const path = name.lastIndexOf('/')
    const hasGlob = path >= 0 && OF_PROGRAM.test(name) && GLOB.test(name)
    if (hasGlob && isProgramByGlob(name, opening, place))
      return { start: separator, end: wordEnd, score: 6, id: 'rce/glob' }
    const command = commandIn(name, path)
    if (command === undefined) {
      if (opening === 'substitution' && charCodeAt.call(lower, separator) !== 96 && DROPPED.test(name))
        return { start: separator, end: wordEnd, score: 6, id: 'rce/command' }
      // A pattern names a program in some places only.
      if (!hasGlob) this.#refused = name
      return undefined
    }
    if (isByChance(reading, opening, at, wordEnd) || isInRow(lower, separator, at)) return undefined
    this.#weighed++
    // `bin/node` is a path of a package where documents are sent.
    const inBin =
      path >= 0 &&
      (isInBody(reading) ? /\/(?:s?bin|local)\/$/ : /(?:^|\/)(?:s?bin|local)\/$/).test(
        name.slice(0, path + 1),
      )
    const isDisguised = (hasDropped && command.length > 1) || inBin
    const found = new FoundCommand(
      reading,
      {
        command,
        at,
        from,
        end: wordEnd,
        separator,
        wrapped: isWrapped,
        isDisguised,
      },
      this.#sensitive,
    )
    const score = rate(opening, found)
    if (score <= 0) return undefined
    const end = Math.min(lower.length, found.end + 40)
    // Between backticks Markdown sets code, where people write.
    const isCode =
      opening === 'substitution' &&
      charCodeAt.call(lower, separator) === 96 &&
      (command === 'id' || command === 'set' || !looksAround(command)) &&
      !found.wrapped &&
      !found.sensitive &&
      !found.isSubstituted
    // What people tell each other to type: `DEBUG=app; node app.js`.
    const isAdvice =
      opening === 'separator' &&
      found.before !== '' &&
      !isDisguised &&
      !found.sensitive &&
      isAdvisedCommand(command) &&
      isBalanced(found.before)
    // Behind an address or a line end, nobody lists what is typed: the first line was to be the whole value.
    const isList = opening === 'line' && !found.isHungOn && !hasDropped
    const isFilter = opening === 'separator' && found.before !== '' && found.isFilter
    const bare = opening === 'start' || isList || isCode || isAdvice || isFilter
    return { start: separator, end, score, id: 'rce/command', bare }
  }

  /** Where a command may begin: behind white space, and few of the signs that may stand before one. */
  #behindGap(lower: string, from: number): number {
    let at = from
    for (let signs = 0; ; signs++) {
      if (charCodeAt.call(lower, at) <= 32) at = this.#behindSpace(lower, at)
      if (signs === MAX_GAP || !isBeforeCommand(charCodeAt.call(lower, at))) return at
      at++
    }
  }

  /** Behind white space: each of its line ends leads there, so it is read once. */
  #behindSpace(lower: string, from: number): number {
    if (from >= this.#spaceFrom && from < this.#spaceEnd) return this.#spaceEnd
    let at = from
    while (charCodeAt.call(lower, at) <= 32) at++
    this.#spaceFrom = from
    this.#spaceEnd = at
    return at
  }

  /** What is kept would hold on to the text that it was cut from. */
  #forget(): void {
    this.#names.begin()
    this.#sensitive.begin('')
    this.#refused = ''
  }
}

/** A program that was put where every user may write. */
const DROPPED = /^\/(?:(?:var\/)?tmp|dev\/shm)\/[\w.-]/

/** How a path to a program begins. */
const OF_PROGRAM = /^(?:(?:\.{0,2}|~)\/|bin\/)/

/** `/etc/passwd` is a file, whatever else has its name. */
const OF_SETTINGS = /\/etc\/[^/]*$/

/**
 * The command that a word is, or that its path leads to.
 * @param path where the last slash of the word is; -1: it has none
 */
function commandIn(name: string, path: number): string | undefined {
  if (path >= 0 && (!OF_PROGRAM.test(name) || OF_SETTINGS.test(name))) return undefined
  const base = path >= 0 ? name.slice(path + 1) : name
  const command = base.endsWith('.exe') ? base.slice(0, -4) : base
  return isShellCommand(command) ? command : undefined
}

function isInBody({ place }: Reading): boolean {
  return place === 'body' || place === 'form'
}

/**
 * Substitutions that people write in commands they tell each other (`docker run -v $(pwd):/app`), whole: the
 * shell is asked for its folder, its user's number, its processors or a process, and whatever stands around
 * them they do nothing else.
 */
const HARMLESS =
  /^\$\((?:pwd\)["']?[:/][\w./]|(?:nproc|id -[ug]n?|cat [\w-]{1,24}\.pid|lsof -t ?-i ?(?:tcp)?:\d{1,5}|pgrep [\w-]{1,24})\))/
const HARMLESS_REACH = 48

/** Whether a path of one folder with a wildcard names a program: `/???/c[a]t`. */
function isProgramByGlob(name: string, opening: Opening, place: Reading['place']): boolean {
  // What a body sets between backticks is code; the path of a request begins so itself.
  if (opening === 'line' || (place === 'body' && opening === 'substitution')) return false
  if (place === 'path' && opening === 'start') return false
  // What is in brackets stands for one sign of a name, never for a slash: `/[^/]*$` is an expression.
  if (!PROGRAM_FOLDER.test(name) || /\[[^\]]{0,40}\//.test(name)) return false
  return !ROUTE.test(name) && /^\/[\w?*[\]-]{1,12}\/[\w?*[\]/-]{1,24}$/.test(name)
}

/** Commands of so few letters are in every long value of letters and signs. */
const FEW = 3
/** Those that Windows has, where capitals make no difference. */
const OF_WINDOWS = /^(?:dir|ver|set|net|cmd|del|md|rd|cd|cls|vol|at|sc|reg|arp)$/
/** What stands behind a command of one letter that somebody wrote. */
const ENDS_LETTER = /^(?:[\s;&#)]|$)/
const SOME_CAPITAL = /[A-Z]/
const SOME_SMALL = /[a-z]/

/** `Sort$Name`, as grids of ASP.NET post it: shells with such variables tell capitals apart. */
const POSTED_BACK = /^[A-Z][a-z]{1,16}\$\w/

/** A column that Splunk and ES|QL work out, up to the next step: `| eval mb = round(bytes / 1024)`. */
const COMPUTED = /^eval\s{1,8}[\w.]{1,40}\s{0,2}=[^=$`;&|][^$`;&|]{0,400}(?:\||$)/
const COMPUTED_REACH = 480

/** What a module of JavaScript gives and takes, line by line. */
const SCRIPT_WORD =
  /^(?:export\s{1,4}(?:[*{]|(?:type|default|declare|abstract|async|const|let|var|function|class|interface|enum|namespace)\s)|import\s{1,4}(?:[*{'"]|type\s|[\w$]{1,40}\s{1,4}from\s))/
const SCRIPT_REACH = 60
/** The type of a `data:` URL, before how it is encoded. */
const OF_DATA_URL = /\bdata:[a-z]{1,16}\/[\w.+-]{1,40};\s?$/

/** Whether a single `|` stands before a word. */
function isPiped(lower: string, at: number): boolean {
  return /(?:^|[^|])\|\s{0,8}$/.test(lower.slice(Math.max(0, at - 12), at))
}

/**
 * The sign of copyright as HTML has it, with its owner: `&copy; <a href="https://x.example">X</a>`. Windows
 * takes a semicolon for space, and what is copied from elsewhere has backslashes.
 */
const COPYRIGHT = /^&copy;(?![^\n]{0,199}[\\|])/
const COPYRIGHT_REACH = 200

/**
 * One capital, two or three with no space behind, or small and capital letters: Unix tells them apart, so
 * this is a piece of a polyline or of base64 (`|eD+`, where a plus may stand for a space).
 */
function isByChance({ text, lower }: Reading, opening: Opening, at: number, end: number): boolean {
  // Alone it asks for a password and does nothing, and fields of sign-in forms have its name.
  if (opening === 'start' && end === lower.length && lower.endsWith('passwd', end) && end - at === 6)
    return true
  // In a polyline each sign is as likely as each letter: ``s`w|w`A``.
  if (end - at === 1 && !ENDS_LETTER.test(lower.slice(end, end + 1))) return true
  if (lower.startsWith('eval', at) && COMPUTED.test(lower.slice(at, end + COMPUTED_REACH)))
    if (isPiped(lower, at)) return true
  if (end - at === 4 && COPYRIGHT.test(lower.slice(Math.max(0, at - 1), end + COPYRIGHT_REACH))) return true
  if (end - at === 6 && SCRIPT_WORD.test(lower.slice(at, end + SCRIPT_REACH))) return true
  if (lower.startsWith('base64', at) && OF_DATA_URL.test(lower.slice(Math.max(0, at - SCRIPT_REACH), at)))
    return true
  const name = text.slice(at, end)
  if (!SOME_CAPITAL.test(name)) return false
  if (POSTED_BACK.test(name)) return true
  if (opening === 'start' || end - at > FEW || OF_WINDOWS.test(lower.slice(at, end))) return false
  return end - at === 1 || SOME_SMALL.test(name) || charCodeAt.call(lower, end) > 32
}

/** Whether every quote in a text is closed: what follows one that is left open breaks out of it. */
function isBalanced(text: string): boolean {
  let single = 0
  let double = 0
  for (let at = 0; at < text.length; at++) {
    const code = charCodeAt.call(text, at)
    if (code === 39) single++
    else if (code === 34) double++
  }
  return single % 2 === 0 && double % 2 === 0
}

/** What counts less in some settings must not hide what counts in all. */
function weightOf({ score = 0, bare }: Span): number {
  return bare === true ? Math.min(score, MAX_BARE) : score
}

/** Three backticks fence a block in Markdown; no shell has a use for them. */
function isFence(lower: string, at: number): boolean {
  const before = charCodeAt.call(lower, at - 1) === 96
  const behind = charCodeAt.call(lower, at + 1) === 96
  return (
    (before && behind) ||
    (behind && charCodeAt.call(lower, at + 2) === 96) ||
    (before && charCodeAt.call(lower, at - 2) === 96)
  )
}

/** A link of reStructuredText (`` `Guide <https://a.example/>`_ ``): a shell wants a file behind `>`. */
const LINK = /^`[^`<>\n"'\\#]{1,80}\s<(?:https?|mailto):[^\s`<>"'\\]{1,200}>`__?(?!\w)/
const LINK_REACH = 300

function isLink(lower: string, at: number): boolean {
  return LINK.test(lower.slice(at, at + LINK_REACH))
}

/** Whether a `|` that is no more than the side of a table's cell stands before a command. */
function isInRow(lower: string, separator: number, at: number): boolean {
  if (at - separator > REACH_OF_BAR || !lower.slice(separator, at).includes('|')) return false
  return isInTable(lower, separator)
}
const REACH_OF_BAR = 2 * MAX_GAP

/** Characters at which a command could start, or a run of them goes on. */
const OPENS = new Uint8Array(128)
for (const sign of ';|&\n\r`$<>') OPENS[charCodeAt.call(sign, 0)] = 1

function openingAt(lower: string, at: number): Opening | undefined {
  switch (charCodeAt.call(lower, at)) {
    case 59: // ;
    case 124: // |
    case 38: // &
      return 'separator'
    case 10:
    case 13:
      return 'line'
    case 96: // `
      return 'substitution'
    case 36: // $(
      return charCodeAt.call(lower, at + 1) === 40 ? 'substitution' : undefined
    case 60: // <(
    case 62: // >( behind a space: behind a letter or a quote it is the end of a tag
      return charCodeAt.call(lower, at + 1) === 40 && !/[\w"'/>-]/.test(lower[at - 1] ?? ' ')
        ? 'substitution'
        : undefined
    default:
      return undefined
  }
}

/** What may stand between a separator and a command, besides white space. */
function isBeforeCommand(code: number): boolean {
  return (
    code === 40 || code === 123 || code === 33 || code === 64 || code === 38 || code === 124 || code === 44
  )
}

/**
 * A route as frameworks of pages name it: `/orders/[id]`, `/[lang]/about`. No program has a name or a folder
 * of one letter.
 */
const ROUTE = /^(?!\/(?:usr|s?bin|etc|opt|var|proc|dev)\/)(?:\/(?:[\w-]{1,24}|\[[a-z_]\w{1,24}\])){2,6}$/

/** Wildcards inside a name; one that is a whole segment is a pattern of paths. */
/**
 * What a first folder can be: a pattern of its own, or one that has programs on some system. No pattern
 * makes a program of the page `/wiki/[draft]`.
 */
const PROGRAM_FOLDER =
  /^\/(?:[\w-]{0,11}[?*[\]]|(?:s?bin|usr|opt|lib\w{0,4}|tmp|var|etc|dev|proc|run|root|home|mnt|srv|snap|nix|sys|system|vendor|data|app|apps|www|busybox|busy\w{0,6})\/)/

const GLOB = /[?[]|[^/*]\*|\*[^/*]/
