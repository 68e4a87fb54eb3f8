import { stateOf } from '../account/account.ts'
import { parseEmail } from '../account/email.ts'
import { letter } from '../mail/letter.ts'
import type { IdentityParts } from '../parts/identity-parts.ts'
import { SignIn, type SignInResult } from '../parts/sign-in.ts'
import { backOf, contextOf, fault, formFields, go, json, notice, show, withBack } from './answers.ts'
import { html } from './html.ts'
import type { PageAnswer, PageRequest, Routes } from './page-request.ts'

const PENDING = 'second-factor'
/** ASVS 5.0 6.5.5: ten minutes at most. */
const LINK_MS = 600_000

/** Signing in and out. */
export function signInPages(parts: IdentityParts): Routes {
  const { base, cookies } = parts
  const signIn = new SignIn(parts)

  const form = (
    request: PageRequest,
    problem: string | undefined,
    status: number,
    email = '',
  ): PageAnswer => {
    const { texts } = request
    const back = backOf(request, parts)
    const byPasskey = html`<p class="passkey-only" hidden><button type="button" class="full" data-passkey="sign-in" data-back="${back ?? ''}">${texts.signInWithPasskey}</button></p>
<p class="fault" role="alert" data-passkey-fault="${texts.passkeyFailed}" hidden></p>
<p class="or passkey-only" hidden>${texts.or}</p>`
    const body = html`${fault(problem)}
${parts.passkeys.areOffered ? byPasskey : undefined}
<form method="post" action="${base}/sign-in">${formFields(request, { back })}
<label for="email">${texts.email}</label><input id="email" name="email" type="email" autocomplete="username webauthn" required value="${email}" maxlength="320">
<label for="password">${texts.password}</label><input id="password" name="password" type="password" autocomplete="current-password" required maxlength="1024">
<button class="full">${texts.signIn}</button></form>
${parts.providers.map(
  provider => html`<form method="post" action="${base}/external/start">${formFields(request, { provider: provider.id, back })}
<button class="full quiet">${texts.signInWith.replace('{provider}', provider.name)}</button></form>`,
)}
<ul class="links">${parts.mailedLinks === 'sign-in' ? html`<li><a href="${base}/sign-in/link${withBack(back)}">${texts.signInByMail}</a></li>` : undefined}
<li><a href="${base}/recover">${texts.forgotPassword}</a></li>
${parts.signUp === 'open' ? html`<li><a href="${base}/sign-up${withBack(back)}">${texts.createAccount}</a></li>` : undefined}</ul>`
    return show({ title: texts.signInTitle.replace('{site}', parts.siteName), body }, status)
  }

  const codeForm = (request: PageRequest, problem: string | undefined, status: number): PageAnswer => {
    const { texts } = request
    const body = html`${fault(problem)}<p>${texts.codeHint}</p>
<form method="post" action="${base}/sign-in/code">${formFields(request, { back: backOf(request, parts) })}
<label for="code">${texts.code}</label><input id="code" name="code" inputmode="text" autocomplete="one-time-code" required maxlength="40" autocapitalize="none" spellcheck="false">
<button class="full">${texts.continue}</button></form>
<p class="hint">${texts.recoveryCodeHint}</p>`
    return show({ title: texts.codeTitle, body }, status)
  }

  /** Answers a finished or half-finished sign-in; undefined for a refused one. */
  const proceed = (request: PageRequest, result: SignInResult): PageAnswer | undefined => {
    const back = backOf(request, parts)
    if (result.kind === 'signed-in') return go(back ?? parts.home, sessionCookies(parts, result.session))
    if (result.kind === 'second-factor')
      return go(`${base}/sign-in/code${withBack(back)}`, [cookies.set(PENDING, result.token, 600)])
    return undefined
  }

  return {
    'GET /sign-in': request => form(request, undefined, 200),
    'POST /sign-in': async request => {
      const email = request.form.get('email') ?? ''
      const result = await signIn.password(email, request.form.get('password') ?? '', contextOf(request))
      return proceed(request, result) ?? form(request, request.texts.signInRefused, 401, email.slice(0, 320))
    },
    'GET /sign-in/code': request =>
      readPending(request, parts) === '' ? go(`${base}/sign-in`) : codeForm(request, undefined, 200),
    'POST /sign-in/code': async request => {
      const result = await signIn.secondFactor(
        readPending(request, parts),
        request.form.get('code') ?? '',
        contextOf(request),
      )
      return proceed(request, result) ?? codeForm(request, request.texts.codeRefused, 401)
    },
    ...(parts.mailedLinks === 'sign-in' && mailedLinkRoutes(parts, signIn, proceed)),
    'POST /passkey/sign-in-options': async () => json(await parts.passkeys.signInOptions()),
    'POST /passkey/sign-in': async request => {
      const result = await signIn.passkey(request.json, contextOf(request))
      if (result.kind !== 'signed-in') return json({ error: 'refused' }, 401)
      const back = backOf(request, parts)
      return json({ location: back ?? parts.home }, 200, sessionCookies(parts, result.session))
    },
    'GET /sign-out': request =>
      show({
        title: request.texts.signOut,
        body: html`<p>${request.texts.signOutHint}</p><form method="post" action="${base}/sign-out">${formFields(request)}<button class="full">${request.texts.signOut}</button></form>`,
      }),
    'POST /sign-out': async request => {
      if (request.token !== '') await parts.sessions.end(request.token)
      if (request.session !== undefined)
        parts.emit({
          type: 'session.ended',
          time: parts.clock.now(),
          actor: { principal: request.session.accountId },
          data: { session: request.session.id },
        })
      return {
        kind: 'redirect',
        location: `${base}/sign-in`,
        cookies: [cookies.clear('session'), cookies.clear(PENDING)],
        clear: 'site-data',
      }
    },
  }
}

