import type { Account } from '../account/account.ts'
import { letter } from '../mail/letter.ts'
import type { IdentityParts } from '../parts/identity-parts.ts'
import { fault, formFields, go, isAnswer, isStillSignedIn, json, needsFreshSession, show } from './answers.ts'
import { html } from './html.ts'
import type { PageAnswer, PageRequest, Routes } from './page-request.ts'
import { qrCode } from './qr-code.ts'

/**
 * Adding and removing factors: passkeys, an authenticator app, recovery codes. All of it needs a
 * session that was proven within ten minutes; a half-finished sign-in is not a session, so it cannot add
 * a factor to get past the one it lacks.
 */
export function factorPages(parts: IdentityParts): Routes {
  const { base } = parts

  const withFresh = async (
    request: PageRequest,
    work: (account: Account) => Promise<PageAnswer>,
  ): Promise<PageAnswer> => {
    const session = needsFreshSession(request, parts)
    if (isAnswer(session))
      return isScript(request) ? json({ error: 'step-up', location: `${base}/step-up` }, 401) : session
    const account = await parts.accounts.byId(session.accountId)
    return account === undefined ? go(`${base}/sign-in`) : work(account)
  }

  const tell = (account: Account, request: PageRequest): void =>
    parts.postman.notify(async () =>
      letter({
        kind: 'factorChanged',
        to: account.email,
        texts: request.texts,
        site: parts,
        path: '/account',
      }),
    )

  const codesPage = async (account: Account, request: PageRequest): Promise<PageAnswer> => {
    const codes = await parts.recoveryCodes.renew(account.id)
    const { texts } = request
    const body = html`<p>${texts.recoveryCodesHint}</p><ul class="codes">${codes.map(code => html`<li>${code}</li>`)}</ul>
<p><a class="button full" href="${base}/account">${texts.continue}</a></p>`
    return show({ title: texts.recoveryCodes, body })
  }

  const enrolForm = async (
    account: Account,
    request: PageRequest,
    problem: string | undefined,
  ): Promise<PageAnswer> => {
    const { texts } = request
    if (await parts.authenticators.has(account.id)) return go(`${base}/account`)
    // A wrong code shows the same secret again; starting again makes a new one, so nobody
    // can leave a secret there that they know.
    const pending =
      problem === undefined ? undefined : await parts.authenticators.pending(account.id, account.email)
    const enrolment = pending ?? (await parts.authenticators.begin(account.id, account.email))
    const body = html`${fault(problem)}<p>${texts.authenticatorSteps}</p>
${qrCode(enrolment.uri, texts.qrCode)}
<p class="hint">${texts.authenticatorSecret}</p><pre class="secret">${enrolment.secret.match(/.{1,4}/g)?.join(' ') ?? ''}</pre>
<p><a href="${enrolment.uri}">${texts.openInApp}</a></p>
<form method="post" action="${base}/account/authenticator/confirm">${formFields(request)}
<label for="code">${texts.code}</label><input id="code" name="code" inputmode="numeric" autocomplete="one-time-code" required maxlength="10" pattern="[0-9 ]*"><button class="full">${texts.continue}</button></form>
<ul class="links"><li><a href="${base}/account">${texts.back}</a></li></ul>`
    return show({ title: texts.addAuthenticator, body }, problem === undefined ? 200 : 422)
  }

  return {
    'GET /passkey/new': request =>
      withFresh(request, async () => {
        const { texts } = request
        const body = html`<p>${texts.passkeysHint}</p><p class="fault" role="alert" data-passkey-fault="${texts.passkeyFailed}" hidden></p>
<form class="passkey-only" data-passkey="register" data-done="${base}/account" hidden><label for="name">${texts.passkeyName}</label><input id="name" name="name" maxlength="60" autocomplete="off"><button class="full">${texts.addPasskey}</button></form>
<noscript><p class="fault">${texts.needsScript}</p></noscript>
<ul class="links"><li><a href="${base}/account">${texts.back}</a></li></ul>`
        return show({ title: texts.addPasskey, body })
      }),
    'POST /passkey/register-options': request =>
      withFresh(request, async account => json(await parts.passkeys.registrationOptions(account))),
    'POST /passkey/register': request =>
      withFresh(request, async account => {
        const made = await parts.passkeys.register(account, request.json, request.query.get('name') ?? '')
        if (made === undefined) return json({ error: 'refused' }, 422)
        if (!(await isStillSignedIn(request, parts))) {
          await parts.passkeys.remove(account.id, made.id)
          return json({ error: 'signed-out' }, 401)
        }
        tell(account, request)
        return json({ id: made.id })
      }),
    'POST /passkey/remove': request =>
      withFresh(request, async account => {
        if (await parts.passkeys.remove(account.id, request.form.get('id') ?? '')) tell(account, request)
        return go(`${base}/account`)
      }),
    'POST /account/authenticator': request =>
      withFresh(request, account => enrolForm(account, request, undefined)),
    'POST /account/authenticator/confirm': request =>
      withFresh(request, async account => {
        if (!(await parts.authenticators.confirm(account.id, request.form.get('code') ?? '')))
          return enrolForm(account, request, request.texts.codeRefused)
        if (!(await isStillSignedIn(request, parts))) {
          await parts.authenticators.remove(account.id)
          return go(`${base}/sign-in`)
        }
        tell(account, request)
        return codesPage(account, request)
      }),
    'POST /account/authenticator/remove': request =>
      withFresh(request, async account => {
        await parts.authenticators.remove(account.id)
        tell(account, request)
        return go(`${base}/account`)
      }),
    'POST /account/recovery-codes': request =>
      withFresh(request, async account =>
        (await parts.authenticators.has(account.id)) ? codesPage(account, request) : go(`${base}/account`),
      ),
  }
}

/** Whether a script asks, which wants JSON rather than a page. */
function isScript({ exchange }: PageRequest): boolean {
  return exchange.header('accept') === 'application/json'
}
