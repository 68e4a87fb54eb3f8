import { parseAddress } from '@postern/core'
import { type Bounds, DEFAULT_BOUNDS } from '../bounds/bounds.ts'
import { LONGEST_REMEMBERED } from '../clearance/clean-values.ts'
import { Clearance } from '../clearance/clearance.ts'
import type { Harmless } from '../clearance/headers-in-place.ts'
import { Inspector } from '../inspector/inspector.ts'
import type { RuleSet } from '../matching/rule-set.ts'
import { isCookie, isFileName, isInternalHeader, isUnread, isUnremembered } from '../request/header-names.ts'
import type { InspectedRequest } from '../request/inspected-request.ts'
import { CLEAN } from '../rule/match.ts'
import { isInertHeader, isUngatedAction, UNGATED } from '../sinks/could-act.ts'
import { beginsLikeToken, isToken } from '../text/token-text.ts'
import { CHAR, scanFeatures, seen } from '../value/features.ts'
import type { ParameterTypes } from '../value/parameter-types.ts'
import { at } from '../value/value-visitor.ts'
import { WORD } from '../value/words.ts'
import { inspectHeader } from './inspect-headers.ts'

/** Characters from which on a header value that one scan clears is worth remembering. */
const LEAST_REMEMBERED = 24
const ENCODED = CHAR.percent | CHAR.backslash | CHAR.base64 | CHAR.wide | CHAR.control | CHAR.plus | CHAR.run
/** What a cookie header is made of: between clean values it says nothing. */
const COOKIE_SYNTAX = CHAR.semicolon | CHAR.equals | CHAR.space
/** A value that holds an equals sign of its own, as a setting smuggled into a cookie does. */
const NESTED_PAIR = /=[^;=]*=/

type HeaderKind = Harmless | 'suspicious'

/** Headers of a request, sorted by what one scan says of them. */
export interface SortedHeaders {
  /** Names and values of those that need a look. */
  readonly suspicious: readonly string[]
  /** Whether one of the others could act in a statement or a command. */
  readonly mayAct: boolean
}

/** Nearly all requests have such headers. */
const INERT_HEADERS: SortedHeaders = Object.freeze({ suspicious: [], mayAct: false })
const ACTING_HEADERS: SortedHeaders = Object.freeze({ suspicious: [], mayAct: true })

/** Sorts the headers of a request. Values that were clean before are cached as clean. */
export function sortedHeaders(
  { headers }: InspectedRequest,
  rules: RuleSet,
  types: ParameterTypes | undefined,
): SortedHeaders {
  const clearance = Clearance.of(rules)
  const { inPlace } = clearance
  let suspicious: string[] | undefined
  let mayAct = false
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as string
    const value = headers[i + 1] as string
    const kind = inPlace.of(i, name, value) ?? kindAt(i, name, value, clearance, types)
    if (kind === 'acting') mayAct = true
    else if (kind === 'suspicious') {
      suspicious ??= []
      suspicious.push(name, value)
    }
  }
  if (suspicious !== undefined) {
    rememberToken(suspicious, clearance, types)
    mayAct = rememberClean(suspicious, clearance) || mayAct
    if (suspicious.length > 0) return { suspicious, mayAct }
  }
  return mayAct ? ACTING_HEADERS : INERT_HEADERS
}

/** RFC 9110 section 7.2; what names of hosts are made of, and no more than one can have. */
const HOST = /^[\w.:[\]%~-]{1,261}$/

/** Fields that a proxy drops where this list names them, and that say who asks. */
const HOP = /(?:^|[\s,])(?:x-|authorization|cookie|forwarded|via\b)/i

/** RFC 9112 section 6.1: the names of codings, the last of which is `chunked`. */
const CODINGS =
  /^(?:(?:x-)?(?:gzip|deflate|compress|br|zstd|identity)[\t ]{0,8},[\t ]{0,8}){0,4}(?:chunked|identity|trailers)[\t ]{0,8}$/i

