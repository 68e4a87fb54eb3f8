import { type Address, parseAddress } from '../address/address.ts'
import type { CidrSet } from '../address/cidr.ts'
import { clientAddress, clientScheme } from '../address/client-address.ts'
import type { BodyPrefix, BodySource } from '../body/body-source.ts'
import type { BodyWatch } from '../body/body-watch.ts'
import { decompress } from '../body/decompress.ts'
import { ALLOW, type Decision, type Refusal, type RefusalContent } from '../decision/decision.ts'
import type { Mode } from '../decision/mode.ts'
import type { RefusalLanguage } from '../decision/refusal-language.ts'
import { assertSettableRequestHeader } from '../header/header-field.ts'
import { headerCount, headerValue, type RawHeaders } from '../header/request-headers.ts'
import { hostOfTarget, type KnownTarget, knownTarget } from '../route/known-target.ts'
import { headMethodOverrides, type MethodOverride } from '../route/method-override.ts'
import type { RequestPath } from '../route/request-path.ts'
import type { RouteMatch, RouteTable } from '../route/route-table.ts'
import { AnswerWatch } from './answer-watch.ts'
import type { GuardStopwatch } from './guard-stopwatch.ts'
import type { GuardTime } from './guard-time.ts'
import { ANONYMOUS, type Principal } from './principal.ts'
import type { RequestId } from './request-id.ts'

/** Bytes of a body without its codings. */
const MAX_DECODED = 4 * 1_048_576

/**
 * What a carrier (node, fetch, gateway, a log line in a replay) knows about a
 * request. Everything else is derived.
 */
export interface RequestSource {
  /** As sent. */
  readonly method: string
  /** Request target as sent: origin form, absolute form or `*`. */
  readonly target: string
  readonly headers: RawHeaders
  /** Address of the connection's other end; undefined when the carrier cannot know it. */
  readonly peer: string | undefined
  /** Port of this end of the connection, where the carrier knows it. */
  readonly localPort?: number | undefined
  /** Whether this connection is TLS. */
  readonly secure: boolean
  readonly httpVersion: string
  readonly body: BodySource | undefined
  /** The framework's own request, for the application's functions only; rules never touch it. */
  readonly native: unknown
  /**
   * Ends at once what goes on after the decision: an upgraded connection, an answer under way. Absent where
   * the carrier cannot.
   */
  cutOff?(): void
}

/** When an exchange is recorded: before it is handled, after it ended, or not at all. */
export type RecordTime = 'before' | 'after' | 'none'

/** What a guard keeps of an exchange from `decide` to `settle`. */
export interface Kept {
  /** The guard. */
  readonly owner: object
}

/**
 * How answers look that Postern makes itself. Asked only when one is made, so that
 * it costs other requests nothing.
 */
export interface AnswerStyle {
  /**
   * Further headers, name, value, ...: those that let a page of another origin read
   * the answer. Must not throw.
   */
  headers?(exchange: Exchange): readonly string[] | undefined
  /** The language of the default page; undefined for the one that the caller prefers. */
  readonly language?: RefusalLanguage | undefined
  /** The body of a refusal that brings none of its own; undefined for the default one. Must not throw. */
  content?(refusal: Refusal, exchange: Exchange): RefusalContent | undefined
}

/** What an engine gives to each of its exchanges. */
export interface ExchangeContext {
  readonly trustedProxies: CidrSet
  readonly routes: RouteTable
  readonly nextId: () => RequestId
  readonly style?: AnswerStyle
  /** Default: `enforce`. A route's own mode counts first. */
  readonly mode?: Mode
  /** How many bytes of a body guards may read ahead. */
  readonly bodyLimit: number
}

const PLAIN: AnswerStyle = {}
const INSPECTED = Symbol.for('nodejs.util.inspect.custom')
const UNKNOWN_PEER = '0.0.0.0' as Address

/**
 * One request and, later, its outcome. Fields are what arrived; getters derive on
 * first use and keep the result.
 * @example
 * ```ts
 * import type { Exchange } from 'postern'
 *
 * export const isExport = ({ method, path }: Exchange): boolean =>
 *   method === 'GET' && path.canonical.startsWith('/export')
 * ```
 */
export class Exchange {
  readonly source: RequestSource
  readonly method: string
  readonly headers: RawHeaders
  /** Epoch milliseconds of arrival. */
  readonly time: number

