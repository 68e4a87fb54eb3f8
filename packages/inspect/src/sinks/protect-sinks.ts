import { AsyncLocalStorage } from 'node:async_hooks'
import { promisify } from 'node:util'
import { CidrSet, PosternError } from '@postern/core'
import type { InspectedRequest } from '../request/inspected-request.ts'
import { escapesCommand } from './command-sink.ts'
import { KnownTexts } from './known-texts.ts'
import { escapesPath } from './path-sink.ts'
import { refusedCall } from './refused-call.ts'
import { type RequestValue, requestValues } from './request-values.ts'
import { boundIn, METHODS, POOL_METHODS, type SinkKind, STATEMENT_METHODS, textOf } from './sink-calls.ts'
import { escapesSql } from './sql-sink.ts'
import { reachesInside } from './url-sink.ts'

/** A value of the request acted inside a statement, a command, a path or a URL. */
export interface SinkHit {
  readonly kind: SinkKind
  /** Where in the request the value stood. */
  readonly location: string
  /** The method that was called: `query`, `exec`. */
  readonly method: string
}

/**
 * What a protected call fails with in place of running: thrown, passed to the callback, or the rejection of
 * its promise, as the call fails by itself. Carries no part of the statement.
 */
export class SinkRefused extends PosternError {
  readonly code = 'POSTERN_SINK_REFUSED'
  readonly hit: SinkHit

  constructor(hit: SinkHit) {
    super(`${hit.method}: ${hit.location} of the request acts inside the ${hit.kind}; pass it as a parameter`)
    this.hit = hit
  }
}

/** Objects whose methods are to be watched: prototypes or module objects. What is left out is not watched. */
export interface SinkTargets {
  /**
   * `pg.Client.prototype`, a `mysql2` connection prototype, and those of pools: `query`, `execute`.
   * `DatabaseSync.prototype` of
   * `node:sqlite`: `exec`, `prepare`.
   */
  readonly sql?: readonly object[]
  /**
   * `StatementSync.prototype` of `node:sqlite`: all that is passed to `run`, `get`, `all` is bound. Needed
   * only for `onBound`.
   */
  readonly statements?: readonly object[]
  /**
   * `pg.Pool.prototype`, a `mysql2` pool prototype. A pool that is used up calls back from within another
   * request; its callbacks are run within the one that asked.
   */
  readonly pools?: readonly object[]
  /** The default export of `node:child_process`: `exec`, `execSync`, and `spawn` with a shell. */
  readonly command?: readonly object[]
  /** The default exports of `node:fs` and `node:fs/promises`. */
  readonly path?: readonly object[]
  /** Objects with a `fetch`: `globalThis`. */
  readonly url?: readonly object[]
}

/** What happens at a hit: `refuse` throws `SinkRefused` in place of the call, `report` only reports it. */
export type SinkMode = 'refuse' | 'report'

/** What happens at each kind of call, who receives hits, and the networks that count as internal. */
export interface SinkOptions {
  /** For all kinds, or by kind. Default `refuse`. */
  readonly mode?: SinkMode | Readonly<Partial<Record<SinkKind, SinkMode>>>
  /** Receives every hit, and the request that `run` was called with. Must not throw. */
  readonly onHit?: (hit: SinkHit, request: InspectedRequest) => void
  /**
   * Receives a doubted value (see `run`) that was handed on as data: bound to a statement, or an argument of
   * a program that no shell reads. Must not throw.
   */
  readonly onBound?: (bound: SinkHit, request: InspectedRequest) => void
  /** Networks that count as inside for URLs. Default: loopback, private, link-local. */
  readonly inside?: readonly string[]
}

/** Sinks being watched. */
export interface ProtectedSinks {
  /**
   * Runs the handling of a request: what it calls is compared with the request's values, which are read
   * when the first sink is reached.
   * @param doubted where values stand of which `onBound` is to know
   */
  run<T>(request: InspectedRequest, work: () => T, doubted?: readonly string[]): T
  /** Watches more: a driver that was loaded since. */
  extend(targets: SinkTargets): void
  /** Puts the original methods back. */
  restore(): void
}

const INSIDE = [
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  '100.64.0.0/10',
  '0.0.0.0/8',
  '::1/128',
  'fc00::/7',
  'fe80::/10',
]

type Call = (...parameters: unknown[]) => unknown

/** The request that code works for. */
interface Current {
  readonly request: InspectedRequest
  readonly doubted: readonly string[]
  values?: readonly RequestValue[]
}

