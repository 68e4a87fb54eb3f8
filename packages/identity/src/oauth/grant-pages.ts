import type { AdapterPayload, Provider } from 'oidc-provider'
import { moment } from '../pages/account-frame.ts'
import { button, go, isAnswer, needsHolder, needsSession, show } from '../pages/answers.ts'
import { html } from '../pages/html.ts'
import type { Routes } from '../pages/page-request.ts'
import type { IdentityParts } from '../parts/identity-parts.ts'
import { describeScope } from './consent-page.ts'
import type { OauthStore } from './store/oauth-store.ts'
import { clientLabel } from './url-clients.ts'

/**
 * What somebody allowed programs to do in their name, and how to take it back. Like ending a session it asks
 * for no fresh proof: taking rights away must be easy.
 */
export function grantPages(parts: IdentityParts, provider: Provider, store: OauthStore): Routes {
  const { base } = parts
  const nameOf = async (clientId: string): Promise<string> => {
    const client = await provider.Client.find(clientId).catch(() => undefined)
    return clientLabel(client ?? { clientId })
  }
  return {
    'GET /grants': async request => {
      const session = needsSession(request, parts)
      if (isAnswer(session)) return session
      const { texts } = request
      const grants = await store.grants(session.accountId)
      const items = await Promise.all(
        grants.map(async ({ id, payload }) => {
          const client = String(payload.clientId)
          return html`<li><p><strong>${await nameOf(client)}</strong> <code>${client.slice(0, 200)}</code></p>
<ul>${scopesOf(payload).map(scope => html`<li>${describeScope(scope, texts)}</li>`)}</ul>
<p class="hint">${texts.expires}: ${moment(request, payload.exp === undefined ? undefined : payload.exp * 1_000)}</p>
${button(request, { action: `${base}/grants/revoke`, label: texts.revoke, fields: { id }, look: 'danger' })}</li>`
        }),
      )
      const body = html`<p>${texts.grantsHint}</p><ul class="cards">${items}</ul>`
      return show({ title: texts.grantsTitle, body, width: 'wide', menu: 'grants' })
    },
    'POST /grants/revoke': async request => {
      const session = needsHolder(request, parts)
      if (isAnswer(session)) return session
      await store.revoke(session.accountId, request.form.get('id') ?? '')
      parts.emit({
        type: 'grant.revoked',
        time: parts.clock.now(),
        actor: { principal: session.accountId, address: request.exchange.client },
      })
      return go(`${base}/grants`)
    },
  }
}

function scopesOf({ openid, resources }: AdapterPayload): readonly string[] {
  const allowed: readonly unknown[] = [...Object.values(openid ?? {}), ...Object.values(resources ?? {})]
  const words = allowed.flatMap(scope => (typeof scope === 'string' ? scope.split(' ') : []))
  return [...new Set(words)].filter(word => word !== '')
}
