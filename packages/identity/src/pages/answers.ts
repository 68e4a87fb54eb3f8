import type { IdentityParts } from '../parts/identity-parts.ts'
import type { SignInContext } from '../parts/sign-in.ts'
import type { Session } from '../session/session.ts'
import { isProvenWithin } from '../step-up/proven-within.ts'
import { safePath } from '../step-up/safe-path.ts'
import { type Html, html } from './html.ts'
import type { Page, PageAnswer, PageRequest } from './page-request.ts'

/** A page with status 200, or another. */
export function show(page: Page, status = 200, cookies: readonly string[] = []): PageAnswer {
  return { kind: 'page', status, page, cookies }
}

/** For a post that no page of this origin sent. */
export function formOld({ texts }: PageRequest): PageAnswer {
  return show({ title: texts.formOldTitle, body: html`<p>${texts.formOld}</p>` }, 403)
}

/** 303 to a path of this origin. */
export function go(location: string, cookies: readonly string[] = []): PageAnswer {
  return { kind: 'redirect', location, cookies }
}

/** A JSON answer of an endpoint for scripts. */
export function json(value: unknown, status = 200, cookies: readonly string[] = []): PageAnswer {
  return { kind: 'json', status, value, cookies }
}

/** The place to go back to that a request names, if it is one of this origin. */
export function backOf({ query, form }: PageRequest, parts: IdentityParts): string | undefined {
  const text = form.get('back') ?? query.get('back')
  return text === undefined || text === '' ? undefined : safePath(text, parts.origin)
}

/** `?back=...` for a link, or nothing. */
export function withBack(back: string | undefined): string {
  return back === undefined ? '' : `?back=${encodeURIComponent(back)}`
}

/** What every form carries. */
export function formFields(
  request: PageRequest,
  fields: Readonly<Record<string, string | undefined>> = {},
): Html {
  const named = Object.entries({ csrf: request.csrf, ...fields })
  return html`${named.map(([name, value]) =>
    value === undefined ? undefined : html`<input type="hidden" name="${name}" value="${value}">`,
  )}`
}

interface Button {
  /** Path that the form is posted to. */
  readonly action: string
  readonly label: string
  /** Hidden fields. */
  readonly fields?: Readonly<Record<string, string>>
  readonly look?: 'quiet' | 'danger'
}

/** A form of one button. */
export function button(request: PageRequest, { action, label, fields = {}, look = 'quiet' }: Button): Html {
  return html`<form method="post" action="${action}">${formFields(request, fields)}<button class="${look}">${label}</button></form>`
}

/** A message that is read out when the page opens. */
export function fault(text: string | undefined): Html | undefined {
  return text === undefined ? undefined : html`<p class="fault" role="alert">${text}</p>`
}

export function notice(text: string | undefined): Html | undefined {
  return text === undefined ? undefined : html`<p class="notice" role="status">${text}</p>`
}

export function contextOf(request: PageRequest): SignInContext {
  return {
    address: request.exchange.client,
    agent: request.exchange.header('user-agent') ?? '',
    previousToken: request.token,
  }
}

/** The session of a page that needs one, or where to go first. */
export function needsSession(request: PageRequest, parts: IdentityParts): Session | PageAnswer {
  if (request.session !== undefined) return request.session
  return go(`${parts.base}/sign-in${withBack(ownPath(request, parts))}`)
}

/**
 * The session of a page that changes something of the account's: its holder's, and not an impersonator's; or
 * where to go first, or why not.
 */
export function needsHolder(request: PageRequest, parts: IdentityParts): Session | PageAnswer {
  const session = needsSession(request, parts)
  if (isAnswer(session) || session.impersonator === undefined) return session
  return refuseImpersonator(request)
}

/** How old the last proof may be for what changes how an account is secured. */
const FRESH_MS = 600_000

/** Whether the holder of a session proved who they are within ten minutes. */
export function isFresh({ exchange }: PageRequest, { authenticatedAt }: Session): boolean {
  return isProvenWithin(FRESH_MS, authenticatedAt, exchange.time)
}

/** To where a fresh proof is asked for, and back to the page of this path. */
export function toStepUp({ exchange }: PageRequest, { base }: IdentityParts): PageAnswer {
  return go(`${base}/step-up${withBack(exchange.path.canonical)}`)
}

/**
 * The session of a page that changes how the account is secured: proven within ten minutes, by its holder and
 * not by an impersonator; or where to go first.
 */
export function needsFreshSession(request: PageRequest, parts: IdentityParts): Session | PageAnswer {
  const session = needsHolder(request, parts)
  if (isAnswer(session)) return session
  if (isFresh(request, session)) return session
  return go(`${parts.base}/step-up${withBack(ownPath(request, parts))}`)
}

/**
 * Whether the session of a request goes on. To be asked once something was made in it: whoever ended the
 * session meanwhile removed what there was, so what came after that is taken back.
 */
export async function isStillSignedIn(request: PageRequest, parts: IdentityParts): Promise<boolean> {
  const found = await parts.sessions.find(request.token, request.exchange.client)
  return found !== undefined && found.id === request.session?.id
}

/** The answer to an impersonator who tries to do what only the account's holder may. */
function refuseImpersonator({ texts }: PageRequest): PageAnswer {
  return show({ title: texts.refusedTitle, body: html`<p>${texts.notImpersonated}</p>` }, 403)
}

export function isAnswer(value: Session | PageAnswer): value is PageAnswer {
  return 'kind' in value
}

/** This page, or, when something was posted, the account's page: a post cannot be repeated by going there. */
function ownPath(request: PageRequest, parts: IdentityParts): string {
  if (request.exchange.method !== 'GET') return `${parts.base}/account`
  return safePath(request.exchange.source.target, parts.origin) ?? parts.home
}