/** Signing in by a mailed link. */
function mailedLinkRoutes(
  parts: IdentityParts,
  signIn: SignIn,
  proceed: (request: PageRequest, result: SignInResult) => PageAnswer | undefined,
): Routes {
  const { base } = parts
  return {
    'GET /sign-in/link': request => {
      const { texts } = request
      const body = html`<p>${texts.linkHint}</p><form method="post" action="${base}/sign-in/link">${formFields(request, { back: backOf(request, parts) })}
<label for="email">${texts.email}</label><input id="email" name="email" type="email" autocomplete="username" required maxlength="320">
<button class="full">${texts.sendLink}</button></form>
<ul class="links"><li><a href="${base}/sign-in${withBack(backOf(request, parts))}">${texts.backToSignIn}</a></li></ul>`
      return show({ title: texts.signInByMail, body })
    },
    'POST /sign-in/link': request => {
      const email = parseEmail(request.form.get('email') ?? '')
      const back = backOf(request, parts)
      if (email !== undefined)
        parts.postman.later({ to: email, by: request.exchange.client }, async () => {
          const account = await parts.accounts.byEmail(email)
          if (account === undefined || account.disabledAt !== undefined) return undefined
          const token = await parts.tokens.issue(
            'sign-in-link',
            account.id,
            { state: stateOf(account) },
            LINK_MS,
          )
          const query = back === undefined ? '' : `&back=${encodeURIComponent(back)}`
          return letter({
            kind: 'signIn',
            to: account.email,
            texts: request.texts,
            site: parts,
            path: `/sign-in/open?token=${token}${query}`,
          })
        })
      return show({ title: request.texts.checkMailTitle, body: html`${notice(request.texts.checkMail)}` })
    },
    // Opening a link changes nothing: scanners of mail open links too. The button does.
    'GET /sign-in/open': async request => {
      const { texts } = request
      const token = request.query.get('token') ?? ''
      if ((await parts.tokens.find('sign-in-link', token)) === undefined) return linkDead(request, base)
      const body = html`<p>${texts.openHint}</p><form method="post" action="${base}/sign-in/open">${formFields(request, { token, back: backOf(request, parts) })}
<button class="full">${texts.signIn}</button></form>`
      return show({ title: texts.signInTitle.replace('{site}', parts.siteName), body })
    },
    'POST /sign-in/open': async request => {
      const result = await signIn.link(request.form.get('token') ?? '', contextOf(request))
      return proceed(request, result) ?? linkDead(request, base)
    },
  }
}

function readPending(request: PageRequest, parts: IdentityParts): string {
  return parts.cookies.read(request.exchange.header('cookie'), PENDING) ?? ''
}

/** Cookies of a session that begins: the new token, and no half-finished sign-in. */
export function sessionCookies(
  parts: Pick<IdentityParts, 'cookies' | 'clock'>,
  session: { readonly token: string; readonly expiresAt: number },
): readonly string[] {
  const maxAge = (session.expiresAt - parts.clock.now()) / 1_000
  return [parts.cookies.set('session', session.token, maxAge), parts.cookies.clear(PENDING)]
}

/** The page of a link that was used, ran out, or never was. */
export function linkDead({ texts }: PageRequest, base: string): PageAnswer {
  const body = html`<p>${texts.linkDead}</p><p><a class="button quiet full" href="${base}/sign-in">${texts.backToSignIn}</a></p>`
  return show({ title: texts.linkDeadTitle, body }, 410)
}
