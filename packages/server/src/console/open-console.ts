import { availableParallelism } from 'node:os'
import { editedConfig } from '@postern/config'
import {
  askApi,
  type ConsoleParts,
  type ConsoleServer,
  LiveFeed,
  type NamedCall,
  OperatorAccounts,
  type Role,
  startConsole,
  TrafficRecorder,
} from '@postern/console'
import {
  ConfigError,
  formatDuration,
  type Health,
  networkOf,
  parseAddress,
  standardErrorLines,
  systemRandom,
} from '@postern/core'
import { PasskeyAccounts } from '@postern/identity/built-in'
import { bouncerKeys } from '@postern/remediate'
import { accountName, type Closers, closeAll, operatorEvent, PortInUse, standingsOf } from '@postern/runtime'
import { openSqlite } from '@postern/store'
import { diagnoseAll } from '../doctor/diagnose.ts'
import { clientCountry } from '../plan/client-country.ts'
import { PreviewInThread, type PreviewSetting } from '../preview/preview-in-thread.ts'
import type { PreviewPlan } from '../preview/preview-plan.ts'
import { attackOf } from './console-attacks.ts'
import { settingsOf } from './console-settings.ts'
import type { ConsoleSetup } from './console-setup.ts'
import { approvingRoles, guardedRoutes } from './guarded-routes.ts'
import { openTraffic } from './open-traffic.ts'
import { OpenedAudit } from './opened-audit.ts'
import { policyDesk } from './policy-desk.ts'
import { SettingsHistory } from './settings-history.ts'
import { instanceName, SystemReadings } from './system-readings.ts'
import { UndoInDatabase } from './undo-in-database.ts'
import { VaultInFile } from './vault-desk.ts'

/** A console with its traffic. */
export interface RunningConsole {
  readonly address: string
  /** An address that signs in once. @param name in the audit log; default: the account of this process */
  link(name?: string, roles?: readonly Role[]): string
  /** Accounts of the console. */
  readonly operators: OperatorAccounts
  /** The address that an invitation is followed at. */
  invitationLink(secret: string): string
  /** Answers an operation of the API to the command line of this machine. @throws ApiProblem */
  ask(call: NamedCall): Promise<unknown>
  /** Makes what a principal sent unreadable in the traffic. */
  erase(principal: string, tenant: string): Promise<void>
  health(): readonly Health[]
  close(): Promise<void>
}

/**
 * Starts the console of a gateway: keeps traffic from now on, and serves the page.
 * @throws ConfigError without a data directory; StoreError when the traffic cannot be kept; PortInUse
 */
