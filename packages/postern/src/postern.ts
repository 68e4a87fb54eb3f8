import { resolve } from 'node:path'
import type { Access, Approvals, ReadBudgets } from '@postern/access'
import type { AuditLog } from '@postern/audit'
import type { Config, LoadedConfig, LoadOptions } from '@postern/config'
import type { Engine, Health } from '@postern/core'
import * as http from '@postern/http'
import type { Revocations } from '@postern/identity'
import type { BuiltInIdentity } from '@postern/identity/built-in'
import type { RouteSchemas } from '@postern/protocol'
import type { RemediationStore } from '@postern/remediate'
import type { ForwardAuthSetup, Runtime } from '@postern/runtime'
import type { RunningConsole } from '@postern/server/console'
import type { Throttle } from '@postern/throttle'
import { checkCalled, checkHandler, checkServer } from './check-mount.ts'
import { checkOptions } from './check-options.ts'
import { noticeChildPlugin, type SeenRequests } from './child-plugin.ts'
import { noticeEarlierRoutes } from './earlier-routes.ts'
import { sayAwait } from './not-awaited.ts'
import type { PosternOptions } from './options.ts'
import { requireUnbundled } from './unbundled.ts'

type WithoutEngine<Adapter> = Adapter extends (engine: http.EngineSource, ...rest: infer Rest) => infer Result
  ? (...rest: Rest) => Result
  : never

/**
 * Postern in this process, with an adapter for each framework. All adapters follow a reload.
 * @example
 * ```ts
 * import { type Postern, postern } from 'postern'
 *
 * const guarded: Postern = await postern({ config: { audit: false }, log: 'none' })
 * const handler = guarded.fetch(() => new Response('hello'))
 * const answer = await handler(new Request('http://shop.example/?q=%3Cscript%3Ealert(1)%3C/script%3E'))
 * console.log(answer.status) // prints: 403
 * await guarded.close()
 * ```
 */
export interface Postern {
  /** The current engine. */
  readonly engine: Engine
  readonly limits: Throttle
  readonly remediations: RemediationStore
  /** Absent when the configuration switches it off. */
  readonly audit: AuditLog | undefined
  /** Accounts, sessions and keys; absent unless the configuration has `identity`. */
  readonly identity: BuiltInIdentity | undefined
  /**
   * Asks policies and approvals of the configuration for functions too, and records what it decides: pass it
   * to `guard` of `@postern/access`.
   */
  readonly access: Access
  /** Requests for consent, to list and decide them in the application's own pages. */
  readonly approvals: Approvals | undefined
  /**
   * Counts what connections read, for `guardPool(pool, { claim, reads })` of `@postern/access`; absent unless
   * a budget of the configuration has the action `select`.
   */
  readonly reads: ReadBudgets | undefined
  /**
   * Revokes what principals were given before its end, for this process at once; absent unless something
   * identifies.
   */
  readonly revocations: Revocations | undefined
  /**
   * The web console on a listener of its own; absent unless the configuration has `console`. `link` signs in
   * once, within 15 minutes.
   */
  readonly console: Pick<RunningConsole, 'address' | 'link'> | undefined
  express: WithoutEngine<typeof http.express>
  nest: WithoutEngine<typeof http.nest>
  fastify: WithoutEngine<typeof http.fastify>
  koa: WithoutEngine<typeof http.koa>
  hono: WithoutEngine<typeof http.hono>
  node<Request extends http.NodeRequest, Response extends http.NodeResponse>(
    handler: (request: Request, response: Response) => void,
  ): (request: Request, response: Response) => void
  fetch: WithoutEngine<typeof http.fetch>
  next: WithoutEngine<typeof http.next>
  /**
   * Answers nginx, Traefik, Caddy and Envoy; only the configuration's `trustProxies` may ask.
   * @param options.prefix Envoy's `path_prefix`
   * @throws ConfigError when `trustProxies` names nobody
   */
  forwardAuth(
    dialect: http.ForwardDialect,
    options?: Omit<ForwardAuthSetup, 'dialect'>,
  ): ReturnType<typeof http.forwardAuth>
  /** Decides WebSocket and other upgrades of a node server too. */
  guardUpgrades: (server: http.UpgradingServer) => () => void
  /**
   * Reloads the configuration and applies it.
   * @returns the changed keys that need a restart
   * @throws ConfigError when it is invalid; the old one stays in force
   */
  reload(config?: Config): Promise<readonly string[]>
  /**
   * What `schema: { learn: true }` learned so far, also before a restart, for `schema: { enforce: FILE }`.
   * @param samples requests that a route needs. Default: 100
   * @throws StoreError when the data directory cannot be read
   */
  proposeParameters(samples?: number): RouteSchemas
  health(): readonly Health[]
  close(): Promise<void>
}

