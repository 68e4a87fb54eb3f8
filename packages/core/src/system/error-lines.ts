import type { Clock } from './clock.ts'

/** How long the same error of the same part is counted instead of shown. */
const QUIET_MS = 10_000
/** Characters of an error that are shown. */
const LONGEST = 2_000
/** Parts whose last line is remembered. */
const MAX_PARTS = 64

interface Shown {
  readonly text: string
  readonly at: number
  left: number
}

/**
 * Errors of parts of the engine as lines for the operator. A part that fails the same way for every request
 * (a disk that is full) gets one line in ten seconds, with the number of those left out: its trouble must not
 * become a flood of lines, on that same disk perhaps.
 */
export class ErrorLines {
  readonly #write: (line: string) => void
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #shown = new Map<string, Shown>()

  constructor(write: (line: string) => void, clock: Pick<Clock, 'monotonic'>) {
    this.#write = write
    this.#clock = clock
  }

  /** @param part what failed, e.g. `guard inspect` */
  report(part: string, error: unknown): void {
    const text = error instanceof Error ? shown(error) : 'threw a value that is not an error'
    const now = this.#clock.monotonic()
    const before = this.#shown.get(part)
    if (before?.text === text && now - before.at < QUIET_MS) {
      before.left++
      return
    }
    if (before === undefined && this.#shown.size >= MAX_PARTS) this.#shown.clear()
    this.#shown.set(part, { text, at: now, left: 0 })
    const more = before === undefined || before.left === 0 ? '' : ` (and ${before.left} times before)`
    this.#write(`postern: ${part} failed: ${text}${more}`)
  }
}

/** One line of what an error says: code of the application may quote in it what a client sent. */
function shown({ name, message }: Error): string {
  return `${name}: ${message}`.slice(0, LONGEST).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
}

/** Reports to standard error. */
export function standardErrorLines(clock: Pick<Clock, 'monotonic'>): (part: string, error: unknown) => void {
  const lines = new ErrorLines(line => void process.stderr.write(`${line}\n`), clock)
  return (part, error) => lines.report(part, error)
}
