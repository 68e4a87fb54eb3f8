import type { Exchange } from '@postern/core'
import { credentialOf } from '@postern/identity/verify'
import { isRevoked } from '../identity/revocation-list.ts'
import type { Runtime } from '../runtime.ts'

/**
 * Whether an open connection may go on: no ban applies to its actor (where bans are enforced), who it
 * belongs to was not revoked, and the session, API key or token it began with is still good.
 * @throws StoreError (rejects) when the store cannot say
 */
export async function stillHolds(
  { resources, remediations, config }: Runtime,
  exchange: Exchange,
): Promise<boolean> {
  const mode = exchange.route?.settings.mode ?? config.mode
  if (mode === 'enforce' && remediations.find(exchange)?.measure === 'block') return false
  const { principal } = exchange
  const { revocations, identity } = resources
  if (revocations !== undefined && isRevoked(revocations, principal)) return false
  const again = credentialOf(principal)?.again
  if (again !== undefined && !(await again())) return false
  // Known by something else, or by nothing: then there is no session of our own to look for.
  if (identity === undefined || !identity.knows(principal)) return true
  return (await identity.identify(exchange))?.id === principal.id
}
