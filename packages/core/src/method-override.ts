import { queryValues } from './query-values.ts'
import type { RawHeaders } from './request-headers.ts'

/** Headers by which a request asks to be treated as one of another method. */
const HEADERS: ReadonlySet<string> = new Set(['x-http-method-override', 'x-method-override', 'x-http-method'])

/** The parameter of a query or form that asks the same. */
const PARAMETER = '_method'

/** The IANA registry of HTTP methods, and the words that debuggers, caches and proxies obey besides. */
const METHODS: ReadonlySet<string> = new Set(
  (
    'ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT CONNECT COPY DEBUG DELETE GET HEAD LABEL LINK LOCK MERGE MKACTIVITY MKCALENDAR ' +
    'MKCOL MKREDIRECTREF MKWORKSPACE MOVE OPTIONS ORDERPATCH PATCH POST PRI PROPFIND PROPPATCH PURGE PUT QUERY REBIND REPORT ' +
    'SEARCH TRACE TRACK UNBIND UNCHECKOUT UNLINK UNLOCK UPDATE UPDATEREDIRECTREF VERSION-CONTROL'
  ).split(' '),
)
const TOKEN = /^[A-Z][A-Z-]{0,31}$/

/** A wish to be treated as a request of another method. */
export interface MethodOverride {
  /** In capitals. */
  readonly method: string
  /** Where it stands: `header.x-http-method-override`, `query._method`, `body._method`. */
  readonly location: string
}

const NONE: readonly MethodOverride[] = Object.freeze([])

/**
 * The wishes in the head of a request, one for each place that names another method than its own. Frameworks differ in which they obey, so all count.
 * In a parameter only a registered method is a wish: the name may be a field of the application's own.
 */
export function headMethodOverrides(
  method: string,
  headers: RawHeaders,
  query: string,
): readonly MethodOverride[] {
  const fromHeaders = headerOverrides(method, headers)
  // A name may be spelt with escapes.
  const fromQuery = /_method|%/i.test(query) ? queryOverrides(method, query) : NONE
  if (fromQuery.length === 0) return fromHeaders
  return fromHeaders.length === 0 ? fromQuery : [...fromHeaders, ...fromQuery]
}

function headerOverrides(method: string, headers: RawHeaders): readonly MethodOverride[] {
  let wishes: MethodOverride[] | undefined
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as string
    if (name.length !== 22 && name.length !== 17 && name.length !== 13) continue
    const lower = name.toLowerCase()
    if (!HEADERS.has(lower)) continue
    for (const value of (headers[i + 1] as string).split(',', 8)) {
      const wished = value.trim().toUpperCase()
      if (wished === method || !TOKEN.test(wished)) continue
      wishes = [...(wishes ?? []), { method: wished, location: `header.${lower}` }]
    }
  }
  return wishes ?? NONE
}

/** Every pair is looked at, for frameworks differ in which of two they take. */
function queryOverrides(method: string, query: string): readonly MethodOverride[] {
  return query
    .split('&', 1_000)
    .map(pair => queryValues(pair).fields.get(PARAMETER))
    .flatMap(value => (value === undefined ? [] : (parameterOverride(value, method, 'query') ?? [])))
}

/** The wish that a parameter `_method` of this value is, if it is one. @param part `query` or `body` */
export function parameterOverride(
  value: string,
  method: string,
  part: 'query' | 'body',
): MethodOverride | undefined {
  const wished = value.trim().toUpperCase()
  return METHODS.has(wished) && wished !== method
    ? { method: wished, location: `${part}.${PARAMETER}` }
    : undefined
}
