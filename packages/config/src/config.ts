import type { ByteSize, Duration, Exchange, Mode, RecordPromise } from '@postern/core'
import type { GatewayLimits, GatewayTimeouts } from '@postern/gateway'
import type { ForwardDialect } from '@postern/http'
import type { ParameterType } from '@postern/inspect'
import type { PathRisk } from '@postern/protocol'
import type { ExtensionConfig } from './identify-config.ts'
import type { LimitRule } from './limit-rule.ts'

/** Whom a limit is held against. */
export type LimitKey =
  | 'address'
  | 'network'
  | 'principal'
  | 'tenant'
  | 'apiKey'
  | 'route'
  | { readonly header: string }
  /** A field of a JSON or form body, `email` or `user.email`. */
  | { readonly body: string }
  /** TypeScript only: any text made from the exchange; undefined leaves the exchange out. */
  | ((exchange: Exchange) => string | undefined)

/** A limit with a name, as it appears in refusals and in `postern limits`. */
export interface LimitConfig {
  /** The rule; may only be left out to change something else of a default limit. */
  readonly limit?: LimitRule | undefined
  /** `address` (an IPv6 /56 counts as one) unless told otherwise. */
  readonly key?: LimitKey | undefined
  /** Patterns of the routes it counts; every route unless told otherwise. */
  readonly routes?: readonly string[] | undefined
  /** Units that one request takes; 1 unless told otherwise. */
  readonly cost?: number | undefined
  /** Keys it is not held against, as refusals write them. */
  readonly exempt?: readonly string[] | undefined
  /** Whether single keys may have rules of their own, set by `postern limits set` and obeyed within seconds. */
  readonly overrides?: boolean | undefined
}

/** What happens when the process has more to do than it can: the least important is answered 503 first. */
export interface ShedConfig {
  /** Requests at a time in one process or worker: a number, or `adaptive`, found from their latency, with its bounds if need be. */
  readonly limit:
    | number
    | 'adaptive'
    | {
        readonly initial?: number | undefined
        readonly min?: number | undefined
        readonly max?: number | undefined
        readonly tolerance?: number | undefined
      }
  /** Patterns of routes that go last: health checks, payments. */
  readonly critical?: readonly string[] | undefined
  /** Patterns of routes that go first: exports, previews. */
  readonly sheddable?: readonly string[] | undefined
  /** The share of the limit that each class may fill; 1, 0.9 and 0.6 unless told otherwise. */
  readonly shares?:
    | {
        readonly critical?: number | undefined
        readonly default?: number | undefined
        readonly sheddable?: number | undefined
      }
    | undefined
}

/** Leaves one rule out at one place. All that is given must fit: the more, the narrower. */
export interface ExceptConfig {
  /** Rule id or a family with `*`: `sqli/union`, `sqli/*`. */
  readonly rule?: string | undefined
  /** Where the value stands, `*` for one part, `**` for the rest: `body.comment`, `query.q`, `header.referer`. */
  readonly parameter?: string | undefined
}

/** How content is read for attacks on a route. */
export interface InspectConfig {
  /** 1 (fewest false alarms) to 4 (strictest); 1 unless told otherwise. */
  readonly level?: 1 | 2 | 3 | 4 | undefined
  readonly except?: readonly ExceptConfig[] | undefined
  /** What happens to a body that is longer than `bodyLimit`; `refuse` unless told otherwise. */
  readonly unread?: 'refuse' | 'pass' | undefined
  /** What parameters hold: `{ 'query.id': 'number', 'body.html': 'markup' }`. */
  readonly parameters?: Readonly<Record<string, ParameterType>> | undefined
  /** What happens to a request that costs more to inspect than one may; default `refuse`. */
  readonly overBudget?: 'refuse' | 'pass' | undefined
}

