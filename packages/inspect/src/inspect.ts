import { decompress, headerValue, isCoded, pairsIn, parseRequestPath } from '@postern/core'
import { visitForm } from './body/form.ts'
import { visitCodedParts } from './body/multipart.ts'
import { isFormType, isMultipartType, visitBody } from './body/visit-body.ts'
import { type Bounds, boundsFor, DEFAULT_BOUNDS } from './bounds/bounds.ts'
import type { StartUp } from './bounds/effort-meter.ts'
import { decodeUrl } from './canonicalise/url.ts'
import { isPathOpaque, isTargetClear } from './clearance/target-clearance.ts'
import { inspectHeaders } from './headers/inspect-headers.ts'
import { fixedSession, isLinkedFromElsewhere } from './headers/session-fixation.ts'
import { rememberCookies, sortedHeaders } from './headers/sorted-headers.ts'
import { Inspector } from './inspector/inspector.ts'
import type { OngoingInspection } from './inspector/ongoing-inspection.ts'
import { isDatabasePage } from './matches/database-page.ts'
import { RuleSet } from './matching/rule-set.ts'
import type { InspectedRequest } from './request/inspected-request.ts'
import { programArgument } from './request/program-argument.ts'
import type { Level } from './rule/family.ts'
import { CLEAN, type Inspection } from './rule/match.ts'
import { ownRules } from './rules/own-rules.ts'
import { shippedRequirements } from './rules/shipped-requirements.ts'
import type { ExceptionTest } from './settings/exception.ts'
import { couldAct } from './sinks/could-act.ts'
import type { ParameterTypes } from './value/parameter-types.ts'
import { at } from './value/value-visitor.ts'

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
export const ownRuleSet: RuleSet = new RuleSet(ownRules, shippedRequirements)

/** Families of the rules about declarations and elements of XML, which are read in its whole text. */
const DECLARED: readonly string[] = ['xxe', 'ssi', 'deserialisation']

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

/** A request that is clear: nothing need be looked at. */
const INERT: OngoingInspection = Object.freeze({
  advance: () => true,
  finish: () => CLEAN,
  mayAct: false,
  spent: 0,
})
/** The same of one that holds what could act in a statement or a command. */
const ACTING: OngoingInspection = Object.freeze({ ...INERT, mayAct: true })

/** How long the first part of an inspection may take, and by which clocks. */
export interface Slice {
  readonly milliseconds: number
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number
  /** Milliseconds of CPU that this thread has used, for `Bounds.cpu`. Default: that bound is not kept. */
  readonly cpu?: () => number
  readonly startUp?: StartUp
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
  const cleared = options.types === undefined ? clearedTarget(request, rules, options.ownCookies) : undefined
  const headers = sortedHeaders(request, rules, options.types)
  const mayAct = headers.mayAct || cleared === 'acting'
  if (cleared !== undefined && headers.suspicious.length === 0 && body === undefined)
    return mayAct ? ACTING : INERT
  const bounds = boundsFor(options.bounds ?? DEFAULT_BOUNDS, body)
  const inspector = new Inspector({
    rules,
    level: options.level ?? 1,
    bounds,
    except: options.except ?? [],
    types: options.types,
    ownPort: request.ownPort,
    method: request.method,
    cpu: slice?.cpu,
    startUp: slice?.startUp,
    route: once(
      () => options.route ?? `${request.method.slice(0, 16)} ${parseRequestPath(target).canonical}`,
    ),
    pageRoute: once(() => routeOfPage(headerValue(request.headers, 'referer') ?? '')),
    asksDatabase: () => isDatabasePage(target),
  })
  if (slice !== undefined) inspector.meter.slice(slice.milliseconds, slice.now)
  if (cleared === undefined) {
    inspectTarget(request, inspector, options.ownCookies)
    if (options.types === undefined) rememberTarget(request, rules, inspector)
  }
  if (mayAct) inspector.noteAction()
  inspectHeaders(headers.suspicious, inspector)
  rememberCookies(headers.suspicious, inspector, options.types)
  if (body !== undefined && body.length > 0) {
    inspectBody(body, request, inspector, bounds)
  }
  return inspector
}

/**
 * What a target that needs no look could do: one that a scan clears, now or when it came before, or that was
 * looked at before and in which no rule found anything.
 */
