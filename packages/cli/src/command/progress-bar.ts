import { formatDuration } from '@postern/core'
import type { Terminal } from './terminal.ts'

const WIDTH = 24
const REDRAW_MS = 100

/**
 * Progress of long work on one line of a terminal, with the time that is left. Redrawn ten times a second at
 * most.
 */
export class ProgressBar {
  readonly #terminal: Terminal | undefined
  readonly #label: string
  readonly #total: number
  readonly #started: number = performance.now()
  #done = 0
  #drawn = 0

  constructor(terminal: Terminal | undefined, label: string, total: number) {
    this.#terminal = terminal
    this.#label = label
    this.#total = total
  }

  advance(by: number): void {
    this.#done += by
    if (this.#terminal === undefined) return
    const now = performance.now()
    if (now - this.#drawn < REDRAW_MS) return
    this.#drawn = now
    this.#terminal.write(`\r${this.#line(now)}\u001b[K`)
  }

  /** Removes the bar. */
  end(): void {
    if (this.#drawn > 0) this.#terminal?.write('\r\u001b[K')
  }

  #line(now: number): string {
    const share = this.#total === 0 ? 1 : Math.min(1, this.#done / this.#total)
    const filled = Math.round(share * WIDTH)
    const left = share > 0 ? ((now - this.#started) * (1 - share)) / share : 0
    const line = `${this.#label} [${'#'.repeat(filled)}${'.'.repeat(WIDTH - filled)}] ${Math.floor(share * 100)}% ${formatDuration(left)} left`
    return line.slice(0, (this.#terminal?.columns ?? 80) - 1)
  }
}
