/** Opens something when it is first asked for, and keeps it. */
export interface OpenedWhenAsked<T> {
  /** What `open` resolved with. @throws (rejects) whatever it rejected with; the next caller tries again */
  get(): Promise<T>
  /** What is open, or being opened; undefined when nobody asked, or it could not be opened. */
  opened(): Promise<T | undefined>
}

/**
 * Something that must be prepared first (migrations), and whose store may be away when a process starts: it
 * is opened when it is first asked for, and again until that works. Callers that come meanwhile share one
 * attempt.
 */
export function openedWhenAsked<T>(open: () => Promise<T>): OpenedWhenAsked<T> {
  let opening: Promise<T> | undefined
  return {
    get: () => {
      opening ??= open().catch((error: unknown) => {
        opening = undefined
        throw error
      })
      return opening
    },
    opened: async () => opening?.catch(() => undefined),
  }
}
