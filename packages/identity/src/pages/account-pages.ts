import { type Account, isAsOf, stateOf } from '../account/account.ts'
import { type Email, parseEmail } from '../account/email.ts'
import { endPending } from '../account/end-pending.ts'
import { letter } from '../mail/letter.ts'
import { deleteAccount } from '../parts/delete-account.ts'
import { exportAccount } from '../parts/export-account.ts'
import type { IdentityParts } from '../parts/identity-parts.ts'
import { moment } from './account-frame.ts'
import {
  button,
  fault,
  formFields,
  go,
  isAnswer,
  isStillSignedIn,
  needsFreshSession,
  needsSession,
  notice,
  show,
} from './answers.ts'
import { html } from './html.ts'
import type { PageAnswer, PageRequest, Routes } from './page-request.ts'
import { passwordFaultText } from './password-fault-text.ts'
import { linkDead } from './sign-in-pages.ts'

const CHANGE_EMAIL_MS = 3_600_000

/** The account's own page: name, address, password, factors, export and deletion. */
export function accountPages(parts: IdentityParts): Routes {
  const { base } = parts

  const overview = async (request: PageRequest, account: Account, message?: string): Promise<PageAnswer> => {
    const { texts } = request
    const passkeys = await parts.passkeys.list(account.id)
    const hasApp = await parts.authenticators.has(account.id)
    const codesLeft = await parts.recoveryCodes.left(account.id)
    const logins = await parts.accounts.externalLogins(account.id)
    const externals = parts.providers.map(({ id, name, issuer }) =>
      logins.some(login => login.issuer === issuer)
        ? html`<h2>${name}</h2><p>${texts.linked}</p>`
        : html`<h2>${name}</h2>${button(request, { action: `${base}/external/start`, label: texts.linkProvider.replace('{provider}', name), fields: { provider: id, link: 'yes' } })}`,
    )
    const body = html`${notice(message)}
<dl><dt>${texts.email}</dt><dd>${account.email}</dd><dt>${texts.name}</dt><dd>${account.name === '' ? '–' : account.name}</dd></dl>
<div class="row"><a class="button quiet" href="${base}/account/email">${texts.changeEmail}</a><a class="button quiet" href="${base}/account/password">${account.hasPassword ? texts.changePassword : texts.setPassword}</a></div>
${parts.passkeys.areOffered || passkeys.length > 0 ? html`<h2>${texts.passkeys}</h2><p class="hint">${texts.passkeysHint}</p>` : undefined}
<ul class="cards">${passkeys.map(
      passkey => html`<li><p><strong>${passkey.name === '' ? texts.passkey : passkey.name}</strong></p><p class="hint">${texts.lastUsed}: ${moment(request, passkey.usedAt)}</p>
${button(request, { action: `${base}/passkey/remove`, label: texts.remove, fields: { id: passkey.id }, look: 'danger' })}</li>`,
    )}</ul>
${parts.passkeys.areOffered ? html`<p><a class="button" href="${base}/passkey/new">${texts.addPasskey}</a></p>` : undefined}
<h2>${texts.authenticator}</h2><p class="hint">${texts.authenticatorHint}</p>
${
  hasApp
    ? html`<p>${texts.authenticatorOn} ${texts.recoveryCodesLeft.replace('{count}', String(codesLeft))}</p><div class="row">${button(request, { action: `${base}/account/recovery-codes`, label: texts.newRecoveryCodes })}${button(request, { action: `${base}/account/authenticator/remove`, label: texts.remove, look: 'danger' })}</div>`
    : button(request, { action: `${base}/account/authenticator`, label: texts.addAuthenticator })
}
${externals}
<h2>${texts.yourData}</h2><div class="row">${button(request, { action: `${base}/account/export`, label: texts.exportData })}<a class="button quiet" href="${base}/account/delete">${texts.deleteAccount}</a></div>`
    return show({ title: texts.accountTitle, body, width: 'wide', menu: 'account' })
  }

  const passwordForm = (request: PageRequest, problem: string | undefined, status: number): PageAnswer => {
    const { texts } = request
    const body = html`${fault(problem)}<form method="post" action="${base}/account/password">${formFields(request)}
<label for="password">${texts.newPassword}</label><input id="password" name="password" type="password" autocomplete="new-password" required minlength="8" maxlength="1024" aria-describedby="password-hint">
<p class="hint" id="password-hint">${texts.passwordHint}</p><button class="full">${texts.setPassword}</button></form>
<ul class="links"><li><a href="${base}/account">${texts.back}</a></li></ul>`
    return show({ title: texts.setPassword, body }, status)
  }

  /** Runs with the account of a freshly proven session. */
  const withFresh = async (
    request: PageRequest,
    work: (account: Account, sessionId: string) => Promise<PageAnswer> | PageAnswer,
  ): Promise<PageAnswer> => {
    const session = needsFreshSession(request, parts)
    if (isAnswer(session)) return session
    const account = await parts.accounts.byId(session.accountId)
    return account === undefined ? go(`${base}/sign-in`) : work(account, session.id)
  }

  return {
    'GET /account': async request => {
      const session = needsSession(request, parts)
      if (isAnswer(session)) return session
      const account = await parts.accounts.byId(session.accountId)
      return account === undefined ? go(`${base}/sign-in`) : overview(request, account)
    },
    'GET /account/password': request => withFresh(request, () => passwordForm(request, undefined, 200)),
    'POST /account/password': request =>
      withFresh(request, async (account, sessionId) => {
        const password = request.form.get('password') ?? ''
        const problem = await parts.passwords.fault(password, [account.email, account.name])
        if (problem !== undefined)
          return passwordForm(request, passwordFaultText(problem, request.texts), 422)
        const passwordHash = await parts.passwords.hash(password)
        // Hashing waits for its turn: meanwhile the account may have been changed, or the session ended.
        if (!(await isStillSignedIn(request, parts))) return go(`${base}/sign-in`)
        const others = async (): Promise<void> => {
          await parts.sessions.revokeAll(account.id, sessionId)
          await endPending(parts.tokens, account.id)
        }
        // Before, so that none of them changes it too; after, so that nothing goes on that the old one began.
        await others()
        if (!(await parts.accounts.setPassword(account, passwordHash))) return go(`${base}/account/password`)
        await others()
        parts.postman.notify(async () =>
          letter({
            kind: 'passwordChanged',
            to: account.email,
            texts: request.texts,
            site: parts,
            path: '/recover',
          }),
        )
        return overview(request, account, request.texts.passwordSet)
      }),
    'GET /account/email': request =>
      withFresh(request, () => {
        const { texts } = request
        const body = html`<p>${texts.changeEmailHint}</p><form method="post" action="${base}/account/email">${formFields(request)}
<label for="email">${texts.newEmail}</label><input id="email" name="email" type="email" autocomplete="email" required maxlength="320"><button class="full">${texts.continue}</button></form>
<ul class="links"><li><a href="${base}/account">${texts.back}</a></li></ul>`
        return show({ title: texts.changeEmail, body })
      }),
    'POST /account/email': request =>
      withFresh(request, async account => {
        const email = parseEmail(request.form.get('email') ?? '')
        if (email !== undefined && email !== account.email) {
          // One change at a time: an older link would set an address that its owner no longer wants.
          await parts.tokens.revoke('change-email', account.id)
          const token = await parts.tokens.issue(
            'change-email',
            account.id,
            { state: stateOf(account), to: email },
            CHANGE_EMAIL_MS,
          )
          if (!(await isStillSignedIn(request, parts))) {
            await parts.tokens.revoke('change-email', account.id)
            return go(`${base}/sign-in`)
          }
          parts.postman.later({ to: email, by: request.exchange.client }, async () =>
            letter({
              kind: 'changeEmail',
              to: email,
              texts: request.texts,
              site: parts,
              path: `/account/email/confirm?token=${token}`,
            }),
          )
        }
        return show({ title: request.texts.checkMailTitle, body: html`${notice(request.texts.checkMail)}` })
      }),
    'GET /account/email/confirm': async request => {
      const token = request.query.get('token') ?? ''
      if ((await parts.tokens.find('change-email', token)) === undefined) return linkDead(request, base)
      const { texts } = request
      const body = html`<form method="post" action="${base}/account/email/confirm">${formFields(request, { token })}<button class="full">${texts.confirmEmail}</button></form>`
      return show({ title: texts.confirmEmail, body })
    },
    'POST /account/email/confirm': async request => {
      const redeemed = await parts.tokens.redeem('change-email', request.form.get('token') ?? '')
      const to = newAddress(redeemed?.data)
      if (redeemed?.accountId === undefined || to === undefined) return linkDead(request, base)
      const { accountId } = redeemed
      const account = await parts.accounts.byId(accountId)
      if (account === undefined || !isAsOf(redeemed.data, account)) return linkDead(request, base)
      if (!(await parts.accounts.setEmail(account, to))) return linkDead(request, base)
      for (const kind of ['reset', 'sign-in-link'] as const) await parts.tokens.revoke(kind, accountId)
      await parts.sessions.revokeAll(
        accountId,
        request.session?.accountId === accountId ? request.session.id : '',
      )
      parts.postman.notify(async () =>
        letter({ kind: 'emailChanged', to: account.email, texts: request.texts, site: parts }),
      )
      return show({
        title: request.texts.changeEmail,
        body: html`${notice(request.texts.emailSet)}<p><a class="button full" href="${base}/account">${request.texts.accountTitle}</a></p>`,
      })
    },
    'POST /account/export': request =>
      withFresh(request, async account => ({
        kind: 'json',
        status: 200,
        value: await exportAccount(account, parts),
        fileName: 'account.json',
      })),
    'GET /account/delete': request =>
      withFresh(request, () => {
        const { texts } = request
        const body = html`<p>${texts.deleteHint}</p>${button(request, { action: `${base}/account/delete`, label: texts.deleteAccount, fields: { sure: 'yes' }, look: 'danger' })}
<ul class="links"><li><a href="${base}/account">${texts.back}</a></li></ul>`
        return show({ title: texts.deleteAccount, body })
      }),
    'POST /account/delete': request =>
      withFresh(request, async account => {
        if (request.form.get('sure') !== 'yes') return go(`${base}/account/delete`)
        await deleteAccount(account.id, parts)
        return {
          kind: 'redirect',
          location: `${base}/sign-in`,
          cookies: [parts.cookies.clear('session')],
          clear: 'site-data',
        }
      }),
  }
}

function newAddress(data: unknown): Email | undefined {
  const isOne = typeof data === 'object' && data !== null && 'to' in data && typeof data.to === 'string'
  return isOne ? parseEmail(String(data.to)) : undefined
}
