import type { HolderAddress } from '../split/holder-link.ts'
import { HOLDERS, type HolderId } from '../split/part.ts'

/** What is known of one holder. */
export interface KnownHolder {
  readonly address: HolderAddress
  /** What it answered about itself; undefined when it did not answer. */
  readonly says: { readonly administrator?: string; readonly unlockedBy?: string } | undefined
}

/** How many trust domains three holders are, and why some are one. */
export interface TrustDomains {
  readonly count: number
  /** Sentences about holders that fall together. */
  readonly reasons: readonly string[]
}

/**
 * Counts trust domains: holders that share a machine, what unlocks them, or an administrator fall together,
 * and one that names no administrator is taken to have the same as any other. Three is what the vault's
 * figures assume: whoever controls one domain must not control two holders.
 */
export function trustDomains(holders: Readonly<Record<HolderId, KnownHolder>>): TrustDomains {
  const groups = new Map<HolderId, HolderId>(HOLDERS.map(id => [id, id]))
  const reasons: string[] = []
  for (const [one, two] of [
    [1, 2],
    [1, 3],
    [2, 3],
  ] as const) {
    const shared = sharedBy(holders[one], holders[two])
    if (shared === undefined) continue
    reasons.push(`holders ${one} and ${two} ${shared}`)
    const [from, to] = [groups.get(two), groups.get(one)]
    for (const [id, group] of groups) if (group === from && to !== undefined) groups.set(id, to)
  }
  return { count: new Set(groups.values()).size, reasons }
}

function sharedBy(one: KnownHolder, two: KnownHolder): string | undefined {
  if (hostOf(one.address) === hostOf(two.address)) return 'are on one machine'
  if (one.says === undefined || two.says === undefined) return 'may be one: one of them does not answer'
  if (one.says.unlockedBy !== undefined && one.says.unlockedBy === two.says.unlockedBy)
    return 'are unlocked by one key'
  const { administrator } = one.says
  if (administrator === undefined || two.says.administrator === undefined)
    return 'name no two administrators ("administrator" in holder.json)'
  return administrator.trim().toLowerCase() === two.says.administrator.trim().toLowerCase()
    ? 'have one administrator'
    : undefined
}

/** A machine as the address names it; everything on loopback and every unix socket is this one. */
function hostOf(address: HolderAddress): string {
  if ('unix' in address) return 'this machine'
  const host = address.host.toLowerCase().replace(/^\[|\]$/g, '')
  return host === 'localhost' || host === '::1' || /^127\./.test(host) ? 'this machine' : host
}
