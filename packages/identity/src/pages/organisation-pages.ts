import { ConfigError, CredentialError } from '@postern/core'
import { parseEmail } from '../account/email.ts'
import { OWNER } from '../account/organisations.ts'
import { letter } from '../mail/letter.ts'
import type { IdentityParts } from '../parts/identity-parts.ts'
import { button, fault, formFields, go, isAnswer, needsHolder, needsSession, show } from './answers.ts'
import { html } from './html.ts'
import type { PageAnswer, PageRequest, Routes } from './page-request.ts'
import { linkDead } from './sign-in-pages.ts'

/** Organisations of whoever is signed in: which one they act in, new ones, invitations. */
export function organisationPages(parts: IdentityParts): Routes {
  const { base, organisations } = parts

  const list = async (
    request: PageRequest,
    problem: string | undefined,
    status: number,
  ): Promise<PageAnswer> => {
    const session = needsSession(request, parts)
    if (isAnswer(session)) return session
    const { texts } = request
    const memberships = await organisations.ofAccount(session.accountId)
    const items = memberships.map(
      ({
        organisationId,
        organisation,
        roles,
      }) => html`<li><p><strong>${organisation}</strong>${organisationId === session.organisationId ? html` · ${texts.current}` : undefined}</p><p class="hint">${texts.roles}: ${roles.length === 0 ? '–' : roles.join(', ')}</p>
<div class="row">${organisationId === session.organisationId ? undefined : button(request, { action: `${base}/organisations/enter`, label: texts.switchTo, fields: { id: organisationId } })}</div>
${
  roles.includes(OWNER)
    ? html`<form method="post" action="${base}/organisations/invite">${formFields(request, { id: organisationId })}<label for="email-${organisationId}">${texts.inviteEmail}</label><input id="email-${organisationId}" name="email" type="email" required maxlength="320" autocomplete="off"><button class="quiet">${texts.invite}</button></form>`
    : undefined
}</li>`,
    )
    const body = html`${fault(problem)}<ul class="cards">${items}</ul><h2>${texts.newOrganisation}</h2>
<form method="post" action="${base}/organisations">${formFields(request)}<label for="name">${texts.name}</label><input id="name" name="name" required maxlength="100" autocomplete="organization"><button>${texts.create}</button></form>`
    return show({ title: texts.organisationsTitle, body, width: 'wide', menu: 'organisations' }, status)
  }

  return {
    'GET /organisations': request => list(request, undefined, 200),
    'POST /organisations': async request => {
      const session = needsHolder(request, parts)
      if (isAnswer(session)) return session
      const account = await parts.accounts.byId(session.accountId)
      if (account === undefined) return go(`${base}/organisations`)
      try {
        const made = await organisations.create(account, (request.form.get('name') ?? '').trim())
        await parts.sessions.enter(session, made.id)
        return go(`${base}/organisations`)
      } catch (error) {
        if (error instanceof ConfigError) return list(request, request.texts.refusedTitle, 422)
        throw error
      }
    },
    // An impersonator's session has an organisation of its own.
    'POST /organisations/enter': async request => {
      const session = needsSession(request, parts)
      if (isAnswer(session)) return session
      await parts.sessions.enter(session, request.form.get('id') ?? '')
      return go(`${base}/organisations`)
    },
    'POST /organisations/invite': async request => {
      const session = needsHolder(request, parts)
      if (isAnswer(session)) return session
      const account = await parts.accounts.byId(session.accountId)
      const email = parseEmail(request.form.get('email') ?? '')
      if (account === undefined || email === undefined) return list(request, request.texts.refusedTitle, 422)
      try {
        const token = await organisations.invite(account, request.form.get('id') ?? '', email, [])
        parts.postman.later({ to: email, by: request.exchange.client }, async () =>
          letter({
            kind: 'invitation',
            to: email,
            texts: request.texts,
            site: parts,
            path: `/invitation?token=${token}`,
          }),
        )
        return go(`${base}/organisations`)
      } catch (error) {
        if (error instanceof CredentialError) return list(request, request.texts.refusedTitle, 403)
        throw error
      }
    },
    'GET /invitation': async request => {
      const session = needsSession(request, parts)
      if (isAnswer(session)) return session
      const token = request.query.get('token') ?? ''
      if ((await parts.tokens.find('invitation', token)) === undefined) return linkDead(request, base)
      const body = html`<p>${request.texts.invitationHint}</p><form method="post" action="${base}/invitation">${formFields(request, { token })}<button class="full">${request.texts.join}</button></form>`
      return show({ title: request.texts.join, body })
    },
    'POST /invitation': async request => {
      const session = needsHolder(request, parts)
      if (isAnswer(session)) return session
      const account = await parts.accounts.byId(session.accountId)
      const membership =
        account === undefined
          ? undefined
          : await organisations.accept(account, request.form.get('token') ?? '')
      if (membership === undefined) return linkDead(request, base)
      await parts.sessions.enter(session, membership.organisationId)
      return go(`${base}/organisations`)
    },
  }
}
