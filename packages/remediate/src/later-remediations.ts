import { openedWhenAsked } from '@postern/core'
import type { RemediationTable } from './remediation-table.ts'

/** A table that is opened when it is first asked, and again until that works. */
export function laterRemediations(name: string, open: () => Promise<RemediationTable>): RemediationTable {
  const table = openedWhenAsked(open)
  return {
    name,
    load: async (now, limit) => (await table.get()).load(now, limit),
    put: async remediation => (await table.get()).put(remediation),
    remove: async id => (await table.get()).remove(id),
    watch: async changed => (await table.get()).watch(changed),
    close: async () => (await table.opened())?.close(),
  }
}