/** How content is read for attacks everywhere. */
export interface InspectionConfig {
  readonly level?: 1 | 2 | 3 | 4 | undefined
  /** Exceptions that may name a route: `POST /posts`, `/posts/**`. */
  readonly except?: readonly (ExceptConfig & { readonly route?: string | undefined })[] | undefined
  readonly mode?: Mode | undefined
  /** What parameters hold on every route; a route's own `parameters` count first. */
  readonly parameters?: Readonly<Record<string, ParameterType>> | undefined
  /** Rules of others beside ours, read from files of the application. */
  readonly rules?:
    | {
        /** dd-trace's `recommended.json`: a path, or `true` for the one in the application's node_modules. */
        readonly ddtrace?: boolean | string | undefined
        /** Files of ModSecurity rules (SecLang), such as a checkout of the Core Rule Set. */
        readonly seclang?: readonly string[] | undefined
        /** What happens to SecLang that is not understood: the whole file is refused unless told otherwise. */
        readonly unsupported?: 'refuse' | 'skip' | undefined
      }
    | undefined
  /** Asked about what our rules let pass; the application installs `@datadog/native-appsec` and `dd-trace`. */
  readonly secondOpinion?: 'native-appsec' | undefined
}

/** The parameters that routes take. */
export interface SchemaConfig {
  /** Learns them from requests that went well, for `postern parameters propose`. Nothing is refused; one worker only. */
  readonly learn?: boolean | undefined
  /** Inspection uses the types of parameters that were learned from many distinct networks; needs `learn`. Default false. */
  readonly inspect?: boolean | undefined
  /** A JSON file of what was proposed and reviewed: other parameters are refused. */
  readonly enforce?: string | undefined
  /** Of `enforce`: `observe` records what it would refuse. */
  readonly mode?: Mode | undefined
}

/** What holds on the routes of one pattern. */
export interface RouteConfig {
  /** A limit per address on this pattern, besides the named ones; `false` frees the route of limits per route. */
  readonly throttle?: LimitRule | LimitConfig | false | undefined
  /** `false` switches the inspection off here. */
  readonly inspect?: InspectConfig | false | undefined
  /** Whether the exchange is written down before it is handled, after it, or not at all (refusals always are). */
  readonly record?: RecordPromise | undefined
  /** Methods this route answers. */
  readonly methods?: readonly string[] | undefined
  /** Media types this route reads. */
  readonly contentTypes?: readonly string[] | undefined
  readonly maxBody?: ByteSize | undefined
  /** Kinds of ambiguous path this route lets through. */
  readonly allowPaths?: readonly PathRisk[] | undefined
  /** Nobody has business here: whoever asks is banned for a while. */
  readonly honey?: boolean | undefined
}

/** How HTTP itself is checked. */
export interface ProtocolConfig {
  readonly methods?: readonly string[] | undefined
  readonly contentTypes?: readonly string[] | undefined
  /** `100mb` unless told otherwise. */
  readonly maxBody?: ByteSize | undefined
  readonly maxHeaders?: number | undefined
  readonly maxHeaderBytes?: ByteSize | undefined
  readonly maxHeaderValue?: ByteSize | undefined
  readonly maxTarget?: ByteSize | undefined
  readonly allowPaths?: readonly PathRisk[] | undefined
  readonly allowOverrides?: readonly string[] | undefined
  readonly mode?: Mode | undefined
}

/** What watches events over time. */
export interface ScenariosConfig {
  /** Folders of Sigma YAML beside the shipped scenarios, relative to the configuration; followed while the process runs. */
  readonly folders?: readonly string[] | undefined
  /** Names of shipped files, or of the detectors `id-walk`, `volume` and `session-drift`, to leave out: `http-crawl`. */
  readonly without?: readonly string[] | undefined
  /** Whether the shipped scenarios are used; `all` unless told otherwise. */
  readonly shipped?: 'all' | 'none' | undefined
}

/** Traps that only somebody who searches can touch; who does is refused and held. `honey: true` on a route makes it one. */
export interface HoneyConfig {
  /** Names of query or body fields that no person fills, because the form hides them. */
  readonly fields?: readonly string[] | undefined
  /** Ids of records that nobody should ever open, at least 6 characters. */
  readonly records?: readonly string[] | undefined
  /** How long the actor is held; a day unless told otherwise. */
  readonly for?: Duration | undefined
}

