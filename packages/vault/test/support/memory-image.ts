import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs'

const PIECE = 1_048_576
const UNTOUCHED = Buffer.alloc(PIECE)
/** Nothing larger is written, bytes. */
const MOST = 1_073_741_824

/**
 * Writes what a process has in memory that it can change (heap and stacks, no code and no files) to a file,
 * as a core dump or a page file has it. Linux only.
 * @returns bytes written; undefined where the system does not allow it
 */
export function memoryImage(pid: number, path: string): number | undefined {
  let memory: number
  let maps: string
  try {
    maps = readFileSync(`/proc/${pid}/maps`, 'utf8')
    memory = openSync(`/proc/${pid}/mem`, 'r')
  } catch {
    return undefined
  }
  const out = openSync(path, 'w', 0o600)
  const piece = Buffer.alloc(PIECE)
  let written = 0
  try {
    for (const line of maps.split('\n')) {
      const match = /^([0-9a-f]+)-([0-9a-f]+) rw..\s\S+\s\S+\s\d+\s*(\[heap\]|\[stack\])?$/.exec(line)
      if (match === null) continue
      const end = Number.parseInt(match[2] ?? '', 16)
      for (let at = Number.parseInt(match[1] ?? '', 16); at < end && written < MOST; at += PIECE) {
        const length = readAt(memory, piece, Math.min(PIECE, end - at), at)
        // Most of what is reserved was never touched.
        if (length > 0 && piece.compare(UNTOUCHED, 0, length, 0, length) !== 0) {
          writeSync(out, piece, 0, length)
          written += length
        }
      }
    }
  } finally {
    closeSync(memory)
    closeSync(out)
  }
  return written
}

function readAt(file: number, into: Buffer, length: number, at: number): number {
  try {
    return readSync(file, into, 0, length, at)
  } catch {
    return 0
  }
}
