import type { Interaction, Provider } from 'oidc-provider'
import type { Session } from '../session/session.ts'

/** Writes down what was allowed. @returns the id of the grant */
export async function granted(
  provider: Provider,
  interaction: Interaction,
  session: Session,
): Promise<string> {
  const known = interaction.grantId === undefined ? undefined : await provider.Grant.find(interaction.grantId)
  const clientId = String(interaction.params['client_id'])
  const grant = known ?? new provider.Grant({ accountId: session.accountId, clientId })
  const { missingOIDCScope, missingOIDCClaims, missingResourceScopes } = interaction.prompt.details
  if (isWords(missingOIDCScope)) grant.addOIDCScope(missingOIDCScope.join(' '))
  if (isWords(missingOIDCClaims)) grant.addOIDCClaims([...missingOIDCClaims])
  if (typeof missingResourceScopes === 'object' && missingResourceScopes !== null)
    for (const [resource, scopes] of Object.entries(missingResourceScopes))
      if (isWords(scopes)) grant.addResourceScope(resource, scopes.join(' '))
  return grant.save()
}

function isWords(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(item => typeof item === 'string')
}
