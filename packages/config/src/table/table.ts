import type { Budgets, Decides } from '@postern/access'
import type { ByteSize, CidrSet, Detector, Event, Guard, Mode } from '@postern/core'
import type { HeadersSetting } from '@postern/identity/headers'
import type { ClientList, CorsSettings } from '@postern/protocol'
import type { HeaderStyle, LoadSheddingOptions } from '@postern/throttle'
import type * as z from 'zod/mini'
import { section } from '../key/key.ts'
import type { Listen } from '../key/types.ts'
import type { NamedLimit } from '../limit/named-limit.ts'
import { type ApprovalsConfig, approvals, type CompiledApprovals, policies } from '../sections/access.ts'
import { type AlertsConfig, alerts, type CompiledAlerts } from '../sections/alerts.ts'
import { type AuditConfig, audit, type CompiledAudit } from '../sections/audit.ts'
import { type BindConfig, bind, type CompiledBind } from '../sections/bind.ts'
import {
  type BudgetDatabaseConfig,
  type BudgetsConfig,
  budgetDatabase,
  budgets,
  type CompiledBudgetDatabase,
} from '../sections/budgets.ts'
import { allow, block, type ClientConfig } from '../sections/clients.ts'
import { type CompiledConsole, type ConsoleConfig, consoleSection } from '../sections/console.ts'
import { type CorsConfig, cors } from '../sections/cors.ts'
import { type CompiledCsrf, type CsrfConfig, csrf } from '../sections/csrf.ts'
import {
  type CompiledCrowdsec,
  type CompiledHoney,
  type CompiledScenarios,
  type CrowdsecConfig,
  crowdsec,
  type HoneyConfig,
  honey,
  type ScenariosConfig,
  scenarios,
} from '../sections/detection.ts'
import { detectors, type ExtensionConfig, guards, onEvent } from '../sections/extensions.ts'
import {
  type AdminConfig,
  admin,
  type BackendCheckConfig,
  backendCheck,
  type CapsConfig,
  type CompiledAdmin,
  type CompiledBackendCheck,
  type CompiledCaps,
  type CompiledForwardAuth,
  type CompiledTimeouts,
  caps,
  type ForwardAuthConfig,
  forwardAuth,
  keepHeaders,
  listenPlace,
  signingKey,
  type TimeoutsConfig,
  type TlsConfig,
  timeouts,
  tls,
  upstream,
  workers,
} from '../sections/gateway.ts'
import { bodyLimit, dataDirectory, engineMode, rateLimitHeaders, trustProxies } from '../sections/general.ts'
import { type CompiledIdentify, identify } from '../sections/identify.ts'
import { type CompiledIdentity, type IdentityConfig, identity } from '../sections/identity.ts'
import { type CompiledInspection, type InspectionConfig, inspection } from '../sections/inspect.ts'
import { type LimitsConfig, limits } from '../sections/limits.ts'
import {
  type CompiledProtocol,
  type CompiledSchema,
  type ProtocolConfig,
  protocol,
  type SchemaConfig,
  schema,
} from '../sections/protocol.ts'
import { type CompiledRefusal, type RefusalConfig, refusal } from '../sections/refusal.ts'
import { type CompiledRemediations, type RemediationsConfig, remediations } from '../sections/remediations.ts'
import { type CompiledRoutes, type RoutesConfig, routes } from '../sections/routes.ts'
import { type HeadersConfig, headers } from '../sections/security-headers.ts'
import { type ShedConfig, shed } from '../sections/shed.ts'
import { type CompiledLoginConfig, type LoginConfig, login } from '../sections/sign-in.ts'
import { type CompiledStores, type StoresConfig, stores } from '../sections/stores.ts'
import { type CompiledTelemetry, type TelemetryConfig, telemetry } from '../sections/telemetry.ts'

/**
 * Everything a `postern.config.*` may say. Every key has a default; the empty configuration protects.
 * @example
 * ```ts
 * import type { Config } from 'postern'
 *
 * export const config: Config = { mode: 'observe', limits: { address: '100/1m' } }
 * ```
 */