/** Work with CrowdSec: its bouncers obey us, or we obey it. */
export interface CrowdsecConfig {
  /** Where CrowdSec's local API is served to bouncers; nowhere unless given. Keys: `postern bouncers add NAME`. */
  readonly listen?: string | number | undefined
  /** A CrowdSec whose decisions we hold too. */
  readonly feed?: { readonly url: string; readonly key: string } | undefined
}

/** An IP list at Cloudflare. */
export interface CloudflareConfig {
  /** Ids of account and list, 32 hexadecimal digits. */
  readonly account: string
  readonly list: string
  /** An API token that may edit account filter lists. A secret: write `${NAME}`. */
  readonly token: string
  /** How often; a minute unless told otherwise. */
  readonly every?: Duration | undefined
  /** Most items, those that last longest; 10,000 unless told otherwise. */
  readonly capacity?: number | undefined
  /** `https://api.cloudflare.com/client/v4` unless told otherwise. */
  readonly api?: string | undefined
}

/** Standing measures. */
export interface RemediationsConfig {
  /** Addresses and ranges that are never banned; loopback and trusted proxies never are. */
  readonly never?: readonly string[] | undefined
  /** Keeps blocks in two sets of the kernel's firewall, table `postern` unless told otherwise; needs the right to change it (CAP_NET_ADMIN). */
  readonly nftables?: boolean | { readonly table?: string | undefined } | undefined
  /** Keeps blocks in an IP list of Cloudflare, which a rule of yours blocks. */
  readonly cloudflare?: CloudflareConfig | undefined
}

/** The log that nobody can quietly change. */
export interface AuditConfig {
  /** Name of this log in its checkpoints; `postern.local/log` unless told otherwise. */
  readonly origin?: string | undefined
  /** `after` answers unless told otherwise; `before` makes every recorded exchange durable before it is handled. */
  readonly promise?: 'before' | 'after' | undefined
  /** Others that countersign (C2SP tlog-witness): without one, who holds key and disk can rewrite everything. */
  readonly witnesses?: readonly { readonly url: string; readonly verifierKey: string }[] | undefined
  /** Places outside this machine that keep checkpoints: a file on another mount, or an address that takes PUT. */
  readonly anchors?:
    | readonly (
        | { readonly file: string }
        | { readonly url: string; readonly authorization?: string | undefined }
      )[]
    | undefined
  /** `embedded` (in the data directory) unless told otherwise; `postgres` keeps one log for all instances, in `stores.postgres`. */
  readonly store?: 'embedded' | 'postgres' | undefined
  /** Signs the checkpoints of a log in PostgreSQL, the same on every instance, the current key first. Secrets: `postern audit key` makes one. */
  readonly signerKeys?: readonly string[] | undefined
  /** How long entries are kept; for ever unless told otherwise. Proofs stay. */
  readonly retention?: Duration | undefined
  /** After how long the key of a day's traffic without a principal is destroyed, and its addresses with it; never unless told otherwise. */
  readonly forgetAnonymousAfter?: Duration | undefined
  /** Where entries are sent as well, each at least once and in order. */
  readonly ship?: readonly ShipConfig[] | undefined
  /** Whether the process is not ready while the log takes no entries; it is unless told otherwise. */
  readonly required?: boolean | undefined
}

/** A collector of entries: CEF over syslog (`tls://` or `tcp://`), or a webhook that is signed as Standard Webhooks has it. */
export type ShipConfig =
  | {
      readonly syslog: string
      /** Certificates to trust instead of the system's: a PEM file. */
      readonly ca?: string | undefined
    }
  | {
      readonly webhook: string
      /** At least 24 bytes in base64. */
      readonly secret?: string | undefined
      /** A file that holds the secret. */
      readonly secretFile?: string | undefined
      readonly format?: 'ndjson' | 'ocsf' | undefined
    }

/** Servers to share state through, for more than one machine. Addresses may hold passwords: write `${NAME}` to take them from the environment. */
export interface StoresConfig {
  /** `postgres://user:password@host/database` */
  readonly postgres?: string | undefined
  /** `redis://host:6379`; several for a cluster. */
  readonly redis?: string | readonly string[] | undefined
  /** Where limits are counted; `redis` when it has an address, else `memory`. */
  readonly limits?: 'memory' | 'redis' | 'postgres' | undefined
  /** What happens to limits when the store does not answer in time; `local` unless told otherwise. */
  readonly failure?: 'open' | 'closed' | 'local' | undefined
}

