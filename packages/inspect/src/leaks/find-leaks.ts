/** A sign that an answer says more than it should. */
export interface Leak {
  /**
   * `stack-trace`, `private-key`, `card-number`, `database-error`, `cloud-key`, `source-code`,
   * `directory-listing`.
   */
  readonly kind: LeakKind
  /** Offset in everything the scanner was given. */
  readonly offset: number
  /** What gave it away, secrets masked: at most 60 characters. */
  readonly sign: string
}

export type LeakKind =
  | 'stack-trace'
  | 'private-key'
  | 'card-number'
  | 'database-error'
  | 'cloud-key'
  | 'source-code'
  | 'directory-listing'

const SIGNS: readonly (readonly [LeakKind, RegExp])[] = [
  [
    'stack-trace',
    /(?:\n\s{1,8}at [\w$.<>[\] ]{1,80} ?\((?:[^()\n]{1,200}):\d{1,6}:\d{1,6}\)|Traceback \(most recent call last\)|\n\s{1,8}at [\w$.]{1,120}\([\w$]{1,60}\.java:\d{1,6}\)|goroutine \d{1,9} \[running\]|PHP (?:Fatal|Parse) error: |<b>(?:Fatal error|Warning)<\/b>: {1,4}|\w{1,40}Exception in thread "|\n\s{1,8}from [\w/.-]{1,160}\.rb:\d{1,6}:in )/g,
  ],
  ['private-key', /-----BEGIN (?:RSA |EC |DSA |OPENSSH |ENCRYPTED |PGP )?PRIVATE KEY(?: BLOCK)?-----/g],
  [
    'cloud-key',
    /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bghp_[A-Za-z0-9]{36}\b|\bxox[bpars]-[A-Za-z0-9-]{10,80}|\bsk_live_[A-Za-z0-9]{16,64}\b|\bAIza[\w-]{35}\b/g,
  ],
  [
    'database-error',
    /You have an error in your SQL syntax|ORA-\d{5}: |PG::\w{1,40}Error|SQLSTATE\[\w{5}\]|syntax error at or near "|Unclosed quotation mark after the character string|SQLITE_(?:ERROR|CONSTRAINT)\b|unrecognized token: "|E11000 duplicate key error|MongoServerError/g,
  ],
  ['source-code', /<\?php\s|<%@ ?page /g],
  ['directory-listing', /<title>Index of \/|<h1>Directory listing for /g],
  [
    'card-number',
    /(?<![\d.-])(?:4\d{3}|5[1-5]\d{2}|2[2-7]\d{2}|3[47]\d{2}|6011|65\d{2})[ -]?\d{4,6}[ -]?\d{4,5}[ -]?\d{0,4}(?![\d.])/g,
  ],
]

const OVERLAP = 512
const MAX_LEAKS = 16

/** All leak signs in a text, at most 16. Linear. */
export function findLeaks(text: string): readonly Leak[] {
  const scanner = new LeakScanner()
  scanner.read(text)
  return scanner.found
}

/**
 * Looks for leak signs in an answer that comes in pieces; keeps only the last 512 characters between them.
 */
export class LeakScanner {
  readonly #found: Leak[] = []
  readonly #seen = new Set<string>()
  #tail = ''
  #offset = 0

  /** What was found so far. */
  get found(): readonly Leak[] {
    return this.#found
  }

  /** Reads the next piece. */
  read(chunk: string): void {
    const text = this.#tail + chunk
    const base = this.#offset - this.#tail.length
    for (const [kind, expression] of SIGNS) {
      for (const match of text.matchAll(expression)) {
        if (this.#found.length >= MAX_LEAKS) break
        this.#note(kind, base + match.index, match[0])
      }
    }
    this.#offset += chunk.length
    this.#tail = text.slice(-OVERLAP)
  }

  #note(kind: LeakKind, offset: number, text: string): void {
    if (kind === 'card-number' && !isCardNumber(text)) return
    const key = `${kind} ${offset}`
    if (this.#seen.has(key)) return
    this.#seen.add(key)
    const secret = kind === 'card-number' || kind === 'cloud-key'
    const sign = secret ? `${text.slice(0, 4)}${'*'.repeat(Math.max(0, text.length - 4))}` : text.trim()
    this.#found.push({ kind, offset, sign: sign.slice(0, 60) })
  }
}

/** Whether digits of a card's length carry a right check digit (ISO/IEC 7812-1 annex B, the Luhn formula). */
export function isCardNumber(text: string): boolean {
  const digits = text.replace(/[ -]/g, '')
  if (digits.length < 13 || digits.length > 19) return false
  let sum = 0
  for (let i = 0; i < digits.length; i++) {
    const digit = digits.charCodeAt(digits.length - 1 - i) - 48
    const doubled = i % 2 === 1 ? digit * 2 : digit
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
}
