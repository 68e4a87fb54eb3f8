import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** A durable position in a log. When several processes share a cursor, one at a time holds it. */
export interface Cursor {
  /**
   * Takes the hold on the cursor for a while, and returns the position; undefined
   * while another process holds it.
   */
  take(): Promise<bigint | undefined>
  /** Stores a new position. @returns false when another process took over meanwhile */
  advance(position: bigint): Promise<boolean>
  /** Releases the hold: another process may take it at once. */
  release(): Promise<void>
}

/** A cursor in a file, for one process. A missing or unreadable file counts as position 0. */
export function fileCursor(path: string): Cursor {
  return {
    async take() {
      try {
        const text = readFileSync(path, 'utf8').trim()
        return /^\d{1,18}$/.test(text) ? BigInt(text) : 0n
      } catch {
        return 0n
      }
    },
    async advance(position) {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
      writeFileSync(`${path}.new`, `${position}\n`, { mode: 0o600 })
      renameSync(`${path}.new`, path)
      return true
    },
    async release() {},
  }
}
