import { endPending } from '../account/end-pending.ts'
import type { IdentityParts } from '../parts/identity-parts.ts'
import { moment } from './account-frame.ts'
import { button, go, isAnswer, needsHolder, needsSession, show } from './answers.ts'
import { describeAgent } from './describe-agent.ts'
import { html } from './html.ts'
import type { Routes } from './page-request.ts'

/** The devices that are signed in, and how to sign them out. */
export function sessionPages(parts: IdentityParts): Routes {
  const { base } = parts
  return {
    'GET /sessions': async request => {
      const session = needsSession(request, parts)
      if (isAnswer(session)) return session
      const { texts } = request
      const sessions = await parts.sessions.list(session.accountId)
      const items = sessions.map(
        one => html`<li><p><strong>${describeAgent(one.agent) ?? texts.unknownDevice}</strong>${one.id === session.id ? html` · ${texts.thisDevice}` : undefined}${one.impersonator === undefined ? undefined : html` · ${texts.impersonated}`}</p>
<p class="hint">${one.address} · ${texts.lastUsed}: ${moment(request, one.seenAt)} · ${texts.signedInSince}: ${moment(request, one.createdAt)}</p>
${one.id === session.id ? undefined : button(request, { action: `${base}/sessions/revoke`, label: texts.signOutDevice, fields: { id: one.id }, look: 'danger' })}</li>`,
      )
      const body = html`<p>${texts.sessionsHint}</p><ul class="cards">${items}</ul>
${sessions.length > 1 ? button(request, { action: `${base}/sessions/revoke-others`, label: texts.signOutOthers, look: 'danger' }) : undefined}`
      return show({ title: texts.sessionsTitle, body, width: 'wide', menu: 'sessions' })
    },
    'POST /sessions/revoke': async request => {
      const session = needsHolder(request, parts)
      if (isAnswer(session)) return session
      await parts.sessions.revoke(session.accountId, request.form.get('id') ?? '')
      return go(`${base}/sessions`)
    },
    'POST /sessions/revoke-others': async request => {
      const session = needsHolder(request, parts)
      if (isAnswer(session)) return session
      await parts.sessions.revokeAll(session.accountId, session.id)
      await endPending(parts.tokens, session.accountId)
      return go(`${base}/sessions`)
    },
  }
}
