import type { KoaContextWithOIDC, errors as OauthErrors } from 'oidc-provider'
import type { PageRequest } from '../pages/page-request.ts'
import type { IdentityParts } from '../parts/identity-parts.ts'
import type { OauthRefusal } from './store/oauth-bounds.ts'
import type { OauthStore, ReplayedGrant } from './store/oauth-store.ts'

/** The errors by which the OAuth server answers what the store does not keep. */
export function refusals(errors: typeof OauthErrors): (why: OauthRefusal) => Error {
  return why => {
    if (why === 'large') return new errors.InvalidRequest('the parameters are too long')
    if (why === 'far') return new errors.InvalidRequest('an assertion must end within an hour')
    if (why === 'full') return new errors.TemporarilyUnavailable('too many proofs are in use')
    return new errors.InvalidGrant('already used')
  }
}

/**
 * Tells that a code or token of a grant was used twice: of its end where somebody else had it too, and of a
 * refresh token that was answered again (`grant.repeated`). It takes the request that was answered.
 */
export function replayEvents({
  clock,
  emit,
}: Pick<IdentityParts, 'clock' | 'emit'>): (
  type: 'grant.revoked' | 'grant.repeated',
  grant: ReplayedGrant,
  page: PageRequest | undefined,
) => void {
  return (type, { accountId, clientId }, page) =>
    emit({
      type,
      time: clock.now(),
      actor: { principal: accountId, ...(page !== undefined && { address: page.exchange.client }) },
      data: { client: clientId.slice(0, 200), ...(type === 'grant.revoked' && { why: 'replayed' }) },
    })
}

/** At the token endpoint a grant is revoked for one reason: what was sent had been used before. */
export async function endReplayed({ oidc }: KoaContextWithOIDC, store: OauthStore): Promise<void> {
  if (oidc.route !== 'token') return
  const { code, device_code: device } = oidc.params ?? {}
  // The server destroys a refresh token as it asks, and no code.
  const grantId = oidc.entities.RefreshToken?.grantId
  if (grantId !== undefined) await store.replayedGrant(grantId)
  else if (typeof code === 'string') await store.replayed('AuthorizationCode', code)
  else if (typeof device === 'string') await store.replayed('DeviceCode', device)
}
