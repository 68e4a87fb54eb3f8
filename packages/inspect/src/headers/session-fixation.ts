import { headerValue, type RawHeaders } from '@postern/core'
import { visitForm } from '../body/form.ts'
import type { Place } from '../value/reading.ts'
import { finishSteps } from '../value/steps.ts'
import type { ValueVisitor } from '../value/value-visitor.ts'

/**
 * Names that one framework fixes and nothing else uses. `sid` or `session_id` say nothing: payment pages,
 * chat servers and logout links send them too.
 */
const FRAMEWORK_SESSION =
  /^_?(?:jsession_?id|aspsessionid\w{0,12}|asp\.net_?session_?id|php_?sess(?:ion|_?id)|cf(?:id|token|sid)|zend_?session_?id|(?:weblogic|laravel|rails|codeigniter|ci|play)_?session(?:_?id)?|connect\.sid|koa[.:](?:sess|sid)|rack\.session|_session_id|meteor_login_token|jserv_?session(?:_?id)?|jw_?session(?:_?id)?|(?:__(?:host|secure)-)?next-auth\.session-token)$/

/**
 * A session identifier in the query of a request that came from another site: someone hands a victim a
 * session of their own. Returns the parameter's name in lower case, or undefined.
 * @param query of the target, without its question mark
 * @param ownCookies names of cookies that this backend has set, in lower case
 */
export function fixedSession(
  query: string,
  headers: RawHeaders,
  ownCookies: ReadonlySet<string> | undefined,
): string | undefined {
  if (!isLinkedFromElsewhere(headers)) return undefined
  const names = new SessionNames(ownCookies)
  finishSteps(visitForm(query, 'query', 'query', names))
  return names.found
}

/** Looks for the name of a session among those of a query, as far as a form has them: to the last one. */
class SessionNames implements ValueVisitor {
  readonly isPaused = false
  found: string | undefined
  readonly #own: ReadonlySet<string> | undefined

  constructor(own: ReadonlySet<string> | undefined) {
    this.#own = own
  }

  value(text: string, place: Place): boolean {
    if (place !== 'name') return true
    const name = text.toLowerCase()
    if (FRAMEWORK_SESSION.test(name) || this.#own?.has(name) === true) this.found = name
    return this.found === undefined
  }

  tooBig(): void {}

  work(): void {}
}

/** Whether another site linked to what is asked for. */
export function isLinkedFromElsewhere(headers: RawHeaders): boolean {
  const referer = headerValue(headers, 'referer')
  if (referer === undefined) return false
  const origin = /^https?:\/\/([^/?#]{1,255})/i.exec(referer)?.[1]?.toLowerCase()
  if (origin === undefined) return false
  const host = headerValue(headers, 'host')?.toLowerCase() ?? ''
  return withoutPort(origin) !== withoutPort(host)
}

/** Whether a cookie's name says that it carries a session. */
export function isSessionName(cookie: string): boolean {
  return /sess|sid|auth|login/i.test(cookie)
}

function withoutPort(host: string): string {
  return host.replace(/:\d{1,5}$/, '')
}