function clearedTarget(
  request: InspectedRequest,
  rules: RuleSet,
  ownCookies: ReadonlySet<string> | undefined,
): 'inert' | 'acting' | undefined {
  const { target, headers, known } = request
  if (known?.spotlessFor === rules) {
    if (isLinkedFromElsewhere(headers)) return undefined
    return known.mayAct ? 'acting' : 'inert'
  }
  if (known?.clearFor !== rules && !isTargetClear(target, rules)) return undefined
  if (known !== undefined && known.clearFor !== rules) {
    known.clearFor = rules
    known.mayAct = mayTargetAct(target)
  }
  if (mayHandSession(request, ownCookies)) return undefined
  return (known?.mayAct ?? mayTargetAct(target)) ? 'acting' : 'inert'
}

/** The same rules say the same of the same text; only who links to it is asked each time. */
function rememberTarget({ known, headers }: InspectedRequest, rules: RuleSet, inspector: Inspector): void {
  if (known === undefined || known.clearFor === rules || !inspector.isSpotless) return
  if (isLinkedFromElsewhere(headers)) return
  known.spotlessFor = rules
  known.mayAct = inspector.mayAct
}

/** Whether a target that is clear could act all the same: by what is syntax of paths to the rules. */
function mayTargetAct(target: string): boolean {
  if (target.includes('>')) return true
  const mark = target.indexOf('?')
  const end = mark < 0 ? target.length : mark
  return isBefore(target.indexOf('='), end) || isBefore(target.indexOf('&'), end)
}

function isBefore(index: number, end: number): boolean {
  return index >= 0 && index < end
}

/** The route of a page by its address: `GET /search/results.html`. */
function routeOfPage(address: string): string {
  return `GET ${parseRequestPath(address.replace(/^https?:\/\/[^/?#]{0,255}/i, '')).canonical}`
}

/** Asked for with every match, and made with the first. */
function once(make: () => string): () => string {
  let made: string | undefined
  return () => {
    made ??= make()
    return made
  }
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

/** Sinks compare a path segment by segment. */
function weighPath(path: string, inspector: Inspector): void {
  if (!couldAct(decodeUrl(path, false))) return
  for (const segment of path.split('/')) inspector.weighAction(decodeUrl(segment, false))
}

/** What stands before the path of a target in absolute form (RFC 9112 section 3.2.2). */
const ABSOLUTE = /^https?:\/\/[^/]{0,255}(?=\/)/i

function inspectTarget(
  request: InspectedRequest,
  inspector: Inspector,
  ownCookies: ReadonlySet<string> | undefined,
): void {
  const { target } = request
  const mark = target.indexOf('?')
  const path = mark < 0 ? target : target.slice(0, mark)
  const query = mark < 0 ? '' : target.slice(mark + 1)
  weighPath(path, inspector)
  if (!isPathOpaque(path, inspector.rules)) inspectPath(path, inspector)
  const behindHost = ABSOLUTE.exec(path)
  if (behindHost !== null) inspectPath(path.slice(behindHost[0].length), inspector)
  if (query === '') return
  inspector.visit(visitForm(query, 'query', 'query', inspector), 'query')
  const argument = programArgument(query)
  if (argument !== undefined) {
    inspector.add({
      rule: 'probe/program-argument',
      family: 'probe',
      location: `query.${argument.slice(0, 64)}`,
      score: 5,
      span: argument,
    })
  }
  // Only what another site links to can hand somebody a session.
  const session = fixedSession(query, request.headers, ownCookies)
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

function inspectBody(
  body: Uint8Array,
  { method, target, headers }: InspectedRequest,
  inspector: Inspector,
  bounds: Bounds,
): void {
  const encoding = headerValue(headers, 'content-encoding')
  let bytes = body
  const isEncoded = isCoded(encoding)
  if (encoding !== undefined && isEncoded) {
    const decompressed = decompress(body, encoding, bounds.expanded)
    if ('problem' in decompressed) {
      const rule = decompressed.problem === 'too-big' ? 'bounds/expanded' : 'bounds/content-encoding'
      inspector.tooBig(
        rule,
        'body',
        decompressed.problem === 'too-big' ? `more than ${bounds.expanded} bytes` : encoding.slice(0, 40),
      )
      inspectUndecoded(body, headerValue(headers, 'content-type') ?? '', inspector)
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
  if (isEncoded) inspectUndecoded(body, head.contentType, inspector)
}

/** Most backends do not undo codings, and find a form, or the parts of one, in whatever bytes they get. */
function inspectUndecoded(body: Uint8Array, contentType: string, inspector: Inspector): void {
  inspector.work(body.length >> 6)
  const isMultipart = isMultipartType(contentType)
  // Rack takes a multipart body whose boundary it cannot read for a form.
  if (isMultipart || isFormType(contentType))
    inspector.visit(visitForm(pairsIn(body), 'body', 'form', inspector), 'body')
  if (!isMultipart) return
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.length)
  inspector.visit(visitCodedParts(bytes, contentType, inspector), 'body')
}
