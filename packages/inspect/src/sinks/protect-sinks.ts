import { AsyncLocalStorage } from 'node:async_hooks'
import { promisify } from 'node:util'
import { CidrSet, PosternError } from '@postern/core'
import type { InspectedRequest } from '../inspected-request.ts'
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
      store.values ??= requestValues(store.request)
      for (const value of store.values) {
        if (!acts(kind, text, value.text) || isChance(kind, method, parameters, value.text)) continue
        const hit: SinkHit = { kind, location: value.location, method }
        options.onHit?.(hit, store.request)
        const isRefused = (typeof mode === 'string' ? mode : (mode[kind] ?? 'refuse')) === 'refuse'
        return isRefused ? new SinkRefused(hit) : undefined
      }
      known.add(kind, text)
    }
    if (store.doubted.length > 0) noteBound(store, kind, method, parameters)
    return undefined
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

  /** A function that checks, and is in all else like the one it stands for. */
  function watched(
    kind: SinkKind,
    method: string,
    call: Call,
    returns: 'promise' | 'unknown' = kind === 'url' ? 'promise' : 'unknown',
  ): Call {
    const wrapped = function (this: unknown, ...parameters: unknown[]): unknown {
      const refused = check(kind, method, parameters)
      if (refused !== undefined) return refusedCall(refused, this, method, parameters, returns)
      return Reflect.apply(call, this, parameters)
    }
    const own = Object.getOwnPropertyDescriptors(call)
    // What `promisify(exec)` calls goes around `exec`.
    const promised: unknown = Reflect.get(call, promisify.custom)
    if (typeof promised === 'function')
      Reflect.set(own, promisify.custom, { value: watched(kind, method, promised as Call, 'promise') })
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

  function replace(
    objects: readonly object[] | undefined,
    methods: readonly string[],
    make: (method: string, original: Call) => Call,
  ): void {
    for (const object of objects ?? []) {
      for (const method of methods) {
        const owner = ownerOf(object, method)
        const original: unknown = owner && Reflect.get(owner, method)
        if (owner === undefined || typeof original !== 'function' || replaced.has(original)) continue
        const made = make(method, original as Call)
        if (!Reflect.set(owner, method, made)) continue
        replaced.add(made)
        undo.push(() => Reflect.set(owner, method, original))
      }
    }
  }

  const replaced = new Set<unknown>()
  for (const kind of ['sql', 'command', 'path', 'url'] as const)
    replace(targets[kind], METHODS[kind], (method, original) => watched(kind, method, original))
  replace(targets.statements, STATEMENT_METHODS, (method, original) => watched('sql', method, original))
  replace(targets.pools, POOL_METHODS, (_method, original) => asking(original))
  return {
    run: (request, work, doubted = NONE) => current.run({ request, doubted }, work),
    restore: () => {
      for (const put of undo.splice(0)) put()
    },
  }
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