export interface Config extends ExtensionConfig {
  /** Where the backend listens. Gateway only. */
  readonly upstream?: string | undefined
  /**
   * Where the gateway listens: `host:port`, or a port on this machine only. `0.0.0.0:8080` opens it to the
   * network. Default: `127.0.0.1:8080`.
   */
  readonly listen?: string | number | undefined
  /** Certificate of the gateway. A renewed file is taken without a restart. Default: no TLS. */
  readonly tls?: TlsConfig | undefined
  /** The endpoint of `postern forward-auth`, for a proxy that asks before it forwards. */
  readonly forwardAuth?: ForwardAuthConfig | undefined
  /**
   * Request headers that go on to the backend from anybody. By default only trusted proxies may send those
   * that say who or where a client is (`CF-Connecting-IP`, `X-Remote-User`, ...) and those with `_` in their
   * name. Default: none.
   */
  readonly keepHeaders?: readonly string[] | undefined
  /**
   * Signs `X-Postern-Identity`, by which the gateway tells the backend who sends a request: at least 32
   * bytes. A secret: write `${NAME}`. Default: the header is not sent.
   */
  readonly signingKey?: string | undefined
  /**
   * Checks whether the backend accepts connections, for readiness, the log and metrics, or `false`. Gateway
   * only. Default: on.
   */
  readonly backendCheck?: BackendCheckConfig | false | undefined
  /** Worker threads of the gateway; `auto` for one per core. Default: `1`. */
  readonly workers?: number | 'auto' | undefined
  /** How long things may take in the gateway. */
  readonly timeouts?: TimeoutsConfig | undefined
  /** How much the gateway handles at once, per worker. */
  readonly caps?: CapsConfig | undefined
  /**
   * Proxies whose `X-Forwarded-For` and `Forwarded` are trusted: addresses, ranges, `loopback`, `linklocal`,
   * `private`, or a platform: `cloudflare`, `aws-alb`, `fly`, `render`, `vercel`, `heroku`, `nginx`. One or a
   * list. Default: nobody.
   */
  readonly trustProxies?: string | readonly string[] | undefined
  /**
   * `observe` decides and logs, and blocks nothing: the way to start on a live system. Default: `enforce`.
   */
  readonly mode?: Mode | undefined
  /**
   * Settings by route pattern. All patterns that match apply; for one key the most specific pattern wins.
   * Default: none.
   */
  readonly routes?: RoutesConfig | undefined
  /**
   * Named limits. A limit of the same name changes a default one; `false` switches it off. Default:
   * `address`, `busy`, `login` and `static`, see above.
   */
  readonly limits?: LimitsConfig | undefined
  /** What is refused with 503 when the process has more to do than it can. Default: off. */
  readonly shed?: ShedConfig | undefined
  /**
   * What answers say about limits: `RateLimit` and `RateLimit-Policy` (`standard`), `X-RateLimit-*`
   * (`legacy`), `both` or `none`. Default: `standard`.
   */
  readonly rateLimitHeaders?: HeaderStyle | undefined
  /**
   * Holds down guessing at accounts, whatever the number of addresses it comes from; `routes` say where
   * logins are. `false` switches it off. Default: on.
   */
  readonly login?: LoginConfig | false | undefined
  /** Refuses requests that another site made a browser send with its cookies. Default: off. */
  readonly csrf?: boolean | CsrfConfig | undefined
  /**
   * Security headers that answers do not set themselves: `strict`, `compatible` (content policy only
   * reports), or changes to one of them. Default: off.
   */
  readonly headers?: HeadersConfig | false | undefined
  /**
   * Keeps the backend's session cookie from the browser, which gets a short-lived one bound to its device
   * instead (DBSC). Default: off.
   */
  readonly bind?: BindConfig | undefined
  /** How content is read for attacks everywhere, or `false`. Default: level 1. */
  readonly inspect?: InspectionConfig | false | undefined
  /** How HTTP itself is checked, or `false`. Default: on. */
  readonly protocol?: ProtocolConfig | false | undefined
  /**
   * Clients that are refused, without a scenario and forever: addresses, ranges, `all`, or
   * `{ network, userAgent }`. Default: nobody.
   */
  readonly block?: readonly (string | ClientConfig)[] | undefined
  /**
   * Clients exempt from `block`. Bans and limits still apply: see `remediations.never`, `exempt`. Default:
   * nobody.
   */
  readonly allow?: readonly (string | ClientConfig)[] | undefined
  /**
   * Which pages of other origins may read answers, refusals too, and preflights answered before every check;
   * or `false`. Default: as the backend says.
   */
  readonly cors?: CorsConfig | false | undefined
  /**
   * What refusals look like: a page and a document of your own, and their language. Default: a page in the
   * language of the browser, and a problem document.
   */
  readonly refusal?: RefusalConfig | undefined
  /** The parameters that routes take. Default: off. */
  readonly schema?: SchemaConfig | undefined
  /** What watches events over time, or `false`. Default: all that are shipped. */
  readonly scenarios?: ScenariosConfig | false | undefined
  /** Bans, throttles and challenges against actors, or `false`. Default: on. */
  readonly remediations?: RemediationsConfig | false | undefined
  /**
   * The policies that `routes.*.policy` asks: a module that exports them as `policies`, or a `.cedar` file;
   * in code, the policies themselves. Default: none.
   */
  readonly policies?: string | Decides | undefined
  /**
   * How the approvals that `routes.*.approve` asks for are kept, notified of and decided. Default: kept in
   * the data directory, or in `stores.postgres`.
   */
  readonly approvals?: ApprovalsConfig | undefined
  /** Traps: form fields nobody sees and records nobody should open. Default: none. */
  readonly honey?: HoneyConfig | undefined
  /** Work with CrowdSec. Default: off. */
  readonly crowdsec?: CrowdsecConfig | undefined
  /** The tamper-evident log, or `false`. Default: on. */
  readonly audit?: AuditConfig | false | undefined
  /**
   * How many rows one actor may delete or edit, by name; counted in the application's database. Default: off.
   */
  readonly budgets?: BudgetsConfig | undefined
  /** The application's database, in which `budgets` are counted. */
  readonly budgetDatabase?: BudgetDatabaseConfig | undefined
  /**
   * Accounts, sessions, passkeys, API keys and OAuth for an application that has none; see identity.md.
   * Default: off.
   */
  readonly identity?: IdentityConfig | undefined
  /** Servers to share state through, for more than one machine. Default: embedded. */
  readonly stores?: StoresConfig | undefined
  /**
   * Where everything durable is kept, relative to the configuration. One process at a time. Default:
   * `.postern`.
   */
  readonly dataDirectory?: string | false | undefined
  /** Where operators ask for metrics, health and `postern limits`, or `false`. Gateway only. Default: on. */
  readonly admin?: AdminConfig | false | undefined
  /** Announces findings. */
  readonly alerts?: AlertsConfig | undefined
  /** Sends OpenTelemetry traces and metrics to a collector. Default: off. */
  readonly telemetry?: TelemetryConfig | undefined
  /** The web console. */
  readonly console?: ConsoleConfig | false | undefined
  /** Bytes of a body that rules may read. Default: `1mb`. */
  readonly bodyLimit?: ByteSize | undefined
}

