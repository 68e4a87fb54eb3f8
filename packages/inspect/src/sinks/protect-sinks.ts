import { AsyncLocalStorage } from 'node:async_hooks'
import { promisify } from 'node:util'
import { CidrSet, PosternError } from '@postern/core'
import type { InspectedRequest } from '../inspected-request.ts'
import { escapesCommand } from './command-sink.ts'
import { escapesPath } from './path-sink.ts'
import { type RequestValue, requestValues } from './request-values.ts'
import { escapesSql } from './sql-sink.ts'
import { reachesInside } from './url-sink.ts'

/** What kind of call a value reached. */
export type SinkKind = 'sql' | 'command' | 'path' | 'url'

/** A value of the request acted inside a statement, a command, a path or a URL. */
export interface SinkHit {
  readonly kind: SinkKind
  /** Where in the request the value stood. */
  readonly location: string
  /** The method that was called: `query`, `exec`. */
  readonly method: string
}

/** Thrown by a protected call in place of running it. Carries no part of the statement. */
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
   * `pg.Client.prototype`, a `mysql2` connection prototype: `query`, `execute`. `DatabaseSync.prototype` of
   * `node:sqlite`: `exec`, `prepare`.
   */
  readonly sql?: readonly object[]
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
  /** Networks that count as inside for URLs. Default: loopback, private, link-local. */
  readonly inside?: readonly string[]
}

/** Sinks being watched. */
export interface ProtectedSinks {
  /**
   * Runs the handling of a request: what it calls is compared with the request's values, which are read
   * when the first sink is reached.
   */
  run<T>(request: InspectedRequest, work: () => T): T
  /** Puts the original methods back. */
  restore(): void
}

const METHODS: Readonly<Record<SinkKind, readonly string[]>> = {
  sql: ['query', 'execute', 'exec', 'prepare'],
  command: ['exec', 'execSync', 'spawn', 'spawnSync', 'execFile', 'execFileSync'],
  path: [
    'readFile',
    'readFileSync',
    'writeFile',
    'writeFileSync',
    'open',
    'openSync',
    'createReadStream',
    'createWriteStream',
    'unlink',
    'unlinkSync',
    'rm',
    'rmSync',
    'readdir',
    'readdirSync',
    'stat',
    'statSync',
    'appendFile',
    'appendFileSync',
  ],
  url: ['fetch'],
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

/**
 * Watches calls where injected text does its harm. A call that carries a value of the current request
 * verbatim, acting as more than data, is refused: near certain, whatever the text looked like on the way
 * in. Values
 * the application changed before use (trimmed, decoded once more) are not recognised.
 *
 * @throws ConfigError when `inside` holds something that is not a network
 */
export function protectSinks(targets: SinkTargets, options: SinkOptions = {}): ProtectedSinks {
  const current = new AsyncLocalStorage<{
    readonly request: InspectedRequest
    values?: readonly RequestValue[]
  }>()
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

  function check(kind: SinkKind, method: string, parameters: readonly unknown[]): void {
    const store = current.getStore()
    if (store === undefined) return
    const text = textOf(kind, method, parameters)
    if (text === undefined || !mayAct(kind, text) || known.has(kind, text)) return
    store.values ??= requestValues(store.request)
    for (const value of store.values) {
      if (!acts(kind, text, value.text)) continue
      const hit: SinkHit = { kind, location: value.location, method }
      options.onHit?.(hit, store.request)
      if ((typeof mode === 'string' ? mode : (mode[kind] ?? 'refuse')) === 'refuse')
        throw new SinkRefused(hit)
      return
    }
    known.add(kind, text)
  }

  /** A function that checks, and is in all else like the one it stands for. */
  function watched(kind: SinkKind, method: string, call: Call): Call {
    const wrapped = function (this: unknown, ...parameters: unknown[]): unknown {
      check(kind, method, parameters)
      return Reflect.apply(call, this, parameters)
    }
    const own = Object.getOwnPropertyDescriptors(call)
    // What `promisify(exec)` calls goes around `exec`.
    const promised: unknown = Reflect.get(call, promisify.custom)
    if (typeof promised === 'function')
      Reflect.set(own, promisify.custom, { value: watched(kind, method, promised as Call) })
    return Object.defineProperties(wrapped, own)
  }

  for (const kind of ['sql', 'command', 'path', 'url'] as const) {
    for (const target of targets[kind] ?? []) {
      for (const method of METHODS[kind]) {
        const original: unknown = Reflect.get(target, method)
        if (typeof original !== 'function') continue
        if (!Reflect.set(target, method, watched(kind, method, original as Call))) continue
        undo.push(() => Reflect.set(target, method, original))
      }
    }
  }
  return {
    run: (request, work) => current.run({ request }, work),
    restore: () => {
      for (const put of undo.splice(0)) put()
    },
  }
}

/** Statements that are remembered, and how long they may be. */
const MOST_KNOWN = 2_000
const LONGEST_KNOWN = 4_096

/**
 * Statements that were compared with the values of a request and found to carry none. An application that
 * binds its parameters sends the same few over and over: those are compared once. Whoever could bring an
 * attack in here unseen had it run already.
 */
class KnownTexts {
  readonly #statements = new Set<string>()

  has(kind: SinkKind, text: string): boolean {
    return kind === 'sql' && this.#statements.has(text)
  }

  add(kind: SinkKind, text: string): void {
    if (kind !== 'sql' || text.length > LONGEST_KNOWN) return
    if (this.#statements.size >= MOST_KNOWN) this.#statements.clear()
    this.#statements.add(text)
  }
}

/** Whether anything in the text could be a hit, whatever the request holds: most paths have no step. */
function mayAct(kind: SinkKind, text: string): boolean {
  return kind !== 'path' || text.includes('..') || text.includes('\u0000')
}

/** The text that matters of a call, or undefined when nothing of it is interpreted. */
function textOf(kind: SinkKind, method: string, parameters: readonly unknown[]): string | undefined {
  const [first, second, third] = parameters
  if (kind === 'sql')
    return typeof first === 'string' ? first : (stringIn(first, 'text') ?? stringIn(first, 'sql'))
  if (kind === 'url')
    return typeof first === 'string' ? first : first instanceof URL ? first.href : stringIn(first, 'url')
  if (kind === 'path') return typeof first === 'string' ? first : undefined
  if (typeof first !== 'string') return undefined
  if (method === 'exec' || method === 'execSync') return first
  const shell = [second, third].some(
    options =>
      typeof options === 'object' &&
      options !== null &&
      'shell' in options &&
      options.shell !== false &&
      options.shell !== undefined,
  )
  if (!shell) return undefined
  return Array.isArray(second) ? `${first} ${second.join(' ')}` : first
}

function stringIn(value: unknown, key: string): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const text: unknown = Reflect.get(value, key)
  return typeof text === 'string' ? text : undefined
}
