/** Remembers which consents were used, outside of the database that they are kept in. */
export interface UsedConsents {
  /**
   * Whether this is the first use, and remembers it.
   * @param until when the consent ends by itself; epoch milliseconds
   * @throws StoreError (rejects) when nobody can say
   */
  isFirst(id: string, until: number, now: number): boolean | Promise<boolean>
}

const MAX_USED = 100_000

/**
 * In the memory of this process. A consent is good for minutes, so little is kept. When there is no room one
 * counts as used: forgetting another early would let that be used again.
 */
export function usedInMemory(): UsedConsents {
  const used = new Map<string, number>()
  return {
    isFirst: (id, until, now) => {
      for (const [known, end] of used) if (end <= now) used.delete(known)
      if (used.has(id) || used.size >= MAX_USED) return false
      used.set(id, until)
      return true
    },
  }
}
