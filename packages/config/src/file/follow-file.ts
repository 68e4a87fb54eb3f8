import { statSync } from 'node:fs'

const POLL_MS = 500
/** The part of a version that says that nothing is in the file. */
const EMPTY = ':0:'

/**
 * What tells one content of a file from another without reading it; undefined when it is not there, or
 * cannot be reached (a folder that may not be entered, a link to itself): a server that follows it goes on.
 */
export function fileVersion(path: string): string | undefined {
  try {
    const stat = statSync(path, { throwIfNoEntry: false })
    return stat === undefined ? undefined : `${stat.ino}:${stat.size}:${stat.mtimeMs}`
  } catch {
    return undefined
  }
}

/**
 * Calls back when a file is another one than `known`, also when an editor or a mounted volume replaced it
 * (which is why it is polled). A file that is gone is waited for, and so is one that is empty or still
 * changes: programs that write in place empty the file first, and the half of a configuration may well be a
 * valid one, with rules missing.
 * @returns ends the following
 */
export function followFile(path: string, known: string | undefined, changed: () => void): () => void {
  let last = known
  let seen = known
  const timer = setInterval(() => {
    const version = fileVersion(path)
    const isStill = version === seen
    seen = version
    if (version === undefined || version === last || !isStill || version.includes(EMPTY)) return
    last = version
    changed()
  }, POLL_MS)
  timer.unref()
  return () => clearInterval(timer)
}