const NONE: readonly string[] = []

/**
 * Watches calls where injected text does its harm. A call that carries a value of the current request
 * verbatim, acting as more than data, is refused: near certain, whatever the text looked like on the way
 * in. Values the application changed before use (trimmed, decoded once more) are not recognised.
 *
 * @throws ConfigError when `inside` holds something that is not a network
 */
export function protectSinks(targets: SinkTargets, options: SinkOptions = {}): ProtectedSinks {
  const current = new AsyncLocalStorage<Current>()
  const { mode = 'refuse' } = options
  const known = new KnownTexts()
  const inside = CidrSet.parse([...(options.inside ?? INSIDE)], 'sinks.inside')
  const undo: (() => void)[] = []

  function acts(kind: SinkKind, text: string, value: string): boolean {
    switch (kind) {
      case 'sql':
        return escapesSql(text, value)
      case 'command':
        return escapesCommand(text, value)
      case 'path':
        return escapesPath(text, value)
      default:
        return reachesInside(text, value, inside)
    }
  }

  /** @returns the refusal, where a call must not run */
  function check(kind: SinkKind, method: string, parameters: readonly unknown[]): SinkRefused | undefined {
    const store = current.getStore()
    if (store === undefined) return undefined
    const text = textOf(kind, method, parameters)
    if (text !== undefined && mayAct(kind, text) && !known.has(kind, text)) {
      const location = actingValue(store, kind, method, parameters, text)
      if (location !== undefined) return refusalOf({ kind, location, method }, store.request)
      known.add(kind, text)
    }
    if (store.doubted.length > 0) noteBound(store, kind, method, parameters)
    return undefined
  }

  /** Where the value of the request stands that acts in a text; undefined when none does. */
  function actingValue(
    store: Current,
    kind: SinkKind,
    method: string,
    parameters: readonly unknown[],
    text: string,
  ): string | undefined {
    store.values ??= requestValues(store.request)
    for (const value of store.values)
      if (acts(kind, text, value.text) && !isChance(kind, method, parameters, value.text))
        return value.location
    return undefined
  }

  function refusalOf(hit: SinkHit, request: Current['request']): SinkRefused | undefined {
    options.onHit?.(hit, request)
    const modeOfKind = typeof mode === 'string' ? mode : (mode[hit.kind] ?? 'refuse')
    return modeOfKind === 'refuse' ? new SinkRefused(hit) : undefined
  }

  function noteBound(store: Current, kind: SinkKind, method: string, parameters: readonly unknown[]): void {
    const bound = boundIn(kind, method, parameters)
    if (bound.length === 0) return
    store.values ??= requestValues(store.request)
    for (const { location, text } of store.values) {
      if (store.doubted.includes(location) && bound.some(value => holds(value, text)))
        options.onBound?.({ kind, location, method }, store.request)
    }
  }

  const handled = new WeakMap<object, Set<string>>()

  /** Watches methods that this one does not watch yet, beside whoever else does. */
  function watch(
    objects: readonly object[] | undefined,
    methods: readonly string[],
    make: (method: string, original: Call, watchers: ReadonlySet<Watcher>) => Call,
    watcherOf: (method: string) => Watcher,
  ): void {
    for (const object of objects ?? []) {
      for (const method of methods) {
        const owner = ownerOf(object, method)
        if (owner === undefined || handled.get(owner)?.has(method) === true) continue
        const slot = slotAt(owner, method, make)
        if (slot === undefined) continue
        handled.set(owner, (handled.get(owner) ?? new Set()).add(method))
        const watcher = watcherOf(method)
        slot.watchers.add(watcher)
        undo.push(() => leave(owner, method, slot, watcher))
      }
    }
  }

  function extend(more: SinkTargets): void {
    for (const kind of ['sql', 'command', 'path', 'url'] as const)
      watch(
        more[kind],
        METHODS[kind],
        (method, original, watchers) => watched(kind, method, original, watchers),
        method => parameters => check(kind, method, parameters),
      )
    watch(
      more.statements,
      STATEMENT_METHODS,
      (method, original, watchers) => watched('sql', method, original, watchers),
      method => parameters => check('sql', method, parameters),
    )
    watch(
      more.pools,
      POOL_METHODS,
      (_method, original) => asking(original),
      () => () => undefined,
    )
  }

  extend(targets)
  return {
    run: (request, work, doubted = NONE) => current.run({ request, doubted }, work),
    extend,
    restore: () => {
      for (const put of undo.splice(0)) put()
    },
  }
}

