import { type Event, IntegrityError } from '@postern/core'
import type { LogReader } from './log-reader.ts'

/** The newest ones are looked at: each removal reaches further than those before it. */
const MOST = 1_000

/**
 * Whether an entry of the log says that what is missing of it was removed, by retention or an operator.
 * Entries are signed; the mark that excuses missing ones is not, and whoever can delete them can write it. So
 * only an entry counts that says how far: that an operator once meant to prune would excuse any deletion.
 * @returns true also when nothing was removed
 * @throws as `LogReader.query`
 */
export async function isRemovalRecorded(reader: LogReader): Promise<boolean> {
  const minimumIndex = await reader.minimumIndex()
  if (minimumIndex === 0) return true
  const says = ({ type, data }: Event): boolean =>
    type === 'audit.pruned' && Number(data?.['minimumIndex']) >= minimumIndex
  try {
    for await (const { event } of reader.query({ type: 'audit.pruned', limit: MOST }))
      if (says(event)) return true
    return false
  } catch (error) {
    // Without an index every entry is looked at.
    if (!(error instanceof IntegrityError)) throw error
  }
  for await (const { event } of reader.entries(BigInt(minimumIndex))) if (says(event)) return true
  return false
}