export async function openConsole(setup: ConsoleSetup): Promise<RunningConsole> {
  const { settings, runtime } = setup
  const { connections, clock } = runtime.resources
  if (connections === undefined || connections.isMemoryOnly)
    throw new ConfigError({
      place: 'console',
      problem: 'needs a data directory for the traffic that it shows',
      hint: 'set dataDirectory, or console: false',
    })
  const live = new LiveFeed()
  const opened = openTraffic({
    runtime,
    settings,
    directory: connections.directory.path,
    gateway: setup.gateway,
    loaded: setup.loaded,
    live,
  })
  const { traffic } = opened
  const recorder = new TrafficRecorder({
    store: traffic,
    clock,
    samplesPerSecond: settings.samplesPerSecond,
    countryOf: clientCountry(settings.country),
    onEvent: event => live.take(event),
  })
  const database = openSqlite({ path: connections.directory.file('console.db') })
  const operators = new OperatorAccounts(
    await PasskeyAccounts.open({ database, name: 'Postern console', clock }),
  )
  const audit = new OpenedAudit(setup)
  const undo = new UndoInDatabase(setup.loaded)
  const history = new SettingsHistory(connections.sqlite, clock)
  const system = new SystemReadings(runtime, {
    name: instanceName(setup.gateway),
    workers: setup.workers,
    lost: () => ({ workers: setup.lost(), traffic: recorder.lost }),
  })
  const preview = new PreviewInThread(
    () => previewPlan(setup, opened.place),
    clock,
    Math.min(MAX_PREVIEW_THREADS, availableParallelism()),
  )
  const closers: Closers = [
    () => opened.close(),
    () => database.close(),
    () => recorder.close(),
    () => audit.close(),
    () => undo.close(),
    () => system.close(),
    () => preview.cancel(),
  ]
  const close = (): Promise<void> => closeAll(closers)
  try {
    closers.push(runtime.listen(event => recorder.take(event)))
    const health = (): readonly Health[] => [recorder.health(), ...opened.health()]
    const flush = (): Promise<void> => recorder.flush()
    const parts = partsOf(setup, {
      preview,
      history,
      undo,
      system,
      traffic,
      live,
      audit,
      flush,
      operators,
      instances: () => opened.instances(),
      health: () => [...setup.health(), ...health()],
    })
    const server = await listen(setup, parts)
    closers.push(() => server.close())
    return {
      address: server.address,
      link: (name = accountName(), roles) => server.link(name, roles),
      operators,
      invitationLink: secret => server.invitationLink(secret),
      ask: call => askApi(parts, call),
      erase: (principal, tenant) => recorder.erase(principal, tenant),
      health,
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** A thread loads the configuration and takes some 60 MB. */
const MAX_PREVIEW_THREADS = 8

function previewPlan({ loaded, overrides }: ConsoleSetup, traffic: PreviewPlan['traffic']): PreviewSetting {
  const { file } = loaded()
  const path = editedConfig({ file }, { changes: [] })?.path ?? ''
  return { file: file.path, folder: file.folder, overrides, traffic, path }
}

/** The configured place; else the usual port, or a free one when that is taken. */
async function listen({ settings, loaded }: ConsoleSetup, parts: ConsoleParts): Promise<ConsoleServer> {
  const { listen: place, path, origins } = settings
  const options = { parts, path, origins, trustedProxies: () => loaded().config.trustProxies }
  try {
    return await startConsole({ ...options, listen: place })
  } catch (error) {
    const { written } = loaded()
    const isAsked = typeof written.console === 'object' && written.console.listen !== undefined
    if (isAsked) throw PortInUse.explain(error, place.host, place.port, '--console')
    return startConsole({ ...options, listen: { host: place.host, port: 0 } })
  }
}

interface Kept
  extends Pick<ConsoleParts, 'traffic' | 'flush' | 'live' | 'health' | 'instances' | 'operators'> {
  readonly preview: PreviewInThread
  readonly history: SettingsHistory
  readonly undo: UndoInDatabase
  readonly system: SystemReadings
  readonly audit: OpenedAudit
}

function partsOf(
  setup: ConsoleSetup,
  { traffic, flush, live, audit, health, preview, history, undo, system, instances, operators }: Kept,
): ConsoleParts {
  const { runtime, loaded } = setup
  const { resources } = runtime
  const vault = new VaultInFile(loaded, () => resources.clock.monotonic())
  return {
    clock: resources.clock,
    random: systemRandom,
    failed: standardErrorLines(resources.clock),
    traffic,
    flush,
    live,
    health,
    remediations: resources.remediations,
    approvals: resources.access.approvals,
    identity: resources.identity,
    operators,
    instances,
    sharesBans: resources.connections?.redis !== undefined || resources.connections?.postgres !== undefined,
    revocations: resources.revocations,
    policies: policyDesk(resources.access.policies, loaded),
    guardedRoutes: () => guardedRoutes(loaded().config),
    approvingRoles: () => approvingRoles(loaded().config),
    vault: () => (vault.isThere ? vault : undefined),
    system: () => system.read(),
    diagnose: () =>
      diagnoseAll(vault.path, {
        loaded: loaded(),
        dataDirectory: setup.dataDirectory,
        environment: process.env,
      }),
    undo: undo.isKept ? undo : undefined,
    audit: audit.isKept ? () => audit.reader() : undefined,
    settings: settingsOf(setup, history, preview),
    bouncers: async () => {
      const { connections } = resources
      if (connections === undefined || loaded().config.crowdsec === undefined) return []
      const keys = await bouncerKeys(connections.postgres ?? connections.sqlite)
      return (await keys.list()).map(({ name }) => name)
    },
    limits: async key => {
      const address = parseAddress(key)
      const standings = await standingsOf(address === undefined ? key : networkOf(address), runtime)
      return standings.map(({ name, rule, remaining, retryAfter }) => ({
        name,
        kind: rule.kind,
        limit: rule.limit,
        window: formatDuration(rule.window),
        remaining,
        retryAfter: Math.ceil(retryAfter),
      }))
    },
    attack: setup.attacks === 'gateway' ? attackOf(setup.gateway) : noAttack,
    testAlerts: setup.testAlerts,
    record: async (act, operator) => {
      await resources.recorder?.commit(operatorEvent(act, resources.clock, operator))
    },
    about: () => ({
      gateway: setup.gateway,
      upstream: runtime.config.upstream ?? '',
      mode: runtime.config.mode,
      configuration: loaded().file.path,
    }),
  }
}

async function noAttack(): Promise<never> {
  throw new ConfigError({
    place: 'attacks',
    problem: 'need a gateway, and this process has none',
    hint: 'send one to your application, such as /?q=%27%20OR%201=1--',
  })
}
