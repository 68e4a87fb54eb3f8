import { type Email, parseEmail } from '../account/email.ts'
import { letter } from '../mail/letter.ts'
import type { IdentityParts } from '../parts/identity-parts.ts'
import { SignIn } from '../parts/sign-in.ts'
import { backOf, contextOf, fault, formFields, go, notice, show, withBack } from './answers.ts'
import { html } from './html.ts'
import type { PageAnswer, PageRequest, Routes } from './page-request.ts'
import { passwordFaultText } from './password-fault-text.ts'
import { linkDead, sessionCookies } from './sign-in-pages.ts'

const LINK_MS = 86_400_000

/**
 * Making an account: first the proof that the address is theirs, then the rest. Nothing is stored for an
 * address that nobody proved, so nobody can make an account in another's name and wait for them. Whether
 * there is one already only the mail says.
 */
export function signUpPages(parts: IdentityParts): Routes {
  const { base } = parts
  if (parts.signUp === 'closed') return {}
  const signIn = new SignIn(parts)

  const finishForm = (
    request: PageRequest,
    token: string,
    problem: string | undefined,
    status: number,
  ): PageAnswer => {
    const { texts } = request
    const body = html`${fault(problem)}<form method="post" action="${base}/sign-up/finish">${formFields(request, { token })}
<label for="name">${texts.name}</label><input id="name" name="name" autocomplete="name" maxlength="200" value="${request.form.get('name') ?? ''}">
<label for="password">${texts.newPassword}</label><input id="password" name="password" type="password" autocomplete="new-password" required minlength="8" maxlength="1024" aria-describedby="password-hint">
<p class="hint" id="password-hint">${texts.passwordHint}</p>
<button class="full">${texts.createAccount}</button></form>`
    return show({ title: texts.createAccount, body }, status)
  }

  return {
    'GET /sign-up': request => {
      const { texts } = request
      const back = backOf(request, parts)
      const body = html`<p>${texts.signUpHint}</p><form method="post" action="${base}/sign-up">${formFields(request, { back })}
<label for="email">${texts.email}</label><input id="email" name="email" type="email" autocomplete="email" required maxlength="320">
<button class="full">${texts.continue}</button></form>
<ul class="links"><li><a href="${base}/sign-in${withBack(back)}">${texts.haveAccount}</a></li></ul>`
      return show({ title: texts.createAccount, body })
    },
    'POST /sign-up': request => {
      const email = parseEmail(request.form.get('email') ?? '')
      const back = backOf(request, parts)
      if (email !== undefined)
        parts.postman.later({ to: email, by: request.exchange.client }, async () => {
          if ((await parts.accounts.byEmail(email)) !== undefined)
            return letter({
              kind: 'haveAccount',
              to: email,
              texts: request.texts,
              site: parts,
              path: `/sign-in${withBack(back)}`,
            })
          const token = await parts.tokens.issue(
            'sign-up',
            undefined,
            { email, locale: request.language, ...(back !== undefined && { back }) },
            LINK_MS,
          )
          return letter({
            kind: 'signUp',
            to: email,
            texts: request.texts,
            site: parts,
            path: `/sign-up/finish?token=${token}`,
          })
        })
      return show({ title: request.texts.checkMailTitle, body: html`${notice(request.texts.checkMail)}` })
    },
    'GET /sign-up/finish': async request => {
      const token = request.query.get('token') ?? ''
      return (await parts.tokens.find('sign-up', token)) === undefined
        ? linkDead(request, base)
        : finishForm(request, token, undefined, 200)
    },
    'POST /sign-up/finish': async request => {
      const token = request.form.get('token') ?? ''
      const pending = readPending((await parts.tokens.find('sign-up', token))?.data)
      if (pending === undefined) return linkDead(request, base)
      const name = request.form.get('name') ?? ''
      const password = request.form.get('password') ?? ''
      const problem = await parts.passwords.fault(password, [pending.email, name])
      if (problem !== undefined)
        return finishForm(request, token, passwordFaultText(problem, request.texts), 422)
      const passwordHash = await parts.passwords.hash(password)
      if ((await parts.tokens.redeem('sign-up', token)) === undefined) return linkDead(request, base)
      const { email, locale, back } = pending
      const account = await parts.accounts.create({ email, locale, name, passwordHash, emailVerified: 'yes' })
      if (account === undefined) return linkDead(request, base)
      const result = await signIn.begin(account, ['pwd'], contextOf(request))
      return result.kind === 'signed-in'
        ? go(back ?? parts.home, sessionCookies(parts, result.session))
        : go(`${base}/sign-in`)
    },
  }
}

/** What was asked for when the link was mailed. */
interface Pending {
  readonly email: Email
  readonly locale: string
  /** Where the person was going: checked before it was stored. */
  readonly back: string | undefined
}

function readPending(data: unknown): Pending | undefined {
  if (typeof data !== 'object' || data === null || !('email' in data) || typeof data.email !== 'string')
    return undefined
  const email = parseEmail(data.email)
  const locale = 'locale' in data && typeof data.locale === 'string' ? data.locale : 'en'
  const back = 'back' in data && typeof data.back === 'string' ? data.back : undefined
  return email === undefined ? undefined : { email, locale, back }
}
