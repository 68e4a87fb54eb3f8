import { type Address, networkOf, type Remediation } from '@postern/core'

/**
 * The networks covered by blocks, without any that is contained in another: kernels and lists refuse
 * overlaps. Remediations of principals and other actors that packets do not show are left out.
 */
export function coveringNetworks(
  remediations: readonly Remediation[],
  now: number,
): ReadonlyMap<string, Remediation> {
  const byNetwork = longestBlocks(remediations, now)
  const widths = { v4: new Set<number>(), v6: new Set<number>() }
  for (const network of byNetwork.keys()) {
    const [base = '', bits] = network.split('/')
    if (bits !== undefined) widths[base.includes(':') ? 'v6' : 'v4'].add(Number(bits))
  }
  for (const network of [...byNetwork.keys()]) {
    if (isWithinAnother(network, byNetwork, widths)) byNetwork.delete(network)
  }
  return byNetwork
}

/** By network or address, the block that ends last. */
function longestBlocks(remediations: readonly Remediation[], now: number): Map<string, Remediation> {
  const byNetwork = new Map<string, Remediation>()
  for (const remediation of remediations) {
    const { actor, measure, expiresAt } = remediation
    if (measure !== 'block' || expiresAt <= now) continue
    if (actor.kind !== 'address' && actor.kind !== 'network') continue
    const other = byNetwork.get(actor.value)
    if (other === undefined || other.expiresAt < expiresAt) byNetwork.set(actor.value, remediation)
  }
  return byNetwork
}

function isWithinAnother(
  network: string,
  all: ReadonlyMap<string, Remediation>,
  widths: { readonly v4: ReadonlySet<number>; readonly v6: ReadonlySet<number> },
): boolean {
  const [base = '', bits] = network.split('/')
  const isV6 = base.includes(':')
  const own = bits === undefined ? (isV6 ? 128 : 32) : Number(bits)
  for (const width of isV6 ? widths.v6 : widths.v4) {
    if (width < own && all.has(networkOf(base as Address, { v4: width, v6: width }))) return true
  }
  return false
}
