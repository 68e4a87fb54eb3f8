import { decompress, headerValue, parseAddress, parseRequestPath } from '@postern/core'
import { visitForm } from './body/form.ts'
import { finishSteps } from './body/steps.ts'
import { at, type ValueVisitor } from './body/value-visitor.ts'
import { visitBody } from './body/visit-body.ts'
import { type Bounds, DEFAULT_BOUNDS } from './bounds.ts'
import { type CleanValues, LONGEST_REMEMBERED } from './clean-values.ts'
import { Clearance } from './clearance.ts'
import type { ExceptionTest } from './exception.ts'
import type { Level } from './family.ts'
import { CHAR, scanFeatures, seen } from './features.ts'
import { isCookie, isFileName, isInternalHeader, isUnread, isUnremembered } from './header-names.ts'
import type { InspectedRequest } from './inspected-request.ts'
import { Inspector } from './inspector.ts'
import { CLEAN, type Inspection } from './match.ts'
import type { OngoingInspection } from './ongoing-inspection.ts'
import type { ParameterTypes } from './parameter-types.ts'
import type { Place } from './reading.ts'
import { RuleSet } from './rule-set.ts'
import { ownRules } from './rules/own-rules.ts'
import { fixedSession } from './session-fixation.ts'
import { isPathOpaque, isTargetClear } from './target-clearance.ts'
import { WORD } from './words.ts'

/** How a request is inspected. */
export interface InspectOptions {
  /** 1 to 4, default 1. */
  readonly level?: Level
  readonly bounds?: Bounds
  readonly except?: readonly ExceptionTest[]
  /** What is known about the parameters of the route. */
  readonly types?: ParameterTypes | undefined
  /** Default: the rules that ship with Postern. */
  readonly rules?: RuleSet
  /**
   * Names of cookies that the backend has set, in lower case: a session handed over under one of them is a
   * fixation.
   */
  readonly ownCookies?: ReadonlySet<string>
  /** For the text of exceptions; default the method and path of the request. */
  readonly route?: string
}

/** The rules that ship with Postern, compiled. */
export const ownRuleSet: RuleSet = new RuleSet(ownRules)

/** Families of the rules about declarations and elements of XML, which are read in its whole text. */
const DECLARED: readonly string[] = ['xxe', 'ssi', 'deserialisation']
const MAX_HEADER_NAME = 256
/** Characters from which on a header value that one scan clears is worth remembering. */
const LEAST_REMEMBERED = 24
/** Names of a query that are held against those of sessions. */
const MAX_NAMES = 100

const ENCODED = CHAR.percent | CHAR.backslash | CHAR.base64 | CHAR.wide | CHAR.control | CHAR.plus | CHAR.run
/** What a cookie header is made of: between clean values it says nothing. */
const COOKIE_SYNTAX = CHAR.semicolon | CHAR.equals | CHAR.space
/** A value that holds an equals sign of its own, as a setting smuggled into a cookie does. */
const NESTED_PAIR = /=[^;=]*=/

/**
 * Reads a request for attacks. Pure: the same request and options give the same answer (clean header values
 * are remembered, which only
 * makes it quicker). Never throws; bounded by `Bounds.effort`.
 *
 * @example
 * inspect({ method: 'GET', target: "/items?id=1'--", headers: [] }).matches[0]?.rule // 'sqli/comment'
 */
export function inspect(request: InspectedRequest, options: InspectOptions = {}): Inspection {
  return beginInspection(request, options).finish()
}

const NOTHING_LEFT: OngoingInspection = Object.freeze({
  advance: () => true,
  finish: () => CLEAN,
  spent: 0,
})

/** How long the first part of an inspection may take, and by which clocks. */
export interface Slice {
  readonly milliseconds: number
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number
  /** Milliseconds of CPU that this thread has used, for `Bounds.cpu`. Default: that bound is not kept. */
  readonly cpu?: () => number
}

/**
 * Begins an inspection: takes the request apart, clears what one scan clears, and looks at the rest for one
 * slice. Most requests are done then.
 * @param slice the first one; default: it ends when everything is done
 */
