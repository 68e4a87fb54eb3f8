import type { RemediationTable } from './remediation-table.ts'

/**
 * A table that is opened when it is first asked, and again until that works: one that must be prepared first (migrations) may be away when a
 * process starts. Until then everything rejects with what `open` rejected with.
 */
export function laterRemediations(name: string, open: () => Promise<RemediationTable>): RemediationTable {
  let table: Promise<RemediationTable> | undefined
  const opened = (): Promise<RemediationTable> => {
    table ??= open().catch((error: unknown) => {
      table = undefined
      throw error
    })
    return table
  }
  return {
    name,
    load: async (now, limit) => (await opened()).load(now, limit),
    put: async remediation => (await opened()).put(remediation),
    remove: async id => (await opened()).remove(id),
    watch: async changed => (await opened()).watch(changed),
    close: async () => (await table?.catch(() => undefined))?.close(),
  }
}