  /** Who acts; anonymous until `identify` or the application sets it with `setPrincipal`. */
  principal: Principal = ANONYMOUS
  /** The final decision, once it is made. */
  decision: Decision = ALLOW
  /** What the request is about, in the application's terms, once a guard has set it. Detectors see it. */
  resource: { readonly type: string; readonly id?: string } | undefined = undefined
  /** The first refusal a guard in observe mode would have made. */
  observed: Refusal | undefined = undefined
  /** When this exchange is recorded, once the engine has chosen. Kept by the engine. */
  recording: RecordTime | undefined = undefined
  /**
   * What one guard keeps until it settles: a field, because a `WeakMap` costs every exchange
   * more than most guards do. The first guard that needs the field owns it; others check
   * `owner` and keep their state elsewhere.
   */
  kept: Kept | undefined = undefined
  /** Set by `watchAnswer`: the carrier shows it every piece of the answer's body. */
  answerWatch: AnswerWatch | undefined = undefined
  /**
   * Whether inspection has read the whole request and found nothing in it that could act anywhere in the
   * application. Set by inspection; what compares calls of the application leaves such requests out.
   */
  isInert = false
  /** Whether the exchange has ended. Kept by the engine. */
  settled = false
  /** Times its guards. Set by an engine whose `timing` is `guards`. */
  stopwatch: GuardStopwatch | undefined = undefined
  /** How many guards, from the first, are owed a `settle`. Kept by the engine. */
  passed = 0

  readonly #context: ExchangeContext
  #id: RequestId | undefined = undefined
  #target: KnownTarget | undefined = undefined
  #peer: Address | undefined = undefined
  #client: Address | undefined = undefined
  #route: RouteMatch | undefined | null = null
  #overrides: readonly MethodOverride[] | undefined = undefined
  #replyHeaders: string[] | undefined = undefined
  #requestChanges: Map<string, string | undefined> | undefined = undefined
  #body: Promise<BodyPrefix> | undefined = undefined
  #decodedBody: Promise<BodyPrefix | undefined> | undefined = undefined
  #isBodyWatched = false

  static {
    Object.defineProperty(Exchange.prototype, INSPECTED, { value: Exchange.prototype.toJSON })
  }

  constructor(source: RequestSource, context: ExchangeContext, time: number) {
    this.source = source
    this.method = source.method
    this.headers = source.headers
    this.time = time
    this.#context = context
  }

  /** The guards asked so far, with their times; undefined where they are not timed. */
  get guardTimes(): readonly GuardTime[] | undefined {
    return this.stopwatch?.times
  }

  get id(): RequestId {
    this.#id ??= this.#context.nextId()
    return this.#id
  }

  /** What the target says by itself, for packages that keep something of a target that comes again. */
  get knownTarget(): KnownTarget {
    this.#target ??= knownTarget(this.source.target)
    return this.#target
  }

  /** Path and query, taken apart; an absolute-form target is cut down to its path. */
  get path(): RequestPath {
    return this.knownTarget.path
  }

  /**
   * Host and port as the client named them: the absolute target's if there is one
   * (RFC 9112 section 3.2.2), else `Host`.
   */
  get host(): string {
    return hostOfTarget(this.source.target) ?? this.header('host') ?? this.header(':authority') ?? ''
  }

  get scheme(): 'http' | 'https' {
    return clientScheme(this.source.secure, this.peer, this.headers, this.#context.trustedProxies)
  }

  /** Address of the connection's other end; `0.0.0.0` when the carrier cannot know it. */
  get peer(): Address {
    this.#peer ??=
      (this.source.peer === undefined ? undefined : parseAddress(this.source.peer)) ?? UNKNOWN_PEER
    return this.#peer
  }

  /** Whether the connection's other end is a trusted proxy. */
  get trustsPeer(): boolean {
    return this.#context.trustedProxies.has(this.peer)
  }

  /** Address of the client, behind trusted proxies. */
  get client(): Address {
    this.#client ??= clientAddress(this.peer, this.headers, this.#context.trustedProxies)
    return this.#client
  }

  /**
   * The matched route with its settings, or undefined. A request that asks for another
   * method falls under the routes of both.
   */
  get route(): RouteMatch | undefined {
    if (this.#route === null) {
      const { routes } = this.#context
      this.#route = routes.size === 0 ? undefined : this.#match(routes)
    }
    return this.#route
  }

  #match(routes: RouteTable): RouteMatch | undefined {
    const { canonical, raw } = this.path
    return routes.match(this.method, canonical, raw, this.methodOverrides[0]?.method)
  }

  /**
   * Where the request asks to be treated as one of another method: in its headers and query, and
   * in its form once that was read. The backend decides whether it obeys, so rules hold for the
   * method as sent and for the one asked for.
   */
  get methodOverrides(): readonly MethodOverride[] {
    this.#overrides ??= headMethodOverrides(this.method, this.headers, this.knownTarget)
    return this.#overrides
  }

  /** Adds what was found in the body. */
  addMethodOverrides(overrides: readonly MethodOverride[]): void {
    this.#overrides = [...this.methodOverrides, ...overrides]
    this.#route = null
  }

  /** How answers look that Postern makes itself. */
  get style(): AnswerStyle {
    return this.#context.style ?? PLAIN
  }

  /** Value of a request header, several joined. @param lowerName in lower case */
  header(lowerName: string): string | undefined {
    return headerValue(this.headers, lowerName)
  }

  /** How often a request header was sent. @param lowerName in lower case */
  headerCount(lowerName: string): number {
    return headerCount(this.headers, lowerName)
  }

  get hasBody(): boolean {
    return this.source.body !== undefined
  }

