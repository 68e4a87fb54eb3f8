import type { Mode } from '../decision/mode.ts'
import { ConfigError } from '../error/errors.ts'
import { pageOfData } from './page-of-data.ts'

/**
 * Settings that packages attach to a route. Each package adds its own key by declaration merging:
 * `declare module '@postern/core' { interface RouteSettings { readonly throttle?: ... } }`.
 */
export interface RouteSettings {
  /** Overrides the engine's mode on this route. */
  readonly mode?: Mode
}

/** The patterns that match a request, as one: the name of the most specific, and all settings. */
export interface RouteMatch {
  /** The most specific pattern that matched, as written. A bounded label: safe for metrics. */
  readonly pattern: string
  /** Values of `:name` segments, decoded. */
  readonly params: Readonly<Record<string, string>>
  /** Settings of all matching patterns, general first, each key overridden by the more specific. */
  readonly settings: RouteSettings
}

export interface RouteTableOptions {
  /**
   * The settings without those that loosen protection. An exemption holds for the path exactly as its pattern
   * writes it; other spellings that a backend may treat as that path (`/health;x`, `/HEALTH`, `/h%65alth`)
   * get only the settings that restrict. Default: nothing loosens.
   */
  readonly withoutExemptions?: (settings: RouteSettings) => RouteSettings
}

interface Pattern {
  readonly text: string
  readonly method: string | undefined
  readonly segments: readonly string[]
  readonly settings: RouteSettings
  /** The settings for a path that was sent in another spelling. */
  readonly restrictions: RouteSettings
  readonly specificity: number
}

interface Node {
  readonly literals: Map<string, Node>
  param: Node | undefined
  readonly ends: Pattern[]
  readonly tails: Pattern[]
}

const METHOD = /^[A-Z]+(?:-[A-Z]+)*$/

/**
 * Patterns over method and path: `POST /login`, `/api/**`, `DELETE /api/orders/:id`, `/files/*`.
 * `*` and `:name` are one segment, `**` (only at the end) any number. Matching ignores letter
 * case and a format at the end (`/login.json`), so that a rule cannot be evaded on a backend that ignores
 * them too; the rules of a page hold for the data that it is rendered from. Compiled once, immutable; a match
 * is one walk over the segments.
 */
export class RouteTable {
  readonly #root: Node = newNode()
  readonly #merged = new Map<string, Merged>()
  readonly #size: number

  /** @throws ConfigError naming every pattern that cannot be read */
  constructor(routes: Readonly<Record<string, RouteSettings>> = {}, options: RouteTableOptions = {}) {
    const { withoutExemptions = settings => settings } = options
    const issues: { place: string; problem: string; hint: string }[] = []
    for (const [text, settings] of Object.entries(routes)) {
      const pattern = parsePattern(text, settings, withoutExemptions)
      if (typeof pattern === 'string') {
        issues.push({
          place: `routes["${text}"]`,
          problem: pattern,
          hint: 'e.g. "POST /login", "/api/**", "/orders/:id"',
        })
      } else this.#insert(pattern)
    }
    if (issues.length > 0) throw new ConfigError(issues)
    this.#size = Object.keys(routes).length
  }

  get size(): number {
    return this.#size
  }

  /**
   * The patterns that match a path.
   * @param path canonical
   * @param raw as it was sent, which decides about exemptions. Default: like the canonical path
   * @param wished the method that the request asks to be treated as, if any: what restricts either holds, an
   *   exemption only where it holds for both
   */
  match(method: string, path: string, raw: string = path, wished?: string): RouteMatch | undefined {
    if (this.#size === 0) return undefined
    const segments = segmentsOf(path)
    // Nearly every path was sent as it is read.
    const sent = raw === path ? segments : segmentsOf(raw)
    const found: Pattern[] = []
    collect(this.#root, segments, 0, method, found)
    const page = pageOfData(path)
    if (wished !== undefined || page !== undefined)
      return this.#matchAll(found, { segments, page: segmentsOf(page ?? path) }, sent, [
        method,
        wished ?? method,
      ])
    if (found.length === 0) return undefined
    const { pattern, settings } = this.#merge(found, sent)
    return { pattern: pattern.text, params: readParams(pattern, segments), settings }
  }

