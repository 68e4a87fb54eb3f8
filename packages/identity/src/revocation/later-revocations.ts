import type { RevocationTable } from './revocation.ts'

/**
 * A table that is opened when it is first asked, and again until that works: one that must be prepared first
 * (migrations) may be away when a process starts. Until then everything rejects with what `open` rejected
 * with.
 */
export function laterRevocations(name: string, open: () => Promise<RevocationTable>): RevocationTable {
  let table: Promise<RevocationTable> | undefined
  const opened = (): Promise<RevocationTable> => {
    table ??= open().catch((error: unknown) => {
      table = undefined
      throw error
    })
    return table
  }
  return {
    name,
    load: async (now, limit) => (await opened()).load(now, limit),
    put: async revocation => (await opened()).put(revocation),
    watch: async changed => (await opened()).watch(changed),
    close: async () => (await table?.catch(() => undefined))?.close(),
  }
}
