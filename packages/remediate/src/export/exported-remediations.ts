import type { Remediation } from '@postern/core'
import type { RemediationStore } from '../remediation-store.ts'

const MOST = 100_000

/** What is read of a store by those that enforce elsewhere. */
export type ExportedStore = Pick<RemediationStore, 'list' | 'isProtected'>

/**
 * Active remediations as others enforce them, those that expire last first: without any that would also apply
 * to a protected actor, which others do not know.
 */
export function exportedRemediations(store: ExportedStore): readonly Remediation[] {
  return store.list(MOST).filter(({ actor }) => !store.isProtected(actor))
}
