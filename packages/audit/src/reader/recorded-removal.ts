import { type Event, IntegrityError } from '@postern/core'
import type { LogReader } from './log-reader.ts'

/** The newest ones are looked at: each removal reaches further than those before it. */
const MOST = 1_000

/**
 * Whether an entry of the log says that retention removed what is missing of it. Entries are signed; the mark
 * that excuses missing ones is not, and whoever can delete them can write it.
 * @returns true also when nothing was removed, or an operator has pruned, whose entry does not say how far
 * @throws as `LogReader.query`
 */
export async function isRemovalRecorded(reader: LogReader): Promise<boolean> {
  const minimumIndex = await reader.minimumIndex()
  if (minimumIndex === 0) return true
  const says = ({ type, action, data }: Event): boolean =>
    (type === 'operator' && action === 'audit.prune') ||
    (type === 'audit.pruned' && Number(data?.['minimumIndex']) >= minimumIndex)
  try {
    for (const query of [{ type: 'audit.pruned' }, { type: 'operator', action: 'audit.prune' }])
      for await (const { event } of reader.query({ ...query, limit: MOST })) if (says(event)) return true
    return false
  } catch (error) {
    // Without an index every entry is looked at.
    if (!(error instanceof IntegrityError)) throw error
  }
  for await (const { event } of reader.entries(BigInt(minimumIndex))) if (says(event)) return true
  return false
}