/**
 * A configuration with its defaults, ready to be used: durations are milliseconds, sizes are bytes, patterns
 * and ranges are compiled.
 */
export interface CompiledConfig {
  readonly upstream?: string
  readonly listen: Listen
  readonly tls?: TlsConfig
  readonly forwardAuth: CompiledForwardAuth
  readonly keepHeaders: readonly string[]
  readonly signingKey?: string
  readonly backendCheck: CompiledBackendCheck | false
  readonly workers: number | 'auto'
  readonly timeouts: CompiledTimeouts
  readonly caps: CompiledCaps
  readonly trustProxies: CidrSet
  readonly mode: Mode
  readonly routes: CompiledRoutes
  readonly limits: readonly NamedLimit[]
  readonly shed?: LoadSheddingOptions
  readonly rateLimitHeaders: HeaderStyle
  readonly login: CompiledLoginConfig | false
  readonly csrf: CompiledCsrf | false
  readonly headers: HeadersSetting | false
  readonly bind?: CompiledBind
  readonly inspect: CompiledInspection | false
  readonly protocol: CompiledProtocol | false
  readonly block: ClientList
  readonly allow: ClientList
  readonly cors: CorsSettings | false
  readonly refusal: CompiledRefusal
  readonly schema: CompiledSchema
  readonly scenarios: CompiledScenarios | false
  readonly remediations: CompiledRemediations | false
  readonly policies?: string | Decides
  readonly approvals: CompiledApprovals
  readonly honey: CompiledHoney
  readonly crowdsec: CompiledCrowdsec
  readonly audit: CompiledAudit | false
  readonly budgets?: Budgets
  readonly budgetDatabase?: CompiledBudgetDatabase
  readonly identity?: CompiledIdentity
  readonly stores: CompiledStores
  /** Absolute once it was loaded. */
  readonly dataDirectory: string
  readonly admin: CompiledAdmin | false
  readonly alerts?: CompiledAlerts
  readonly telemetry?: CompiledTelemetry
  readonly console: CompiledConsole | false
  readonly bodyLimit: number
  readonly identify?: CompiledIdentify
  readonly guards: readonly Guard[]
  readonly detectors: readonly Detector[]
  readonly onEvent?: (event: Event) => void
}

/**
 * The table of configuration keys: type, default, description, example, and when a change takes effect.
 * Everything else that is said about a key is made from it. The order is that of the reference.
 */
export const configTable: z.ZodMiniType<CompiledConfig, Config> = section<CompiledConfig, Config>(
  'Config',
  () => ({
    mode: engineMode,
    trustProxies,
    routes,
    limits,
    shed,
    rateLimitHeaders,
    login,
    csrf,
    headers,
    bind,
    inspect: inspection,
    protocol,
    block,
    allow,
    cors,
    refusal,
    schema,
    scenarios,
    policies,
    approvals,
    honey,
    remediations,
    crowdsec,
    audit,
    budgets,
    budgetDatabase,
    identity,
    stores,
    dataDirectory,
    bodyLimit,
    identify,
    guards,
    detectors,
    onEvent,
    upstream,
    listen: listenPlace,
    tls,
    backendCheck,
    keepHeaders,
    signingKey,
    workers,
    forwardAuth,
    timeouts,
    caps,
    admin,
    alerts,
    telemetry,
    console: consoleSection,
  }),
)
