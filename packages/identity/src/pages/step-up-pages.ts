import type { IdentityParts } from '../parts/identity-parts.ts'
import type { Session } from '../session/session.ts'
import { backOf, fault, formFields, go, isAnswer, json, needsHolder, show } from './answers.ts'
import { html } from './html.ts'
import type { PageAnswer, PageRequest, Routes } from './page-request.ts'
import { sessionCookies } from './sign-in-pages.ts'

/** Proving again who one is, and confirming one act. Neither makes a session. */
export function stepUpPages(parts: IdentityParts): Routes {
  const { base, wrongProofs: wrong } = parts

  const proveForm = async (
    request: PageRequest,
    session: Session,
    problem: string | undefined,
  ): Promise<PageAnswer> => {
    const { texts } = request
    const back = backOf(request, parts)
    const account = await parts.accounts.byId(session.accountId)
    const hasApp = await parts.authenticators.has(session.accountId)
    const hasPasskey = (await parts.passkeys.list(session.accountId)).length > 0
    const hasForm = hasApp || account?.hasPassword === true
    const body = html`<p>${texts.stepUpHint}</p>${fault(problem)}<p class="fault" role="alert" data-passkey-fault="${texts.passkeyFailed}" hidden></p>
${hasPasskey ? html`<p class="passkey-only" hidden><button type="button" class="full" data-passkey="prove" data-back="${back ?? ''}">${texts.usePasskey}</button></p>` : undefined}
${hasPasskey && hasForm ? html`<p class="or passkey-only" hidden>${texts.or}</p>` : undefined}
${
  hasForm
    ? html`<form method="post" action="${base}/step-up">${formFields(request, { back })}${
        hasApp
          ? html`<label for="code">${texts.code}</label><input id="code" name="code" inputmode="numeric" autocomplete="one-time-code" required maxlength="40">`
          : html`<label for="password">${texts.password}</label><input id="password" name="password" type="password" autocomplete="current-password" required maxlength="1024">`
      }<button class="full">${texts.continue}</button></form>`
    : undefined
}
<ul class="links"><li><a href="${base}/sign-in${back === undefined ? '' : `?back=${encodeURIComponent(back)}`}">${texts.signInAgain}</a></li></ul>`
    return show({ title: texts.stepUpTitle, body }, problem === undefined ? 200 : 401)
  }

  /** An impersonator cannot prove to be somebody else. */
  const own = (request: PageRequest): Session | PageAnswer => needsHolder(request, parts)

  const rotated = async (
    request: PageRequest,
    session: Session,
    amr: readonly string[],
  ): Promise<readonly string[] | undefined> => {
    const fresh = await parts.sessions.rotate(request.token, session, amr)
    return fresh === undefined ? undefined : sessionCookies(parts, fresh)
  }

  return {
    'GET /step-up': async request => {
      const session = own(request)
      return isAnswer(session) ? session : proveForm(request, session, undefined)
    },
    'POST /step-up': async request => {
      const session = own(request)
      if (isAnswer(session)) return session
      const tried = await wrong.try(session, () => proven(request, session, parts))
      if (tried === 'ended') return go(`${base}/sign-in`, [parts.cookies.clear('session')])
      if (tried === 'later') return proveForm(request, session, request.texts.signInRefused)
      const { proof: amr } = tried
      if (amr === undefined) {
        parts.emit({
          type: 'login.failed',
          time: parts.clock.now(),
          actor: { principal: session.accountId, address: request.exchange.client },
          data: { method: 'step-up' },
        })
        return proveForm(request, session, request.texts.signInRefused)
      }
      const cookies = await rotated(request, session, amr)
      return cookies === undefined ? go(`${base}/sign-in`) : go(backOf(request, parts) ?? parts.home, cookies)
    },
    'POST /passkey/prove-options': async request => {
      const session = own(request)
      return isAnswer(session)
        ? json({ error: 'signed-out' }, 401)
        : json(await parts.passkeys.proofOptions(session.accountId))
    },
    'POST /passkey/prove': async request => {
      const session = own(request)
      if (isAnswer(session)) return json({ error: 'signed-out' }, 401)
      if ((await parts.passkeys.prove(session.accountId, request.json)) === undefined)
        return json({ error: 'refused' }, 401)
      const cookies = await rotated(request, session, ['hwk', 'user', 'mfa'])
      return cookies === undefined
        ? json({ error: 'signed-out' }, 401)
        : json({ location: backOf(request, parts) ?? parts.home }, 200, cookies)
    },
    'GET /confirm': async request => {
      const session = own(request)
      if (isAnswer(session)) return session
      const { texts } = request
      const pending = await parts.confirmations.find(session, request.query.get('id') ?? '')
      if (pending === undefined)
        return show({ title: texts.linkDeadTitle, body: html`<p>${texts.confirmDead}</p>` }, 410)
      const { act } = pending
      const hasPasskey = (await parts.passkeys.list(session.accountId)).length > 0
      const details = JSON.stringify(act.arguments, undefined, 2).slice(0, 10_000)
      const body = html`<p>${texts.confirmHint}</p><dl><dt>${texts.action}</dt><dd><code>${act.action}</code></dd>
${act.resource === '' || act.action.endsWith(` ${act.resource}`) ? undefined : html`<dt>${texts.resource}</dt><dd><code>${act.resource}</code></dd>`}</dl>
${details === '{}' || details === 'null' ? undefined : html`<details><summary>${texts.details}</summary><pre class="secret">${details}</pre></details>`}
<p class="fault" role="alert" data-passkey-fault="${texts.passkeyFailed}" hidden></p>
${
  hasPasskey
    ? html`<p class="passkey-only" hidden><button type="button" class="full" data-passkey="confirm" data-id="${pending.nonce}">${texts.confirmWithPasskey}</button></p><noscript><p class="fault">${texts.needsScript}</p></noscript>`
    : html`<p class="fault">${texts.confirmNeedsPasskey}</p><p><a class="button full" href="${base}/passkey/new">${texts.addPasskey}</a></p>`
}
<ul class="links"><li><a href="${pending.backTo}">${texts.cancel}</a></li></ul>`
      return show({ title: texts.confirmTitle, body })
    },
    'POST /confirm/options': async request => {
      const session = own(request)
      if (isAnswer(session)) return json({ error: 'signed-out' }, 401)
      const options = await parts.confirmations.options(session, request.query.get('id') ?? '')
      return options === undefined ? json({ error: 'gone' }, 410) : json(options)
    },
    'POST /confirm/answer': async request => {
      const session = own(request)
      if (isAnswer(session)) return json({ error: 'signed-out' }, 401)
      const nonce = request.query.get('id') ?? ''
      const pending = await parts.confirmations.find(session, nonce)
      const isConfirmed = await parts.confirmations.prove(session, nonce, request.json)
      return isConfirmed ? json({ location: pending?.backTo ?? parts.home }) : json({ error: 'refused' }, 401)
    },
  }
}

/** How the holder of a session proved it in a form, or undefined. */
async function proven(
  request: PageRequest,
  session: Session,
  parts: IdentityParts,
): Promise<readonly string[] | undefined> {
  const { accountId } = session
  if (await parts.authenticators.has(accountId)) {
    const code = request.form.get('code') ?? ''
    const isRight =
      (await parts.authenticators.verify(accountId, code)) ||
      (await parts.recoveryCodes.redeem(accountId, code))
    return isRight ? ['otp'] : undefined
  }
  const check = await parts.passwords.verify(
    request.form.get('password') ?? '',
    await parts.accounts.passwordHash(accountId),
  )
  return check.matches ? ['pwd'] : undefined
}
