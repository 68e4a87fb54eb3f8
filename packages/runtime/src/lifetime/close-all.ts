/** Closes one thing. */
export type Closer = () => Promise<void> | void

/** What closes what was opened, in the order of opening. */
export type Closers = Closer[]

/** Closes in the reverse order of opening, as `closeInOrder` does; nothing is left to close then. */
export function closeAll(closers: Closers): Promise<void> {
  return closeInOrder(closers.splice(0).reverse())
}

/**
 * Closes one after the other, and the rest also when one of them fails: a listener that does not end must not
 * keep the audit log from being written.
 * @throws (rejects) the first error, once all were closed
 */
export async function closeInOrder(closers: readonly Closer[]): Promise<void> {
  const errors: unknown[] = []
  for (const close of closers) {
    try {
      await close()
    } catch (error) {
      errors.push(error)
    }
  }
  if (errors.length > 0) throw errors[0]
}
