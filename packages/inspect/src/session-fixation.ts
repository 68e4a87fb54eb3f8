import { headerValue, type RawHeaders } from '@postern/core'

/** Names under which frameworks carry a session. */
const SESSION_NAME =
  /^_?(?:jsession_?id|aspsessionid\w{0,12}|asp\.net_?session_?id|php_?sess(?:ion|_?id)?|cf(?:id|token|sid)|zend_?session_?id|(?:weblogic|site|web|user|app|rails|express|ci|laravel|django|flask|play|codeigniter)_?session(?:_?id)?|(?:connect|koa|express|rack|play)[.:_-]?(?:sid|sess|session)(?:\.sig)?|session[_.-]?(?:id|key|token)?|sess(?:ion)?[_-]?id|sid|meteor_login_token|wordpress_(?:logged_in|sec)?\w{0,16}|symfony|nette_?session|frontend_?session|magento\w{0,12}|auth_?session|next-auth\.\w{1,24})$/

/**
 * A session identifier in the query of a request that came from another site: someone hands a victim a session of their own. Returns the parameter's name, or undefined.
 * @param names names of the query's parameters, in lower case
 */
export function fixedSession(names: readonly string[], headers: RawHeaders): string | undefined {
  const referer = headerValue(headers, 'referer')
  if (referer === undefined) return undefined
  const origin = /^https?:\/\/([^/?#]{1,255})/i.exec(referer)?.[1]?.toLowerCase()
  if (origin === undefined) return undefined
  const host = headerValue(headers, 'host')?.toLowerCase() ?? ''
  if (withoutPort(origin) === withoutPort(host)) return undefined
  return names.find(candidate => SESSION_NAME.test(candidate))
}

function withoutPort(host: string): string {
  return host.replace(/:\d{1,5}$/, '')
}
