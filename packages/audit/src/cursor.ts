import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** How far something came along a log, kept where it survives. Of several processes that share one, one at a time holds it. */
export interface Cursor {
  /** How far it came, and the hold on it for a while; undefined while another process has that. */
  take(): Promise<bigint | undefined>
  /** Keeps how far it came now. @returns false when another process took over meanwhile */
  advance(position: bigint): Promise<boolean>
  /** Lets go: another process may take it at once. */
  release(): Promise<void>
}

/** A cursor in a file, for one process. A file that is missing or unreadable is one that stands at 0. */
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