export function beginInspection(
  request: InspectedRequest,
  options: InspectOptions = {},
  slice?: Slice,
): OngoingInspection {
  const rules = options.rules ?? ownRuleSet
  const { target, body } = request
  const targetIsClear =
    options.types === undefined && isClear(request, rules) && !mayHandSession(request, options.ownCookies)
  const suspicious = suspiciousHeaders(request, rules, options.types)
  if (targetIsClear && suspicious === undefined && body === undefined) return NOTHING_LEFT
  const inspector = new Inspector({
    rules,
    level: options.level ?? 1,
    bounds: options.bounds ?? DEFAULT_BOUNDS,
    except: options.except ?? [],
    types: options.types,
    ownPort: request.ownPort,
    method: request.method,
    cpu: slice?.cpu,
    route: once(() => options.route ?? `${request.method.slice(0, 16)} ${safePath(target)}`),
  })
  if (slice !== undefined) inspector.meter.slice(slice.milliseconds, slice.now)
  if (!targetIsClear) inspectTarget(request, inspector, options.ownCookies)
  if (suspicious !== undefined) inspectHeaders(suspicious, inspector)
  if (body !== undefined && body.length > 0) {
    inspectBody(body, request, inspector, options.bounds ?? DEFAULT_BOUNDS)
  }
  return inspector
}

/** Whether one scan clears the target, now or when it came before. */
function isClear({ target, known }: InspectedRequest, rules: RuleSet): boolean {
  if (known === undefined) return isTargetClear(target, rules)
  if (known.clearFor === rules) return true
  const isFound = isTargetClear(target, rules)
  if (isFound) known.clearFor = rules
  return isFound
}

/** Asked for with every match, and made with the first. */
function once(make: () => string): () => string {
  let made: string | undefined
  return () => {
    made ??= make()
    return made
  }
}

function safePath(target: string): string {
  return parseRequestPath(target)
    .canonical.replace(/[^\w./:~-]/g, '')
    .slice(0, 120)
}

/** Whether another site's link could hand over a session under a name that only this backend uses. */
function mayHandSession(
  { target, headers }: InspectedRequest,
  ownCookies: ReadonlySet<string> | undefined,
): boolean {
  if (ownCookies === undefined || ownCookies.size === 0 || !target.includes('?')) return false
  return headerValue(headers, 'referer') !== undefined
}

function inspectPath(path: string, inspector: Inspector): void {
  const locator = at('path')
  inspector.value(path, 'path', locator)
  // Rules about how a value starts look behind the slash, and at the last segment alone.
  if (path.length > 1) inspector.value(path.slice(1), 'path', locator)
  const last = path.lastIndexOf('/')
  if (last > 0 && last < path.length - 1) inspector.value(path.slice(last + 1), 'path', locator)
}

function inspectTarget(
  request: InspectedRequest,
  inspector: Inspector,
  ownCookies: ReadonlySet<string> | undefined,
): void {
  const { target } = request
  const mark = target.indexOf('?')
  const path = mark < 0 ? target : target.slice(0, mark)
  const query = mark < 0 ? '' : target.slice(mark + 1)
  if (!isPathOpaque(path, inspector.rules)) inspectPath(path, inspector)
  if (query === '') return
  // Only what another site links to can hand somebody a session.
  if (headerValue(request.headers, 'referer') === undefined) {
    inspector.visit(visitForm(query, 'query', 'query', inspector), 'query')
    return
  }
  const names = new NameCollector()
  finishSteps(visitForm(query, 'query', 'query', names))
  inspector.visit(visitForm(query, 'query', 'query', inspector), 'query')
  const session = fixedSession(names.names, request.headers, ownCookies)
  if (session !== undefined) {
    inspector.add({
      rule: 'session/fixation',
      family: 'session',
      location: `query.${session}`,
      score: 5,
      span: session,
    })
  }
}

/** Collects the names of a query, as far as a form has them. */
class NameCollector implements ValueVisitor {
  readonly isPaused = false
  readonly names: string[] = []

  value(text: string, place: Place): boolean {
    if (place === 'name') this.names.push(text.toLowerCase())
    return this.names.length < MAX_NAMES
  }

  tooBig(): void {}

  work(): void {}
}

/**
 * Names and values of the headers that need a look; undefined when there are none. Values that were clean
 * before are cached as clean.
 */
function suspiciousHeaders(
  { headers }: InspectedRequest,
  rules: RuleSet,
  types: ParameterTypes | undefined,
): string[] | undefined {
  const clearance = Clearance.of(rules)
  const known = clearance.headers
  let found: string[] | undefined
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as string
    const value = headers[i + 1] as string
    if (value === '' || isUnread(name)) continue
    if (isInternalHeader(name)) {
      found ??= []
      found.push(name, value)
      continue
    }
    if (isCookie(name) && types === undefined) {
      if (clearance.hasClearCookies(value)) continue
    } else {
      if (known.has(name, value)) continue
      if (isHeaderClear(name, value, rules)) {
        // Scanning a short value takes less time than putting it away.
        if (value.length >= LEAST_REMEMBERED && !isUnremembered(name)) known.add(name, value)
        continue
      }
    }
    found ??= []
    found.push(name, value)
  }
  if (found !== undefined) rememberClean(found, rules, known)
  return found
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