/** Suspicious is a header that is the host that is asked for, and no name of a host. */
function kindOfRoute(name: string, value: string, clearance: Clearance): HeaderKind {
  if (value === clearance.host) return 'inert'
  if (name.length === 17) return CODINGS.test(value) ? 'inert' : 'suspicious'
  if (name.length !== 4)
    return name.length === 10 && value.length > 10 && HOP.test(value) ? 'suspicious' : 'inert'
  if (!HOST.test(value) && /[\u0000-\u007f]{262}|[\u0000-\u002c/;-@\\^`{-}]/.test(value)) return 'suspicious'
  clearance.host = value
  return 'inert'
}

/** The kind of a header that is not known at its place. */
function kindAt(
  index: number,
  name: string,
  value: string,
  clearance: Clearance,
  types: ParameterTypes | undefined,
): HeaderKind {
  if (value === '') return 'inert'
  const kind = isUnread(name)
    ? kindOfRoute(name, value, clearance)
    : kindOfHeader(name, value, clearance, types)
  if (kind !== 'suspicious' && !isCookie(name)) clearance.inPlace.note(index, name, value, kind, isPublic)
  return kind
}

function kindOfHeader(
  name: string,
  value: string,
  clearance: Clearance,
  types: ParameterTypes | undefined,
): HeaderKind {
  if (isInternalHeader(name)) return 'suspicious'
  if (isCookie(name) && types === undefined) {
    const cleared = clearance.clearedCookies(value)
    if (cleared === undefined) return 'suspicious'
    return isUngatedCookie(value) ? 'acting' : cleared
  }
  const token = beginsLikeToken(value) ? kindOfToken(name, value, clearance) : undefined
  if (token !== undefined) return token
  // Scanning a short value takes less time than putting it away.
  if (value.length < LEAST_REMEMBERED)
    return isHeaderClear(name, value, clearance.rules)
      ? kindOfScanned(name, value)
      : (kindOfRemembered(name, value, clearance) ?? 'suspicious')
  const known = kindOfRemembered(name, value, clearance)
  if (known !== undefined) return known
  if (!isHeaderClear(name, value, clearance.rules)) return 'suspicious'
  return isUnremembered(name) ? kindOfScanned(name, value) : remember(name, value, clearance)
}

function kindOfRemembered(
  name: string,
  value: string,
  { headers, actingHeaders }: Clearance,
): Harmless | undefined {
  if (headers.has(name, value)) return 'inert'
  return actingHeaders.has(name, value) ? 'acting' : undefined
}

/** What a value could do that was scanned last, and is clear. */
function kindOfScanned(name: string, value: string): Harmless {
  return (seen.chars & UNGATED) === 0 || isInertHeader(name, value) ? 'inert' : 'acting'
}

/** Whether a header is none of those that must not be kept as they are. */
function isPublic(name: string, value: string): boolean {
  return !isUnremembered(name) && !beginsLikeToken(value)
}

/** What a token is made of acts nowhere, but a file can be called like one. */
function kindOfToken(name: string, value: string, { tokens }: Clearance): 'inert' | 'suspicious' | undefined {
  if (isFileName(name)) return undefined
  if (tokens.has(value)) return 'inert'
  return isToken(value) ? 'suspicious' : undefined
}

/** Longer tokens are looked at with each request, in slices. */
const LONGEST_TOKEN = 4_096
/** Such a token is looked at in one go, so that what costs more waits for the slices. */
const TOKEN_BOUNDS: Bounds = Object.freeze({ ...DEFAULT_BOUNDS, effort: 2_000_000 })

/** The first token in a header that is not known. */
function unknownToken(name: string, value: string, { tokens }: Clearance): string | undefined {
  if (isFileName(name)) return undefined
  const sent = isCookie(name) ? value.split(';').map(cookieValue) : [value]
  return sent.find(text => text.length <= LONGEST_TOKEN && isToken(text) && !tokens.has(text))
}

function cookieValue(cookie: string): string {
  return cookie.slice(cookie.indexOf('=') + 1).trim()
}

/** Looks at a token. @returns whether it is clean, and known as that from now on */
function teachToken(token: string, { rules, tokens }: Clearance): boolean {
  const inspector = strictInspector(rules, TOKEN_BOUNDS)
  inspector.value(token, 'header', at('header.authorization'))
  if (inspector.finish() !== CLEAN) return false
  tokens.add(token)
  return true
}

/** One whose verdict holds at every level. */
function strictInspector(rules: RuleSet, bounds = DEFAULT_BOUNDS): Inspector {
  return new Inspector({
    rules,
    level: 4,
    bounds,
    except: [],
    types: undefined,
    ownPort: undefined,
    method: 'GET',
    cpu: undefined,
    route: () => '',
  })
}

/** Whether cookies that are clear could act all the same, decoded or not. */
function isUngatedCookie(header: string): boolean {
  return isUngatedAction(header) || header.includes('%20-') || header.includes('%09-')
}

/** Remembers the cookies of headers that were just looked at, if no rule found anything in the request. */
export function rememberCookies(
  found: readonly string[],
  inspector: Inspector,
  types: ParameterTypes | undefined,
): void {
  if (found.length === 0 || types !== undefined || !inspector.isSpotless) return
  for (let i = 0; i + 1 < found.length; i += 2)
    if (isCookie(found[i] as string)) Clearance.of(inspector.rules).rememberCookies(found[i + 1] as string)
}

/** Remembers a clean value, by whether it could act. */
function remember(name: string, value: string, clearance: Clearance): 'inert' | 'acting' {
  const isInert = isInertHeader(name, value)
  const values = isInert ? clearance.headers : clearance.actingHeaders
  values.add(name, value)
  return isInert ? 'inert' : 'acting'
}

function isHeaderClear(name: string, value: string, rules: RuleSet): boolean {
  if (isFileName(name)) return false
  scanFeatures(value, 0, value.length)
  const { chars, words } = seen
  if ((chars & ENCODED) !== 0) return false
  if (words === WORD.host && rules.isClear(chars, 0) && isOtherAddress(value)) return true
  return rules.isClear(isCookie(name) && !NESTED_PAIR.test(value) ? chars & ~COOKIE_SYNTAX : chars, words)
}

/** First numbers of the addresses that rules look for: this machine, its network, metadata services. */
const TELLING_START = /^(?:0|100|127|169|192)\./

/**
 * Whether a value is one IPv4 address and none that a rule looks for. Proxies send the client's with every
 * request, one in twenty of them holds a number that opens rules (`10.1.127.9`), and a full look at each
 * of those took as long as all other looks together.
 */
export function isOtherAddress(value: string): boolean {
  return (
    value.length <= 15 && !TELLING_START.test(value) && value.includes('.') && parseAddress(value) === value
  )
}

/**
 * Looks at the first token that is not known; a header in which nothing else is suspicious is taken off the
 * list. One a request: a client has one new token at a time, and who sends more waits for the slices.
 */
function rememberToken(found: string[], clearance: Clearance, types: ParameterTypes | undefined): void {
  if (types !== undefined) return
  for (let i = 0; i + 1 < found.length; i += 2) {
    const name = found[i] as string
    const value = found[i + 1] as string
    const token = unknownToken(name, value, clearance)
    if (token === undefined) continue
    if (teachToken(token, clearance) && (!isCookie(name) || clearance.clearedCookies(value) === 'inert'))
      found.splice(i, 2)
    return
  }
}

/**
 * Looks at suspicious headers that may be remembered, once; what turns out clean is taken off the list.
 * @returns whether any of those could act
 */
function rememberClean(found: string[], clearance: Clearance): boolean {
  let mayAct = false
  for (let i = found.length - 2; i >= 0; i -= 2) {
    const name = found[i] as string
    const value = found[i + 1] as string
    if (isUnremembered(name) || value.length > LONGEST_REMEMBERED) continue
    const inspector = strictInspector(clearance.rules)
    inspectHeader(name, value, inspector)
    if (inspector.finish() === CLEAN) {
      if (remember(name, value, clearance) === 'acting') mayAct = true
      found.splice(i, 2)
    }
  }
  return mayAct
}
