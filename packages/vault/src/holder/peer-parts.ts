import { DEALERS, type HolderId, PARTS_OF, type Part } from '../split/part.ts'
import type { HolderKeys } from './holder-keys.ts'

/** What to do with a part that another holder hands over. */
export type PeerPart =
  /** Keep it, or nothing changes because it is there. */
  | 'take'
  /** It stands in place of one that nothing was sealed with. */
  | 'replace'
  /** The epoch was removed. */
  | 'removed'
  | 'refuse'

/**
 * What a holder does with a part that a peer hands over.
 *
 * A peer may be one that was stolen and that will be replaced. Whatever it leaves here for epochs to come is
 * known to the thief, and a rotation that used it would not shut him out. So a peer hands over what it deals,
 * of the next epoch; and this holder deals its own part itself, unless it lost it: it has no epoch then, or
 * was restored from a backup, or already has the other part of this one from the third holder.
 *
 * While the other part is missing here, nobody can have sealed anything in the epoch, because this holder
 * deals it. Until then the peer may deal again: the one in place of a stolen holder does not know what that
 * one had dealt.
 * @param wasRestored whether this holder was restored from a backup a short while ago
 */
export function judgePeerPart(
  keys: HolderKeys,
  from: HolderId,
  { epoch, part, key }: { readonly epoch: number; readonly part: Part; readonly key: Uint8Array },
  wasRestored: boolean,
): PeerPart {
  if (!PARTS_OF[from].includes(part) || !PARTS_OF[keys.id].includes(part)) return 'refuse'
  if (keys.isRemoved(epoch)) return 'removed'
  const other = PARTS_OF[keys.id].find(name => name !== part) as Part
  const hasOther = keys.secret(epoch, other) !== undefined
  const newest = keys.epochs.at(-1)
  const isDealer = DEALERS[part].from === from
  const known = keys.secret(epoch, part)
  if (known !== undefined) return !isDealer || hasOther || Buffer.from(known).equals(key) ? 'take' : 'replace'
  const isExpected = newest === undefined || wasRestored || hasOther || (isDealer && epoch <= newest + 1)
  return isExpected ? 'take' : 'refuse'
}
