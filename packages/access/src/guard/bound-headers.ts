import type { Exchange } from '@postern/core'

/** Headers of RFCs, WebDAV and common servers that say what a request does, to what, or on which terms. */
const NAMED: ReadonlySet<string> = new Set([
  ...['destination', 'overwrite', 'depth', 'if', 'lock-token', 'apply-to-redirect-ref', 'redirect-ref'],
  ...['position', 'ordering-type', 'label', 'if-match', 'if-unmodified-since', 'if-schedule-tag-match'],
  ...['range', 'content-range', 'x-update-range', 'content-disposition', 'content-location', 'slug', 'link'],
  ...['accept-profile', 'content-profile', 'prefer', 'soapaction', 'upload-metadata', 'hx-trigger'],
  // What follows is not a request any more: a tunnel, in which anything is asked for.
  ...['upgrade', 'sec-websocket-protocol'],
  ...['x-forwarded-host', 'x-forwarded-prefix', 'x-forwarded-server', 'x-host'],
])

/** Words in names of an application's own headers that say whose data is meant, what is done, or how much. */
const WORDS = new RegExp(
  `(?:^|-)(?:${[
    'tenant|tenancy|org|organi[sz]ation|account|acct|workspace|project|team|company|customer|shop|store|realm',
    'namespace|database|db|schema|region|env|environment|user|impersonate|impersonation|sudo|as|behalf|acting|role',
    'scope|action|command|method|target|source|copy|move|rename|destination|path|url|uri|force|confirm|dry|preview',
    'simulate|cascade|recursive|purge|delete|all|limit|amount|quantity|bypass|mode|apply|filter|where',
    'owner|group|site|merchant|vendor|partner|branch|bucket|table|collection|resource|object|entity|record',
    'recipient|receiver|beneficiary|payee|to|price|total|currency|count|max|query|batch|version|revision|app-id|client-id',
  ].join('|')})(?:-|$)`,
)

/** What the act itself names, and what others than the usual spelling would name again. */
const NAMED_BY_ACT: ReadonlySet<string> = new Set(['content-type', 'content-encoding'])

/**
 * What browsers, proxies and tracing set for each try: it must not make another act of the same one. An
 * address is the client's own only where it is said to be; `X-Recipient-Address` says who receives.
 */
const INCIDENTAL =
  /^(?:sec|access-control|postern)-|(?:^|-)(?:user|source|host|env|environment|site|region|group)-(?:ip|address|port)$|(?:^|-)(?:agent|time|timestamp|signature|sha256)$|(?:attempt|retry)-count$|(?:request|operation|trace|span|correlation|session|transaction|message)-?id$/

/**
 * The headers of a request that a consent or a proof is bound to, by lower-case name; undefined when there
 * are none. Which ones say what is done only the backend knows: these are the usual ones, and all whose names
 * hold a word like `tenant` or `force`. What makes a session, and what differs between two tries, is none of
 * them.
 */
export function boundHeaders(exchange: Exchange): Readonly<Record<string, string>> | undefined {
  const { headers } = exchange
  const bound: Record<string, string> = {}
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase()
    if (isBound(name)) bound[name] = exchange.header(name) ?? ''
  }
  // A cache asks with a tag of its own; with this one, only what is not there yet is written.
  const unless = exchange.header('if-none-match')
  if (unless?.includes('*') === true) bound['if-none-match'] = unless
  // Of this one only the host: whom a request was forwarded for differs between two tries.
  const hosts = exchange.header('forwarded')?.match(/host=(?:"[^"]*"|[^;,\s]*)/gi)
  if (hosts != null) bound['forwarded'] = hosts.join(', ')
  return Object.keys(bound).length === 0 ? undefined : bound
}

/** Gateway interfaces (CGI, WSGI, Rack) read an underscore as a hyphen. */
function isBound(lowerName: string): boolean {
  const name = lowerName.replaceAll('_', '-')
  if (name !== lowerName && NAMED_BY_ACT.has(name)) return true
  return NAMED.has(name) || (WORDS.test(name) && !INCIDENTAL.test(name))
}