/** Looks at suspicious headers that may be remembered, once; what turns out clean is taken off the list. */
function rememberClean(found: string[], rules: RuleSet, known: CleanValues): void {
  for (let i = found.length - 2; i >= 0; i -= 2) {
    const name = found[i] as string
    const value = found[i + 1] as string
    if (isUnremembered(name) || value.length > LONGEST_REMEMBERED) continue
    const inspector = new Inspector({
      rules,
      level: 4,
      bounds: DEFAULT_BOUNDS,
      except: [],
      types: undefined,
      ownPort: undefined,
      method: 'GET',
      cpu: undefined,
      route: () => '',
    })
    inspectHeader(name, value, inspector)
    if (inspector.finish() === CLEAN) {
      known.add(name, value)
      found.splice(i, 2)
    }
  }
}

function inspectHeaders(found: readonly string[], inspector: Inspector): void {
  for (let i = 0; i + 1 < found.length; i += 2)
    inspectHeader(found[i] as string, found[i + 1] as string, inspector)
}

function inspectHeader(sent: string, value: string, inspector: Inspector): void {
  const name = sent.toLowerCase()
  if (name.length > MAX_HEADER_NAME) {
    inspector.tooBig('bounds/header-name', `header.${name.slice(0, 32)}`, 'a header name this long')
    return
  }
  if (name === 'cookie') {
    inspectCookies(value, inspector)
    return
  }
  if (isFileName(name)) {
    inspector.value(value, 'file-name', at(`header.${name}`))
    return
  }
  if (isInternalHeader(name)) {
    inspector.add({
      rule: 'probe/internal-header',
      family: 'probe',
      location: `header.${name}`,
      score: 5,
      span: name,
    })
  }
  inspector.value(value, 'header', at(`header.${name}`))
  if (name === 'authorization') inspectUserName(value, inspector)
  if (name === 'referer') {
    const mark = value.indexOf('?')
    if (mark >= 0) {
      const query = value.slice(mark + 1)
      inspector.visit(visitForm(query, 'header.referer', 'header', inspector), 'header.referer')
    }
  }
}

/** The name in Basic credentials (RFC 7617). What stands behind it is a secret. */
function inspectUserName(value: string, inspector: Inspector): void {
  const coded = /^basic {1,4}([\w+/=-]{1,512})$/i.exec(value)?.[1]
  if (coded === undefined) return
  const name = Buffer.from(coded, 'base64').toString('utf8').split(':', 1)[0] ?? ''
  inspector.value(name, 'header', at('header.authorization'))
}

function inspectCookies(header: string, inspector: Inspector): void {
  for (const pair of header.split(';')) {
    const equals = pair.indexOf('=')
    const name = (equals < 0 ? pair : pair.slice(0, equals)).trim()
    if (!inspector.clears(name, 'name')) inspector.look(name, 'name', at(`cookie.${name.slice(0, 64)}#name`))
    if (equals < 0) continue
    const value = pair.slice(equals + 1).trim()
    if (!inspector.clears(value, 'cookie')) inspector.look(value, 'cookie', at(`cookie.${name.slice(0, 64)}`))
  }
}

function inspectBody(
  body: Uint8Array,
  { method, target, headers }: InspectedRequest,
  inspector: Inspector,
  bounds: Bounds,
): void {
  const encoding = headerValue(headers, 'content-encoding')
  let bytes = body
  if (encoding !== undefined && encoding !== 'identity') {
    const decompressed = decompress(body, encoding, bounds.expanded)
    if ('problem' in decompressed) {
      const rule = decompressed.problem === 'too-big' ? 'bounds/expanded' : 'bounds/content-encoding'
      inspector.tooBig(
        rule,
        'body',
        decompressed.problem === 'too-big' ? `more than ${bounds.expanded} bytes` : encoding.slice(0, 40),
      )
      return
    }
    bytes = decompressed.bytes
    inspector.work(bytes.length >> 3)
  }
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const mark = target.indexOf('?')
  const head = {
    method,
    path: mark < 0 ? target : target.slice(0, mark),
    contentType: headerValue(headers, 'content-type') ?? '',
  }
  const whole = (text: string): void => inspector.whole(text, 'body', DECLARED)
  inspector.visit(visitBody(view, head, bounds.depth, inspector, whole), 'body')
}
