import { stripVTControlCharacters, styleText } from 'node:util'
import { ConfigError, errorCode, PosternError } from '@postern/core'
import { EXIT, type ExitCode, exitCodeOf } from './exit-code.ts'
import { ProgressBar } from './progress-bar.ts'
import type { Terminal } from './terminal.ts'

export type Colour = 'red' | 'green' | 'yellow' | 'cyan' | 'dim' | 'bold'

export interface OutputOptions {
  readonly stdout: Terminal
  readonly stderr: Terminal
  /** `--json`: results as JSON on standard output, nothing for people there. */
  readonly json: boolean
  /** `--quiet`: no progress and no notes. */
  readonly quiet: boolean
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** Where a command writes: results to standard output, everything about the work to standard error. */
export class Output {
  readonly json: boolean
  readonly #stdout: Terminal
  readonly #stderr: Terminal
  readonly #quiet: boolean
  readonly #colour: boolean
  /** Until standard output takes more: one wait for however many lines. */
  #draining: Promise<void> | undefined

  constructor(options: OutputOptions) {
    this.json = options.json
    this.#stdout = options.stdout
    this.#stderr = options.stderr
    this.#quiet = options.quiet
    const { NO_COLOR: no, FORCE_COLOR: force, TERM: term } = options.environment
    this.#colour =
      (no === undefined || no === '') &&
      ((force !== undefined && force !== '0') || (options.stdout.isTTY === true && term !== 'dumb'))
  }

  /** Whether somebody sits at a terminal. */
  get isInteractive(): boolean {
    return this.#stderr.isTTY === true && !this.#quiet
  }

  /** Whether standard output is read by somebody, not by a program. */
  get isForPeople(): boolean {
    return !this.json && this.#stdout.isTTY === true
  }

  /** A line of the result for people; nothing with `--json`. */
  line(text = ''): void {
    if (!this.json) this.#stdout.write(`${shown(text)}\n`)
  }

  /** The result for programs, one JSON value a line; nothing without `--json`. */
  result(value: unknown): void {
    if (this.json) this.#stdout.write(`${escaped(JSON.stringify(value, plainBigints))}\n`)
  }

  /** A line that is data whatever the mode: verdicts, exports. Resolves when the reader can take more. */
  async data(text: string): Promise<void> {
    // Nobody reads any more: nothing would ever drain.
    if (this.#stdout.destroyed) return
    if (this.#stdout.write(`${escaped(text)}\n`)) return
    this.#draining ??= this.#untilDrained()
    await this.#draining
  }

  /** A server goes on when its output fails, and such a stream may never drain. */
  async #untilDrained(): Promise<void> {
    const stream = this.#stdout
    const { promise, resolve } = Promise.withResolvers<void>()
    const ends = ['drain', 'error', 'close'] as const
    const end = (): void => resolve()
    for (const event of ends) stream.once(event, end)
    await promise
    for (const event of ends) stream.off(event, end)
    this.#draining = undefined
  }

  /** A word about the work, on standard error. */
  note(text: string): void {
    if (!this.#quiet) this.#stderr.write(`${shown(text)}\n`)
  }

  /**
   * A bar on standard error; invisible where that is not a terminal.
   * @param total in whatever unit `advance` counts
   */
  progress(label: string, total: number): ProgressBar {
    return new ProgressBar(this.isInteractive ? this.#stderr : undefined, label, total)
  }

  paint(colour: Colour, text: string): string {
    return this.#colour ? styleText(colour, text, { validateStream: false }) : text
  }

  /**
   * Says what went wrong, where and how to fix it; returns the exit code. A bug also shows where it happened.
   */
  failure(error: unknown): ExitCode {
    const code = exitCodeOf(error)
    if (this.json) {
      this.result({ error: asJson(error, code) })
      return code
    }
    for (const line of describe(error, code)) this.#stderr.write(`${shown(line)}\n`)
    return code
  }
}

function plainBigints(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value
}

function asJson(error: unknown, exit: ExitCode): unknown {
  const message = error instanceof Error ? error.message : String(error)
  const code =
    error instanceof PosternError
      ? error.code
      : exit === EXIT.bug
        ? 'POSTERN_BUG'
        : (errorCode(error) ?? 'ERROR')
  return { code, message, exit, ...(error instanceof ConfigError && { issues: error.issues }) }
}

/** What Node says of a file that is not there, with the file first; undefined for any other error. */
function missingFile(error: unknown): string | undefined {
  if (!(error instanceof Error) || errorCode(error) !== 'ENOENT' || !('path' in error)) return undefined
  return `${String(error.path)}: there is no such file or folder`
}

function* describe(error: unknown, code: ExitCode): Generator<string> {
  if (error instanceof ConfigError) {
    for (const issue of error.issues) {
      yield `error: ${safe(issue.place)}: ${safe(issue.problem)}`
      if (issue.hint !== undefined) yield `  hint: ${safe(issue.hint)}`
    }
    return
  }
  const message = missingFile(error) ?? (error instanceof Error ? error.message : String(error))
  yield `error: ${message.split('\n').map(safe).join('\n')}`
  if (error instanceof Error && 'hint' in error) yield `  hint: ${safe(String(error.hint))}`
  if (code !== EXIT.bug) return
  if (error instanceof Error && error.stack !== undefined)
    yield error.stack.split('\n').slice(1, 6).join('\n')
  yield '  hint: this is a mistake in Postern; please report it with the lines above'
}

/**
 * What JSON leaves as it is and a terminal obeys: DEL, the C1 controls (U+009B begins a sequence as ESC [
 * does), line and paragraph separators, and marks that turn the direction of a line.
 */
const OBEYED = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

/** Everything that a terminal obeys, but tabs, line ends and the sequences of `paint`. */
const NOT_PAINT =
  /\u001b(?!\[(?:[12]|22|3[1236]|39)m)|[\u0000-\u0008\u000b-\u001a\u001c-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

/** A line for people. Whatever a command forgot to make `safe` is so at the latest here. */
function shown(text: string): string {
  return text.replaceAll(NOT_PAINT, '\u00b7')
}

/** Data for a reader and a terminal alike: in JSON the escape stands for the same character. */
function escaped(text: string): string {
  return text.replaceAll(OBEYED, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/**
 * Text that came from outside, on one line, without what could move the cursor or colour the terminal: a path
 * with a line feed would else print a line of its own.
 */
export function safe(text: string): string {
  return stripVTControlCharacters(text)
    .replaceAll(/[\u0000-\u0008\u000a-\u001f]/g, '\u00b7')
    .replaceAll(OBEYED, '\u00b7')
}
