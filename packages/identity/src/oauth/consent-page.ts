import type { Interaction, Provider } from 'oidc-provider'
import { formFields } from '../pages/answers.ts'
import { html } from '../pages/html.ts'
import type { Texts } from '../pages/language/texts.ts'
import type { Page, PageRequest } from '../pages/page-request.ts'
import type { IdentityParts } from '../parts/identity-parts.ts'
import type { Session } from '../session/session.ts'
import { clientLabel } from './url-clients.ts'

/**
 * Asks whether a client may act for whoever is signed in. What the client calls itself is shown, and so is
 * where it lives, for it can call itself anything.
 */
export async function consentPage(
  request: PageRequest,
  parts: IdentityParts,
  provider: Provider,
  interaction: Interaction,
  session: Session,
): Promise<Page> {
  const { texts } = request
  const { details } = interaction.prompt
  const client = await provider.Client.find(String(interaction.params['client_id']))
  const name = client === undefined ? '' : clientLabel(client)
  const account = await parts.accounts.byId(session.accountId)
  const redirectUri = interaction.params['redirect_uri']
  const place =
    typeof redirectUri === 'string' && URL.canParse(redirectUri) ? new URL(redirectUri) : undefined
  // A right that a client asked for twice, by name and for the API it is for, is one right to a person.
  const scopes = new Set([
    ...words(details['missingOIDCScope']),
    ...resourceScopes(details['missingResourceScopes']),
  ])
  const action = request.exchange.path.canonical
  const body = html`<p>${texts.signedInAs.replace('{email}', account?.email ?? '')}</p><p>${texts.consentHint.replace('{client}', name)}</p>
<ul>${[...scopes].map(scope => html`<li>${describeScope(scope, texts)}</li>`)}</ul>
${place === undefined ? undefined : html`<p class="hint">${texts.consentGoesTo.replace('{place}', place.host === '' ? place.protocol : place.host)}</p>`}
<form method="post" action="${action}">${formFields(request, { decision: 'allow' })}<button class="full">${texts.allow}</button></form>
<form method="post" action="${action}">${formFields(request, { decision: 'deny' })}<button class="full quiet">${texts.deny}</button></form>`
  return {
    title: texts.consentTitle.replace('{client}', name),
    body,
    ...(place !== undefined && { formAction: place.origin === 'null' ? place.protocol : place.origin }),
  }
}

function words(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter(item => typeof item === 'string') : []
}

function resourceScopes(value: unknown): readonly string[] {
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(words) : []
}

/** What a scope allows, in the reader's language. */
export function describeScope(scope: string, texts: Texts): string {
  const known: Readonly<Record<string, string>> = {
    openid: texts.scopeOpenid,
    email: texts.scopeEmail,
    profile: texts.scopeProfile,
    offline_access: texts.scopeOffline,
  }
  return (
    (Object.hasOwn(known, scope) ? known[scope] : undefined) ?? texts.scopeOther.replace('{scope}', scope)
  )
}
