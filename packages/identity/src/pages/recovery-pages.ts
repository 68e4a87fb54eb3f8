import { isAsOf, stateOf } from '../account/account.ts'
import { parseEmail } from '../account/email.ts'
import { endPending } from '../account/end-pending.ts'
import { letter } from '../mail/letter.ts'
import { revokeGrants } from '../oauth/store/oauth-store.ts'
import type { IdentityParts } from '../parts/identity-parts.ts'
import { fault, formFields, notice, show } from './answers.ts'
import { html } from './html.ts'
import type { PageAnswer, PageRequest, Routes } from './page-request.ts'
import { passwordFaultText } from './password-fault-text.ts'
import { linkDead } from './sign-in-pages.ts'

const LINK_MS = 1_800_000

/**
 * Setting a new password by mail. It signs nobody in: a second factor, if there is one, is
 * still asked for afterwards. Every session ends; and when somebody else may have had the
 * account, so do passkeys, links to other providers, invitations, grants and API keys.
 */
export function recoveryPages(parts: IdentityParts): Routes {
  const { base } = parts

  const resetForm = (
    request: PageRequest,
    token: string,
    problem: string | undefined,
    status: number,
  ): PageAnswer => {
    const { texts } = request
    const body = html`${fault(problem)}<form method="post" action="${base}/recover/reset">${formFields(request, { token })}
<label for="password">${texts.newPassword}</label><input id="password" name="password" type="password" autocomplete="new-password" required minlength="8" maxlength="1024" aria-describedby="password-hint">
<p class="hint" id="password-hint">${texts.passwordHint}</p>
<div class="check"><input id="compromised" name="compromised" type="checkbox" value="yes"><label for="compromised">${texts.compromised}</label></div>
<button class="full">${texts.setPassword}</button></form>`
    return show({ title: texts.setPassword, body }, status)
  }

  /** Whoever had the account may have made these, to come back by. */
  const withdrawMade = async (id: string): Promise<void> => {
    await parts.passkeys.removeAll(id)
    await parts.accounts.unlinkExternal(id)
    await parts.tokens.revoke('invitation', id)
    await revokeGrants(parts.database, id)
    await parts.apiKeys.revokeAll({ kind: 'user', id }, 'account recovered')
  }

  return {
    'GET /recover': request => {
      const { texts } = request
      const body = html`<p>${texts.recoverHint}</p><form method="post" action="${base}/recover">${formFields(request)}
<label for="email">${texts.email}</label><input id="email" name="email" type="email" autocomplete="username" required maxlength="320">
<button class="full">${texts.sendLink}</button></form>
<ul class="links"><li><a href="${base}/sign-in">${texts.backToSignIn}</a></li></ul>`
      return show({ title: texts.recoverTitle, body })
    },
    'POST /recover': request => {
      const email = parseEmail(request.form.get('email') ?? '')
      if (email !== undefined)
        parts.postman.later({ to: email, by: request.exchange.client }, async () => {
          const account = await parts.accounts.byEmail(email)
          if (account === undefined || account.disabledAt !== undefined) return undefined
          const token = await parts.tokens.issue('reset', account.id, { state: stateOf(account) }, LINK_MS)
          // To the stored address, not to what was typed.
          return letter({
            kind: 'reset',
            to: account.email,
            texts: request.texts,
            site: parts,
            path: `/recover/reset?token=${token}`,
          })
        })
      return show({ title: request.texts.checkMailTitle, body: html`${notice(request.texts.checkMail)}` })
    },
    'GET /recover/reset': async request => {
      const token = request.query.get('token') ?? ''
      return (await parts.tokens.find('reset', token)) === undefined
        ? linkDead(request, base)
        : resetForm(request, token, undefined, 200)
    },
    'POST /recover/reset': async request => {
      const token = request.form.get('token') ?? ''
      const seen = await parts.tokens.find('reset', token)
      const account = seen?.accountId === undefined ? undefined : await parts.accounts.byId(seen.accountId)
      if (account === undefined || account.disabledAt !== undefined) return linkDead(request, base)
      // A link that was still on its way when the address was changed went to the old one.
      if (!isAsOf(seen?.data, account)) return linkDead(request, base)
      const password = request.form.get('password') ?? ''
      const problem = await parts.passwords.fault(password, [account.email, account.name])
      if (problem !== undefined)
        return resetForm(request, token, passwordFaultText(problem, request.texts), 422)
      const passwordHash = await parts.passwords.hash(password)
      if ((await parts.tokens.redeem('reset', token)) === undefined) return linkDead(request, base)
      const withdraw = async (): Promise<void> => {
        await endPending(parts.tokens, account.id)
        if (request.form.get('compromised') === 'yes') await withdrawMade(account.id)
      }
      // Before: no session that is ended may change the password after it. After: what was begun by the old
      // password or a passkey meanwhile ends too.
      await parts.sessions.revokeAll(account.id)
      await withdraw()
      if (!(await parts.accounts.setPassword(account, passwordHash))) return linkDead(request, base)
      await parts.sessions.revokeLater(account.id)
      await withdraw()
      parts.postman.notify(async () =>
        letter({
          kind: 'passwordChanged',
          to: account.email,
          texts: request.texts,
          site: parts,
          path: '/recover',
        }),
      )
      const body = html`${notice(request.texts.passwordSet)}<p><a class="button full" href="${base}/sign-in">${request.texts.signIn}</a></p>`
      return show({ title: request.texts.setPassword, body })
    },
  }
}