  /** The start of the body, up to the engine's `bodyLimit`; all callers share one read. */
  readBody(): Promise<BodyPrefix> {
    this.#body ??=
      this.source.body?.read(this.#context.bodyLimit) ??
      Promise.resolve({ bytes: new Uint8Array(0), complete: true })
    return this.#body
  }

  /**
   * As `readBody`, without its content codings (RFC 9110 section 8.4), as far as it goes: 4 MiB at most.
   * Undefined where nobody but the backend knows what it says: an unknown or broken coding, or more than
   * that.
   */
  readDecodedBody(): Promise<BodyPrefix | undefined> {
    const coding = this.header('content-encoding')
    if (coding === undefined || coding === 'identity') return this.readBody()
    this.#decodedBody ??= this.readBody().then(({ bytes, complete }) => {
      const decoded = decompress(bytes, coding, MAX_DECODED)
      return 'bytes' in decoded ? { bytes: decoded.bytes, complete } : undefined
    })
    return this.#decodedBody
  }

  /** Whether somebody read the start of the body ahead. */
  get isBodyRead(): boolean {
    return this.#body !== undefined
  }

  /** Whether refusals are enforced for this exchange: the route's mode, or the engine's. */
  get mode(): Mode {
    return this.route?.settings.mode ?? this.#context.mode ?? 'enforce'
  }

  /**
   * Shows a guard what follows the start of the body, as it goes on to the handler or backend; to be called
   * in `decide`, after `readBody`. A refusal becomes the decision of the exchange and ends it; in observe
   * mode it is noted, and the body goes on.
   * @param mode of the guard
   * @returns false where the carrier cannot show it, or shows it to another guard already; a promise while
   *   what has arrived already is looked at, for which the decision is to wait
   */
  watchBody(watch: BodyWatch, mode: Mode = 'enforce'): boolean | Promise<boolean> {
    const { body } = this.source
    if (body?.watch === undefined || this.#isBodyWatched) return false
    const judge = (refusal: Refusal | undefined): boolean => {
      if (refusal === undefined) return true
      if (mode === 'observe' || this.mode === 'observe') {
        this.observed ??= refusal
        return true
      }
      this.decision = refusal
      return false
    }
    this.#isBodyWatched = true
    const isWatched = body.watch(piece => {
      const answer = watch.take(piece)
      return answer instanceof Promise ? answer.then(judge) : judge(answer)
    })
    if (isWatched === false) this.#isBodyWatched = false
    return isWatched
  }

  /** Sets the principal. Guards asked after this, and the event, see it. */
  setPrincipal(principal: Principal): void {
    this.principal = principal
  }

  /**
   * Changes a header that the handler or backend will see; guards, detectors and the event keep seeing what
   * arrived. A carrier applies changes when it forwards an allowed exchange. Forward-auth sends them as
   * answer headers for the proxy to copy, empty for removed.
   * @param lowerName in lower case
   * @param value undefined removes the header
   * @throws TypeError for a name or value that cannot be sent, or a header that the carrier owns (`host`,
   *   `content-length`, `x-forwarded-for` and their like)
   */
  setRequestHeader(lowerName: string, value: string | undefined): void {
    assertSettableRequestHeader(lowerName, value ?? '')
    this.#requestChanges ??= new Map()
    this.#requestChanges.set(lowerName, value)
  }

  /** What `setRequestHeader` changed, by lower-case name; undefined when nothing was. For carriers. */
  get requestChanges(): ReadonlyMap<string, string | undefined> | undefined {
    return this.#requestChanges
  }

  /**
   * Asks the carrier to keep the start of the answer's body until the exchange settles; to be called in
   * `decide`. Carriers that never see the answer (forward-auth, Next's proxy) keep nothing.
   * @param limit bytes; of several guards' limits the first counts
   */
  watchAnswer(limit: number): AnswerWatch {
    this.answerWatch ??= new AnswerWatch(limit)
    return this.answerWatch
  }

  /** Adds a header to the answer, whether Postern, the handler or the backend sends it. */
  reply(name: string, value: string): void {
    this.#replyHeaders ??= []
    this.#replyHeaders.push(name, value)
  }

  /** Sets a header on the answer in place of the one that was replied under this name, if any. */
  setReply(name: string, value: string): void {
    const replies = this.#replyHeaders ?? []
    for (let i = 0; i + 1 < replies.length; i += 2) {
      if (replies[i] !== name) continue
      replies[i + 1] = value
      return
    }
    this.reply(name, value)
  }

  /** The first header replied under exactly this name. */
  replied(name: string): string | undefined {
    const replies = this.#replyHeaders ?? []
    for (let i = 0; i + 1 < replies.length; i += 2) if (replies[i] === name) return replies[i + 1]
    return undefined
  }

  /** What names the request; its headers and query may hold secrets. */
  toJSON(): Readonly<Record<string, unknown>> {
    const { id, method, principal, decision } = this
    return { id, method, path: this.path.canonical, principal, decision: decision.effect }
  }

  /** Headers that guards want on the answer: name, value, ...; undefined when there are none. */
  get replyHeaders(): readonly string[] | undefined {
    return this.#replyHeaders
  }
}