/** How long things may take in the gateway; what is not given keeps its default. */
export interface TimeoutsConfig extends Partial<Record<TimeoutName, Duration | undefined>> {
  /** For requests in flight to end when the gateway stops; `10s`. */
  readonly drain?: Duration | undefined
}

/** Time limits of the gateway, in the words of `GatewayTimeouts`. */
export type TimeoutName = keyof GatewayTimeouts

/** How much the gateway takes at once, in the words of `GatewayLimits`. */
export type CapsConfig = Partial<Record<keyof GatewayLimits, number | undefined>>

/** Certificate of the front, PEM files relative to the configuration. */
export interface TlsConfig {
  readonly cert: string
  readonly key: string
}

/** The endpoint of `postern forward-auth`. */
export interface ForwardAuthConfig {
  /** Which proxy asks. */
  readonly dialect: ForwardDialect
  /** A port or `host:port`; `127.0.0.1:9090` unless told otherwise. */
  readonly listen?: string | number | undefined
  /** Taken off the path the proxy asks with: Envoy's `path_prefix`. */
  readonly prefix?: string | undefined
}

/** Everything a `postern.config.*` may say. Every key has a default; the empty configuration protects. */
export interface Config extends ExtensionConfig {
  /** Where the backend listens; gateway only. */
  readonly upstream?: string | undefined
  /** Where the gateway listens: `host:port`, or a port on this machine only; `127.0.0.1:8080` unless told otherwise. */
  readonly listen?: string | number | undefined
  readonly tls?: TlsConfig | undefined
  /** For a proxy that asks before it forwards; read by `postern forward-auth`. */
  readonly forwardAuth?: ForwardAuthConfig | undefined
  /** Worker threads of the gateway; 1 unless told otherwise, `auto` for one per core. */
  readonly workers?: number | 'auto' | undefined
  readonly timeouts?: TimeoutsConfig | undefined
  readonly caps?: CapsConfig | undefined
  /** Who may say whose request they carry: addresses, ranges, `loopback`, `linklocal`, `private`. Nobody unless told otherwise. */
  readonly trustProxies?: readonly string[] | undefined
  /** `observe` decides and records but never blocks; `enforce` unless told otherwise. */
  readonly mode?: Mode | undefined
  readonly routes?: Readonly<Record<string, RouteConfig>> | undefined
  /** Named limits; `false` switches a default one off. */
  readonly limits?: Readonly<Record<string, LimitConfig | LimitRule | false>> | undefined
  /** Off unless given. */
  readonly shed?: ShedConfig | undefined
  /** What answers tell of limits: `RateLimit` and `RateLimit-Policy` (`standard`), `X-RateLimit-*` (`legacy`), `both` or `none`. */
  readonly rateLimitHeaders?: 'standard' | 'legacy' | 'both' | 'none' | undefined
  readonly inspect?: InspectionConfig | false | undefined
  readonly protocol?: ProtocolConfig | false | undefined
  readonly schema?: SchemaConfig | undefined
  readonly scenarios?: ScenariosConfig | false | undefined
  readonly remediations?: RemediationsConfig | false | undefined
  readonly honey?: HoneyConfig | undefined
  readonly crowdsec?: CrowdsecConfig | undefined
  readonly audit?: AuditConfig | false | undefined
  readonly stores?: StoresConfig | undefined
  /** Where everything durable is kept; `.postern` beside the configuration unless told otherwise. */
  readonly dataDirectory?: string | undefined
  /** Where operators ask: metrics, health, commands; `127.0.0.1:9464` unless told otherwise. */
  readonly admin?: { readonly listen?: string | number | undefined } | false | undefined
  /** Bytes of a body that rules may read; `1mb` unless told otherwise. */
  readonly bodyLimit?: ByteSize | undefined
}

/**
 * Gives a configuration its type.
 * @example
 * export default defineConfig({
 *   upstream: 'http://127.0.0.1:3000',
 *   routes: { 'POST /login': { throttle: limit(5, '1m') } },
 * })
 */
export function defineConfig(config: Config): Config {
  return config
}
