import { unwatchFile, watchFile } from 'node:fs'

const POLL_MS = 500

/**
 * Calls back when a file's content changed, also when an editor or a mounted volume replaced it (which is why it is polled).
 * @returns ends the following
 */
export function followFile(path: string, changed: () => void): () => void {
  const listener = (
    now: { readonly mtimeMs: number; readonly size: number },
    before: { readonly mtimeMs: number; readonly size: number },
  ): void => {
    if (now.mtimeMs !== before.mtimeMs || now.size !== before.size) changed()
  }
  watchFile(path, { interval: POLL_MS, persistent: false }, listener)
  return () => unwatchFile(path, listener)
}
