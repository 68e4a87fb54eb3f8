import { headerValue, type RawHeaders } from '@postern/core'

/**
 * Names that one framework fixes and nothing else uses. `sid` or `session_id` say nothing: payment pages,
 * chat servers and logout links send them too.
 */
const FRAMEWORK_SESSION =
  /^_?(?:jsession_?id|aspsessionid\w{0,12}|asp\.net_?session_?id|php_?sess(?:ion|_?id)|cf(?:id|token|sid)|zend_?session_?id|(?:weblogic|laravel|rails|codeigniter|ci|play)_?session(?:_?id)?|connect\.sid|koa[.:](?:sess|sid)|rack\.session|_session_id|meteor_login_token|jserv_?session(?:_?id)?|jw_?session(?:_?id)?|(?:__(?:host|secure)-)?next-auth\.session-token)$/

/**
 * A session identifier in the query of a request that came from another site: someone hands a victim a
 * session of their own. Returns the parameter's name, or
 * undefined.
 * @param names names of the query's parameters, in lower case
 * @param ownCookies names of cookies that this backend has set, in lower case
 */
export function fixedSession(
  names: readonly string[],
  headers: RawHeaders,
  ownCookies: ReadonlySet<string> | undefined,
): string | undefined {
  if (!isLinkedFromElsewhere(headers)) return undefined
  return names.find(name => FRAMEWORK_SESSION.test(name) || ownCookies?.has(name) === true)
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
