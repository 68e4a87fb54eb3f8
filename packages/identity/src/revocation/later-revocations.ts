import { openedWhenAsked } from '@postern/core'
import type { RevocationTable } from './revocation.ts'

/** A table that is opened when it is first asked, and again until that works. */
export function laterRevocations(name: string, open: () => Promise<RevocationTable>): RevocationTable {
  const table = openedWhenAsked(open)
  return {
    name,
    load: async (now, limit) => (await table.get()).load(now, limit),
    put: async (revocation, now) => (await table.get()).put(revocation, now),
    watch: async changed => (await table.get()).watch(changed),
    close: async () => (await table.opened())?.close(),
  }
}
