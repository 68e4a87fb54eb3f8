import { type Exchange, queryValues } from '@postern/core'
import { equalText, type IdentitySecret } from '../database/identity-secret.ts'
import type { CookieJar } from '../session/cookies.ts'
import { SessionPrincipal } from '../session/session-principal.ts'
import type { Sessions } from '../session/sessions.ts'
import { parseLanguage, preferredLanguage, TEXTS } from './language/language.ts'
import type { PageRequest } from './page-request.ts'

/** Bytes of a body of ours. */
const MAX_BODY = 262_144

/** Reads what every page needs of a request. */
export async function readPageRequest(
  exchange: Exchange,
  parts: {
    readonly cookies: CookieJar
    readonly secret: IdentitySecret
    readonly sessions: Pick<Sessions, 'find'>
  },
): Promise<PageRequest> {
  const cookieHeader = exchange.header('cookie')
  const query = firstValues(exchange.path.query)
  const known = SessionPrincipal.sessionOf(exchange.principal)
  const language =
    parseLanguage(query.get('lang')) ??
    parseLanguage(parts.cookies.read(cookieHeader, 'language')) ??
    preferredLanguage(exchange.header('accept-language'))
  const type = exchange.header('content-type')?.split(';')[0]?.trim().toLowerCase()
  const isAwaited = exchange.method === 'POST' && exchange.hasBody
  const text = isAwaited ? await readText(exchange) : ''
  const token = known === undefined ? '' : (parts.cookies.read(cookieHeader, 'session') ?? '')
  // A body can be held back for as long as a request may take, and the session can end meanwhile.
  const session = known !== undefined && isAwaited ? await parts.sessions.find(token, exchange.client) : known
  const browser = parts.cookies.read(cookieHeader, 'browser') ?? ''
  return {
    exchange,
    query,
    form: type === 'application/x-www-form-urlencoded' ? firstValues(text) : new Map(),
    json: type === 'application/json' ? parseJson(text) : undefined,
    session,
    token: session === undefined ? '' : token,
    language,
    texts: TEXTS[language],
    csrf: browser === '' ? '' : csrfToken(parts.secret, browser),
  }
}

/** Pages of our own take the first of several values. */
function firstValues(text: string): ReadonlyMap<string, string> {
  return new Map([...queryValues(text).fields].map(([name, [first]]) => [name, first]))
}

/** The token in forms for one browser, which a cookie names. */
export function csrfToken(secret: IdentitySecret, browser: string): string {
  return secret.mac('csrf', browser)
}

/**
 * Whether a post comes from a page of this origin: by Fetch Metadata; where a browser does not send that, by
 * Origin; where it sends neither, by the token in the form.
 */
export function isOwnPost(request: PageRequest, origin: string): boolean {
  const site = request.exchange.header('sec-fetch-site')
  if (site !== undefined) return site === 'same-origin'
  const from = request.exchange.header('origin')
  if (from !== undefined) return from === origin
  return request.csrf !== '' && equalText(request.form.get('csrf') ?? '', request.csrf)
}

async function readText(exchange: Exchange): Promise<string> {
  const { bytes, complete } = await exchange.readBody()
  return complete && bytes.length <= MAX_BODY ? Buffer.from(bytes).toString('utf8') : ''
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
