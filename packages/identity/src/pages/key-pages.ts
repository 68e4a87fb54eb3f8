import { ConfigError, CredentialError } from '@postern/core'
import type { IssuedApiKey } from '../api-key/api-keys.ts'
import { takeLeakReport } from '../api-key/leak-report.ts'
import type { IdentityParts } from '../parts/identity-parts.ts'
import { SessionPrincipal } from '../session/session-principal.ts'
import { moment } from './account-frame.ts'
import {
  button,
  fault,
  formFields,
  go,
  isAnswer,
  isStillSignedIn,
  json,
  needsFreshSession,
  needsHolder,
  needsSession,
  show,
} from './answers.ts'
import { html } from './html.ts'
import type { PageAnswer, PageRequest, Routes } from './page-request.ts'

/** API keys of whoever is signed in. The owner is the session, whatever a form says. */
export function keyPages(parts: IdentityParts): Routes {
  const { base, apiKeys } = parts

  const list = async (
    request: PageRequest,
    problem: string | undefined,
    status: number,
  ): Promise<PageAnswer> => {
    const session = needsSession(request, parts)
    if (isAnswer(session)) return session
    const { texts } = request
    const now = request.exchange.time
    const keys = (await apiKeys.list(new SessionPrincipal(session))).filter(
      key => key.revokedAt === undefined && (key.expiresAt === undefined || key.expiresAt > now),
    )
    const items = keys.map(
      key => html`<li><p><strong>${key.name}</strong> <code>${key.id}</code></p>
<p class="hint">${key.scopes.length === 0 ? undefined : html`${texts.scopes}: <code>${key.scopes.join(' ')}</code> · `}${texts.lastUsed}: ${moment(request, key.usedAt)} · ${texts.expires}: ${moment(request, key.expiresAt)}</p>
<div class="row">${key.replacedBy === undefined ? button(request, { action: `${base}/keys/rotate`, label: texts.rotate, fields: { id: key.id } }) : undefined}${button(request, { action: `${base}/keys/revoke`, label: texts.revoke, fields: { id: key.id }, look: 'danger' })}</div></li>`,
    )
    const body = html`${fault(problem)}<p>${texts.keysHint}</p><ul class="cards">${items}</ul><h2>${texts.newKey}</h2>
<form method="post" action="${base}/keys">${formFields(request)}
<label for="name">${texts.keyName}</label><input id="name" name="name" required maxlength="100" autocomplete="off">
<label for="scopes">${texts.scopes}</label><input id="scopes" name="scopes" maxlength="500" autocomplete="off" autocapitalize="none" spellcheck="false" aria-describedby="scopes-hint"><p class="hint" id="scopes-hint">${texts.scopesHint}</p>
<label for="days">${texts.expires}</label><select id="days" name="days"><option value="30">${texts.days.replace('{count}', '30')}</option><option value="90" selected>${texts.days.replace('{count}', '90')}</option><option value="365">${texts.days.replace('{count}', '365')}</option><option value="">${texts.never}</option></select>
<button>${texts.createKey}</button></form>`
    return show({ title: texts.keysTitle, body, width: 'wide', menu: 'keys' }, status)
  }

  const shown = async (request: PageRequest, { key, text }: IssuedApiKey): Promise<PageAnswer> => {
    if (!(await isStillSignedIn(request, parts))) {
      await apiKeys.revoke(key.id, 'operator', 'its maker was signed out')
      return go(`${base}/sign-in`)
    }
    const { texts } = request
    const body = html`<p>${texts.keyShownOnce}</p><pre class="secret" id="key">${text}</pre><p><a class="button" href="${base}/keys">${texts.continue}</a></p>`
    return show({ title: texts.newKey, body, width: 'wide', menu: 'keys' })
  }

  return {
    'GET /keys': request => list(request, undefined, 200),
    'POST /keys': async request => {
      const session = needsFreshSession(request, parts)
      if (isAnswer(session)) return session
      const { form } = request
      const scopes = (form.get('scopes') ?? '').split(/[\s,]+/).filter(scope => scope !== '')
      const days = Number(form.get('days') ?? '')
      try {
        const issued = await apiKeys.create(new SessionPrincipal(session), {
          name: form.get('name') ?? '',
          scopes,
          ...(days > 0 && days <= 3_650 && { expiresIn: `${Math.ceil(days)}d` }),
        })
        return await shown(request, issued)
      } catch (error) {
        if (error instanceof ConfigError || error instanceof CredentialError)
          return list(request, request.texts.keyRefused, 422)
        throw error
      }
    },
    'POST /keys/rotate': async request => {
      const session = needsFreshSession(request, parts)
      if (isAnswer(session)) return session
      try {
        const issued = await apiKeys.rotate(request.form.get('id') ?? '', new SessionPrincipal(session))
        return await shown(request, issued)
      } catch (error) {
        if (error instanceof ConfigError || error instanceof CredentialError)
          return list(request, request.texts.keyRefused, 422)
        throw error
      }
    },
    'POST /keys/revoke': async request => {
      const session = needsHolder(request, parts)
      if (isAnswer(session)) return session
      await apiKeys.revoke(request.form.get('id') ?? '', new SessionPrincipal(session))
      return go(`${base}/keys`)
    },
    // For secret scanners: no session, no cookie, no CSRF token; the whole key is the proof.
    'POST /keys/leaks': async request => {
      const verdicts = await takeLeakReport(request.json, apiKeys)
      return verdicts === undefined ? json({ error: 'malformed' }, 400) : json(verdicts)
    },
  }
}