  /** Rare enough to be put together each time. */
  #matchAll(
    asSent: readonly Pattern[],
    { segments, page }: { readonly segments: readonly string[]; readonly page: readonly string[] },
    sent: readonly string[],
    methods: readonly string[],
  ): RouteMatch | undefined {
    const asWished: Pattern[] = []
    collect(this.#root, segments, 0, methods.at(-1) ?? '', asWished)
    const ofPage: Pattern[] = []
    for (const method of methods) collect(this.#root, page, 0, method, ofPage)
    const all = [...new Set([...asSent, ...asWished, ...ofPage])].sort(
      (a, b) => a.specificity - b.specificity,
    )
    const pattern = all.at(-1)
    if (pattern === undefined) return undefined
    const settings = all.map(each =>
      asSent.includes(each) && asWished.includes(each) && isExact(each, sent)
        ? each.settings
        : each.restrictions,
    )
    const isOfPage = !asSent.includes(pattern) && !asWished.includes(pattern)
    return {
      pattern: pattern.text,
      params: readParams(pattern, isOfPage ? page : segments),
      settings: Object.freeze(Object.assign({}, ...settings) as RouteSettings),
    }
  }

  #insert(pattern: Pattern): void {
    let node = this.#root
    for (const segment of pattern.segments) {
      if (segment === '**') {
        node.tails.push(pattern)
        return
      }
      if (segment === '*' || segment.startsWith(':')) {
        node.param ??= newNode()
        node = node.param
      } else {
        const key = segment.toLowerCase()
        const next = node.literals.get(key) ?? newNode()
        node.literals.set(key, next)
        node = next
      }
    }
    node.ends.push(pattern)
  }

  /** The number of distinct match sets is bounded by the patterns, so this cache is too. */
  #merge(found: Pattern[], sent: readonly string[]): Merged {
    const key = found.map(pattern => (isExact(pattern, sent) ? pattern.text : `~${pattern.text}`)).join('\n')
    let merged = this.#merged.get(key)
    if (merged === undefined) {
      found.sort((a, b) => a.specificity - b.specificity)
      const settings = found.map(pattern =>
        isExact(pattern, sent) ? pattern.settings : pattern.restrictions,
      )
      merged = {
        pattern: found.at(-1) as Pattern,
        settings: Object.freeze(Object.assign({}, ...settings) as RouteSettings),
      }
      this.#merged.set(key, merged)
    }
    return merged
  }
}

interface Merged {
  readonly pattern: Pattern
  readonly settings: RouteSettings
}

function segmentsOf(path: string): readonly string[] {
  return path === '/' ? [] : path.slice(1).split('/')
}

/**
 * Whether a path was sent as the pattern writes it: its literal segments to the letter, and as many segments.
 * @param sent segments of the path as sent
 */
function isExact({ segments }: Pattern, sent: readonly string[]): boolean {
  const hasTail = segments.at(-1) === '**'
  const length = hasTail ? segments.length - 1 : segments.length
  if (!hasTail && sent.length !== length) return false
  for (let i = 0; i < length; i++) {
    const segment = segments[i] as string
    if (segment !== '*' && !segment.startsWith(':') && segment !== sent[i] && spelt(segment) !== sent[i])
      return false
  }
  return true
}

/**
 * A segment as browsers write it on the wire: what is not ASCII in UTF-8 with escapes
 * (WHATWG URL, path percent-encode set).
 */
function spelt(segment: string): string {
  return segment.isWellFormed() ? encodeURI(segment) : segment
}

function newNode(): Node {
  return { literals: new Map(), param: undefined, ends: [], tails: [] }
}

