import type { RawHeaders } from '../header/request-headers.ts'
import { fieldNames } from './field-names.ts'
import type { KnownTarget } from './known-target.ts'

/** Headers by which a request asks to be treated as one of another method. */
const HEADERS: ReadonlySet<string> = new Set(['x-http-method-override', 'x-method-override', 'x-http-method'])

/** The parameter of a query or form that asks the same: of most frameworks, of Slim, of ASP.NET MVC. */
const PARAMETER = /^(?:_method|x[_-]http[_-]method[_-]override)$/i

/** Asked of every name first: one may be spelled with escapes. */
const MAY_BE_PARAMETER = /method|[%\\]/i

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
 * The wishes in the head of a request, one for each place that names another method than its own.
 * Frameworks differ in which they obey, so all count. In a parameter only a registered method is a wish:
 * the name may be a field of the application's own.
 */
export function headMethodOverrides(
  method: string,
  headers: RawHeaders,
  { mayNameMethod, path }: Pick<KnownTarget, 'mayNameMethod' | 'path'>,
): readonly MethodOverride[] {
  const fromHeaders = headerOverrides(method, headers)
  const fromQuery = mayNameMethod ? parameterOverrides(path.query, method, 'query') : NONE
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

/** Characters of a name that could be one of the parameters, escapes included. */
const LONGEST_NAME = 128
const AMPERSAND = 0x26
const SEMICOLON = 0x3b
const EQUALS = 0x3d

/**
 * The wishes in the pairs of a query or a form, in time linear in its length. Every pair is looked at, for
 * frameworks differ in which of two they take, and a semicolon separates some of them (Rack before 3).
 */
export function parameterOverrides(
  text: string,
  method: string,
  part: 'query' | 'body',
): readonly MethodOverride[] {
  const wishes: MethodOverride[] = []
  let start = 0
  let equals = -1
  for (let i = 0; i <= text.length && wishes.length < MAX_WISHES; i++) {
    const code = i === text.length ? AMPERSAND : text.charCodeAt(i)
    if (code === EQUALS && equals < 0) equals = i
    if (code !== AMPERSAND && code !== SEMICOLON) continue
    if (equals > start && equals - start <= LONGEST_NAME && i - equals <= LONGEST_NAME) {
      const name = unescaped(text.slice(start, equals))
      const wish = parameterOverride(name, unescaped(text.slice(equals + 1, i)), method, part)
      if (wish !== undefined) wishes.push(wish)
    }
    start = i + 1
    equals = -1
  }
  return wishes
}

/** Two that differ are refused, so more say nothing. */
const MAX_WISHES = 16

/** Bytes as they are: a name that is not UTF-8 is a name to some frameworks. */
function unescaped(text: string): string {
  return text
    .replaceAll('+', ' ')
    .replace(/%([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

/**
 * The wish that a parameter is, if it is one, under any name that frameworks read as its own; parts of
 * multipart forms may escape any character of a name.
 */
export function parameterOverride(
  name: string,
  value: string,
  method: string,
  part: 'query' | 'body',
): MethodOverride | undefined {
  if (name.length < 7) return undefined
  const read = readAsParameter(name)
  if (read === undefined) return undefined
  const wished = value.trim().toUpperCase()
  return METHODS.has(wished) && wished !== method
    ? { method: wished, location: `${part}.${read.toLowerCase()}` }
    : undefined
}

function readAsParameter(name: string): string | undefined {
  if (!MAY_BE_PARAMETER.test(name)) return undefined
  return fieldNames(name.replaceAll('\\', ''))
    .map(read => read.trim())
    .find(read => PARAMETER.test(read))
}