/** Says whether a call must not run. */
type Watcher = (parameters: readonly unknown[]) => SinkRefused | undefined

/**
 * What stands in place of a method, for all that watch it: one function however many there are and in
 * whatever order they come and go, or each would wrap what the others left behind.
 */
interface Slot {
  readonly made: Call
  readonly original: Call
  readonly watchers: Set<Watcher>
}

const SLOTS = new WeakMap<object, Slot>()

function slotAt(
  owner: object,
  method: string,
  make: (method: string, original: Call, watchers: ReadonlySet<Watcher>) => Call,
): Slot | undefined {
  const present: unknown = Reflect.get(owner, method)
  if (typeof present !== 'function') return undefined
  const known = SLOTS.get(present)
  if (known !== undefined) return known
  const watchers = new Set<Watcher>()
  const original = present as Call
  const made = make(method, original, watchers)
  if (!Reflect.set(owner, method, made)) return undefined
  const slot = { made, original, watchers }
  SLOTS.set(made, slot)
  return slot
}

/** The last one puts the original back, unless somebody else has wrapped the method since. */
function leave(owner: object, method: string, slot: Slot, watcher: Watcher): void {
  slot.watchers.delete(watcher)
  if (slot.watchers.size === 0 && Reflect.get(owner, method) === slot.made)
    Reflect.set(owner, method, slot.original)
}

/** A function that asks its watchers, and is in all else like the one it stands for. */
function watched(
  kind: SinkKind,
  method: string,
  call: Call,
  watchers: ReadonlySet<Watcher>,
  returns: 'promise' | 'unknown' = kind === 'url' ? 'promise' : 'unknown',
): Call {
  const wrapped = function (this: unknown, ...parameters: unknown[]): unknown {
    for (const watcher of watchers) {
      const refused = watcher(parameters)
      if (refused !== undefined) return refusedCall(refused, this, method, parameters, returns)
    }
    return Reflect.apply(call, this, parameters)
  }
  const own = Object.getOwnPropertyDescriptors(call)
  // What `promisify(exec)` calls goes around `exec`; once it was called, that is its own promise, too.
  const promised: unknown = Reflect.get(call, promisify.custom)
  if (typeof promised === 'function')
    Reflect.set(own, promisify.custom, {
      ...Reflect.getOwnPropertyDescriptor(call, promisify.custom),
      value: promised === call ? wrapped : watched(kind, method, promised as Call, watchers, 'promise'),
    })
  return Object.defineProperties(wrapped, own)
}

/** A pool's method whose callback runs within the request that asked for the connection. */
function asking(call: Call): Call {
  const wrapped = function (this: unknown, ...parameters: unknown[]): unknown {
    const callback = parameters.at(-1)
    if (typeof callback === 'function')
      parameters[parameters.length - 1] = AsyncLocalStorage.bind(callback as Call)
    return Reflect.apply(call, this, parameters)
  }
  return Object.defineProperties(wrapped, Object.getOwnPropertyDescriptors(call))
}

/** The object on the chain of prototypes that has a method: classes that inherit it have the watched one. */
function ownerOf(object: object, method: string): object | undefined {
  let owner: object | null = object
  while (owner !== null && !Object.hasOwn(owner, method)) owner = Object.getPrototypeOf(owner)
  return owner ?? undefined
}

/** Whether anything in the text could be a hit, whatever the request holds: most paths have no step. */
function mayAct(kind: SinkKind, text: string): boolean {
  return kind !== 'path' || text.includes('..') || text.includes('\u0000')
}

/** Words of a statement, none of which makes a condition or another query. */
const PLAIN_WORDS = /^[a-z_ ]{1,40}$/i
const CONDITION = /\b(?:or|and|xor|union|select|like|having|case|exec|sleep)\b/i

/** Somebody who looks for "order by" does not act: the words are bound, and stand in the statement anyway. */
function isChance(kind: SinkKind, method: string, parameters: readonly unknown[], value: string): boolean {
  if (kind !== 'sql' || !PLAIN_WORDS.test(value) || CONDITION.test(value)) return false
  return boundIn(kind, method, parameters).some(bound => bound.includes(value))
}

/** Whether a bound value is, or holds, a value of the request; perhaps in JSON. */
function holds(bound: string, value: string): boolean {
  return bound.includes(value) || bound.includes(JSON.stringify(value).slice(1, -1))
}
