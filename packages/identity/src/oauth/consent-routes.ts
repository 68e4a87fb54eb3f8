import type { Interaction, InteractionResults, Provider } from 'oidc-provider'
import { go, isAnswer, isFresh, isStillSignedIn, needsSession, show, toStepUp } from '../pages/answers.ts'
import { html } from '../pages/html.ts'
import type { PageAnswer, PageRequest, Routes } from '../pages/page-request.ts'
import type { IdentityParts } from '../parts/identity-parts.ts'
import type { Session } from '../session/session.ts'
import { consentPage } from './consent-page.ts'
import { granted } from './granted.ts'
import type { MemoryServer } from './memory-server.ts'

/** Where somebody who is signed in allows a program to act for them, or does not. */
export function consentRoutes(parts: IdentityParts, provider: Provider, server: MemoryServer): Routes {
  /** Runs with the interaction that this browser is in. */
  const within = async (
    request: PageRequest,
    work: (
      interaction: Interaction,
      finish: (result: InteractionResults) => Promise<PageAnswer>,
    ) => Promise<PageAnswer>,
  ): Promise<PageAnswer> => {
    const finish = async (result: InteractionResults): Promise<PageAnswer> => {
      const returnTo = await inside(request, server, (req, res) =>
        provider.interactionResult(req, res, result),
      )
      return returnTo === undefined ? gone(request) : go(returnTo)
    }
    const details = await inside(request, server, (req, res) => provider.interactionDetails(req, res))
    if (
      details === undefined ||
      request.exchange.path.canonical !== `${parts.base}/oauth/consent/${details.uid}`
    )
      return gone(request)
    return work(details, finish)
  }

  return {
    'GET /oauth/consent/*': request =>
      within(request, async (interaction, finish) => {
        const session = needsSession(request, parts)
        if (isAnswer(session)) return session
        if (session.impersonator !== undefined) return finish({ error: 'access_denied' })
        if (interaction.prompt.name === 'login') {
          const login = loginOf(session, interaction)
          return login === 'too-old' ? toStepUp(request, parts) : finish(login)
        }
        // What is allowed outlives the session: who stole the session must not be able to allow it.
        if (!isFresh(request, session)) return toStepUp(request, parts)
        return show(await consentPage(request, parts, provider, interaction, session))
      }),
    'POST /oauth/consent/*': request =>
      within(request, async (interaction, finish) => {
        const session = needsSession(request, parts)
        if (isAnswer(session)) return session
        const isTheirs =
          interaction.prompt.name === 'consent' && interaction.session?.accountId === session.accountId
        if (!isTheirs || session.impersonator !== undefined || request.form.get('decision') !== 'allow')
          return finish({ error: 'access_denied', error_description: 'the person did not allow it' })
        if (!isFresh(request, session)) return toStepUp(request, parts)
        const grantId = await granted(provider, interaction, session)
        return finish(
          (await isStillSignedIn(request, parts)) ? { consent: { grantId } } : { error: 'access_denied' },
        )
      }),
  }
}

/**
 * What the server learns of who is signed in. A demand for a fresh sign-in is met by a proof that is younger
 * than the demand, one for a sign-in of the last hour (`max_age`) by a proof that is at most so much older.
 */
function loginOf(session: Session, interaction: Interaction): InteractionResults | 'too-old' {
  if (session.authenticatedAt < oldestProof(interaction)) return 'too-old'
  return {
    login: {
      accountId: session.accountId,
      amr: [...session.amr],
      ts: Math.floor(session.authenticatedAt / 1_000),
      remember: false,
    },
  }
}

/** How old the proof of a sign-in may be that an interaction asks for. Epoch milliseconds. */
function oldestProof({ iat, prompt, params }: Interaction): number {
  if (prompt.reasons.includes('login_prompt')) return iat * 1_000
  // The server asks for `max_age` also where it does not know yet when somebody proved themselves.
  const maxAge = Number(params['max_age'])
  return prompt.reasons.includes('max_age') ? (iat - (maxAge > 0 ? maxAge : 0)) * 1_000 : 0
}

/**
 * Calls the server's own functions with the request and answer that they want; undefined when they refuse.
 */
async function inside<T>(
  request: PageRequest,
  server: MemoryServer,
  use: (...parameters: Parameters<Parameters<MemoryServer['run']>[2]>) => Promise<T>,
): Promise<T | undefined> {
  let result: T | undefined
  await server.run(request, new Uint8Array(0), (req, res) => {
    use(req, res).then(
      value => {
        result = value
        res.end()
      },
      () => res.end(),
    )
  })
  return result
}

function gone({ texts }: PageRequest): PageAnswer {
  return show({ title: texts.linkDeadTitle, body: html`<p>${texts.linkDead}</p>` }, 410)
}