/**
 * Starts Postern in this process: finds `postern.config.*`, checks it, opens its stores. Without a file the
 * defaults protect. `identify`, `guards`, `detectors` and `onEvent` add the application's own code to
 * whatever the configuration says; see docs/extending.md.
 * @throws ConfigError with every mistake in the options and the configuration; StoreError for a store that
 * cannot be opened
 * @example
 * ```ts
 * import { postern } from 'postern'
 *
 * const guarded = await postern({ config: { audit: false }, log: 'none' })
 * // In an Express application: app.use(guarded.express())
 * const handler = guarded.fetch(() => new Response('hello'))
 * console.log((await handler(new Request('http://shop.example/'))).status) // prints: 200
 * await guarded.close()
 * ```
 */
export function postern(options: PosternOptions = {}): Promise<Postern> {
  return sayAwait(start(options))
}

async function start(options: PosternOptions): Promise<Postern> {
  requireUnbundled(import.meta.url)
  // An application that imports this and starts later, or never, should not load all of it.
  const [{ loadConfig, staleImportsSentence, suggest }, runtimes] = await Promise.all([
    import('@postern/config'),
    import('@postern/runtime'),
  ])
  checkOptions(options, suggest)
  const { forwardAuthEndpoint, noticeEvents, OpenConnections, recheckOpen, Runtime } = runtimes
  const { closeInOrder, startNotes, passkeysSentence, startIntegrations, startLine, stillHolds } = runtimes
  const folder = resolve(options.folder ?? process.cwd())
  const { identify, guards, detectors, onEvent } = options
  const where: LoadOptions = {
    path: options.file,
    config: options.config,
    folder,
    environment: process.env,
    extensions: { identify, guards, detectors, onEvent },
  }
  const { log = 'refusals', onLine = writeLine } = options
  const loaded = await loadConfig(where)
  const { config } = loaded
  const open = new OpenConnections()
  const runtime = await Runtime.open({
    loaded,
    dataDirectory: config.dataDirectory,
    open,
    application: true,
    onWait: log === 'none' ? () => undefined : onLine,
  })
  open.follow(exchange => stillHolds(runtime, exchange))
  recheckOpen(open, runtime.resources)
  const integrations = await startIntegrations(config, runtime).catch(async (error: unknown) => {
    await runtime.close()
    throw error
  })
  for (const { name, ok, detail } of runtime.health())
    if (!ok)
      process.emitWarning(`Postern started without ${name}: ${detail ?? 'it does not answer'}`, {
        code: 'POSTERN_STORE_AWAY',
      })
  let inForce = loaded
  const reload = async (replacement?: Config): Promise<readonly string[]> => {
    const next = await loadConfig(replacement === undefined ? where : { ...where, config: replacement })
    const waiting = runtime.reload(next)
    runtime.resources.follow(next)
    inForce = next
    const stale = staleImportsSentence(loaded.file, next.file)
    if (stale !== undefined && log !== 'none') onLine(stale)
    return waiting
  }
  const watched = await openConsole(runtime, {
    loaded: () => inForce,
    reload,
    configuration: options.config === undefined ? 'file' : 'code',
    health: () => [...runtime.health(), ...integrations.health()],
  }).catch(async (error: unknown) => {
    await integrations.close()
    await runtime.close()
    throw error
  })
  if (log !== 'none') onLine(startLine(loaded, runtime.resources.scenarios?.scenarios.list().length ?? 0))
  const passkeys = log === 'none' ? undefined : await passkeysSentence(config)
  if (passkeys !== undefined) onLine(passkeys)
  if (log !== 'none') for (const note of await startNotes(config, runtime.resources.identity)) onLine(note)
  if (log !== 'none' && watched !== undefined)
    onLine(`console ${watched.link()} (signs in once, within 15 minutes)`)
  runtime.listen(noticeEvents(log, onLine, loaded.config))
  const current = (): Engine => runtime.engine
  const warn = log === 'none' ? () => undefined : onLine
  const seenByFastify: SeenRequests = new WeakSet()
  return {
    get engine() {
      return runtime.engine
    },
    get limits() {
      return runtime.limits
    },
    remediations: runtime.remediations,
    audit: runtime.resources.audit,
    identity: runtime.resources.identity,
    revocations: runtime.resources.revocations,
    access: runtime.resources.access.access,
    approvals: runtime.resources.access.approvals,
    reads: runtime.resources.access.reads,
    express: (...given: readonly unknown[]) => {
      checkCalled('express', 'app.use', given)
      return noticeEarlierRoutes(http.express(current), 'express', warn)
    },
    nest: (...given: readonly unknown[]) => {
      checkCalled('nest', 'app.use', given)
      return noticeEarlierRoutes(http.nest(current), 'nest', warn)
    },
    fastify: (...given: readonly unknown[]) => {
      checkCalled('fastify', 'app.register', given)
      return noticeChildPlugin(http.fastify(current), seenByFastify, warn)
    },
    koa: (...given: readonly unknown[]) => {
      checkCalled('koa', 'app.use', given)
      return http.koa(current)
    },
    hono: (...given: readonly unknown[]) => {
      const [honoOptions] = given as readonly [http.HonoOptions?]
      // Options come alone; a context of Hono comes with what is next.
      if (given.length > 1) checkCalled('hono', 'app.use', given)
      return http.hono(current, honoOptions)
    },
    node: handler => {
      checkHandler('node', 'createServer(layer.node((request, response) => { ... }))', handler)
      return http.node(current, handler)
    },
    fetch: (handler, fetchOptions) => {
      checkHandler('fetch', 'layer.fetch(request => new Response(...))', handler)
      return http.fetch(current, handler, fetchOptions)
    },
    next: nextOptions => http.next(current, nextOptions),
    forwardAuth: (dialect, more = {}) => forwardAuthEndpoint(runtime, { ...more, dialect }),
    guardUpgrades: server => {
      checkServer(server)
      return http.guardUpgrades(server, current)
    },
    console: watched,
    reload,
    proposeParameters: samples => runtime.resources.learned?.propose(samples) ?? {},
    health: () => [...runtime.health(), ...integrations.health(), ...(watched?.health() ?? [])],
    close: () =>
      closeInOrder([
        () => open.close(),
        () => watched?.close(),
        () => integrations.close(),
        () => runtime.close(),
      ]),
  }
}

/** What the console of an application's own process needs of it. */
interface Watched {
  readonly loaded: () => LoadedConfig
  readonly reload: () => Promise<readonly string[]>
  readonly configuration: 'file' | 'code'
  readonly health: () => readonly Health[]
}

/** Loaded only where one is wanted. */
async function openConsole(
  runtime: Runtime,
  { loaded, reload, configuration, health }: Watched,
): Promise<RunningConsole | undefined> {
  const { config } = loaded()
  if (config.console === false) return undefined
  const { openConsole: open } = await import('@postern/server/console')
  return open({
    settings: config.console,
    runtime,
    dataDirectory: config.dataDirectory,
    overrides: {},
    gateway: '',
    attacks: 'none',
    configuration,
    workers: 1,
    lost: () => 0,
    loaded,
    reload,
    health,
    testAlerts: undefined,
  })
}

/** An application's own output may be read by programs, so this goes beside it. */
function writeLine(line: string): void {
  process.stderr.write(`postern: ${line}\n`)
}
