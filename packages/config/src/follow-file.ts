import { statSync } from 'node:fs'

const POLL_MS = 500

/** What tells one content of a file from another without reading it; undefined when it is not there. */
export function fileVersion(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat === undefined ? undefined : `${stat.ino}:${stat.size}:${stat.mtimeMs}`
}

/**
 * Calls back when a file is another one than `known`, also when an editor or a mounted volume replaced it
 * (which is why it is polled). A file that is gone is waited for.
 * @returns ends the following
 */
export function followFile(path: string, known: string | undefined, changed: () => void): () => void {
  let last = known
  const timer = setInterval(() => {
    const version = fileVersion(path)
    if (version === undefined || version === last) return
    last = version
    changed()
  }, POLL_MS)
  timer.unref()
  return () => clearInterval(timer)
}