function parsePattern(
  text: string,
  settings: RouteSettings,
  withoutExemptions: (settings: RouteSettings) => RouteSettings,
): Pattern | string {
  const space = text.indexOf(' ')
  const method = space < 0 ? undefined : text.slice(0, space)
  const path = space < 0 ? text : text.slice(space + 1)
  if (method !== undefined && !METHOD.test(method)) return `"${method}" is not a method in capitals`
  if (!path.startsWith('/')) return 'the path must start with "/"'
  if (/[?#\s]/.test(path)) return 'a pattern has no query, fragment or space'
  const segments = path.replace(/\/$/, '').split('/').slice(1)
  const problem = segmentsProblem(segments)
  if (problem !== undefined) return problem
  return {
    text,
    method,
    segments,
    settings,
    restrictions: withoutExemptions(settings),
    specificity: specificity(segments, method),
  }
}

/** What is wrong with the segments of a pattern; undefined when nothing is. */
function segmentsProblem(segments: readonly string[]): string | undefined {
  const names = new Set<string>()
  for (const [index, segment] of segments.entries()) {
    if (segment === '') return 'empty segment'
    if (segment === '**' && index < segments.length - 1) return '"**" may only stand at the end'
    if (segment.includes('*') && segment !== '*' && segment !== '**')
      return `"${segment}": "*" must be a whole segment`
    if (!segment.startsWith(':')) continue
    if (!/^:[A-Za-z_]\w*$/.test(segment)) return `"${segment}" is not a parameter name`
    if (names.has(segment)) return `"${segment}" is used twice`
    names.add(segment)
  }
  return undefined
}

/**
 * Literal segments before parameters before an exact end before `**`, longer before
 * shorter, a method before none.
 */
function specificity(segments: readonly string[], method: string | undefined): number {
  let score = segments.at(-1) === '**' ? 0 : 50
  for (const segment of segments) {
    if (segment === '**') score += 1
    else if (segment === '*' || segment.startsWith(':')) score += 100
    else score += 10_000
  }
  return score * 2 + (method === undefined ? 0 : 1)
}

function collect(
  node: Node,
  segments: readonly string[],
  at: number,
  method: string,
  found: Pattern[],
): void {
  addMatching(node.tails, method, found)
  if (at === segments.length) {
    addMatching(node.ends, method, found)
    return
  }
  if (node.literals.size > 0) {
    const segment = (segments[at] as string).toLowerCase()
    if (at === segments.length - 1) {
      const whole = node.literals.get(withoutFormat(segment, method))
      if (whole !== undefined) collect(whole, segments, at + 1, method, found)
    }
    const literal = node.literals.get(segment)
    if (literal !== undefined) collect(literal, segments, at + 1, method, found)
  }
  if (node.param !== undefined) collect(node.param, segments, at + 1, method, found)
}

/** What a page loads from files, and no handler renders. */
const STATIC =
  /\.(?:m?js|css|map|png|jpe?g|gif|svg|ico|webp|avif|woff2?|ttf|otf|txt|webmanifest|mp[34]|webm|wasm)$/

/**
 * The last segment of a path without the format behind its dot, or an empty text where it has none. Rails,
 * Grails and Django REST framework take `/login.json` for `/login`, whatever the format is. Files that a page
 * loads are theirs alone: nothing but reading finds them, and `/admin.css` may be for those who sign in.
 */
function withoutFormat(segment: string, method: string): string {
  const dot = segment.lastIndexOf('.')
  if (dot <= 0) return ''
  return (method === 'GET' || method === 'HEAD') && STATIC.test(segment) ? '' : segment.slice(0, dot)
}

/** A HEAD request is answered by the GET handler, so it falls under the rules for GET. */
function addMatching(patterns: readonly Pattern[], method: string, found: Pattern[]): void {
  for (const pattern of patterns) {
    if (
      pattern.method === undefined ||
      pattern.method === method ||
      (method === 'HEAD' && pattern.method === 'GET')
    ) {
      found.push(pattern)
    }
  }
}

const NO_PARAMS: Readonly<Record<string, string>> = Object.freeze({})

function readParams(pattern: Pattern, segments: readonly string[]): Readonly<Record<string, string>> {
  let params: Record<string, string> | undefined
  for (let i = 0; i < pattern.segments.length; i++) {
    const segment = pattern.segments[i] as string
    if (!segment.startsWith(':')) continue
    params ??= Object.create(null) as Record<string, string>
    params[segment.slice(1)] = segments[i] ?? ''
  }
  return params ?? NO_PARAMS
}
