import type { KeyObject } from 'node:crypto'
import {
  CidrSet,
  ConfigError,
  type ConfigIssue,
  type Duration,
  type Engine,
  type Exchange,
  parseDuration,
  socketPath,
} from '@postern/core'
import type { HeldPort } from '../connection/held-port.ts'
import { parseSigningKey, type SigningKey } from '../message/identity-header.ts'

/** Certificate of the listener. HTTP/2 and HTTP/1.1 are negotiated by ALPN. */
export interface TlsOptions {
  /** PEM, the chain included. */
  readonly cert: string | Buffer
  /** PEM. */
  readonly key: string | Buffer
}

/** Where the gateway listens. */
export interface ListenOptions {
  /** Default: `127.0.0.1`. */
  readonly host?: string
  /** 0 for a free one. */
  readonly port: number
  /**
   * Of a Unix socket, in place of host and port: owner and group of the process may connect. Whoever does is
   * on this machine, so the address of the connection is `127.0.0.1`.
   */
  readonly path?: string
  readonly tls?: TlsOptions
  /**
   * Every connection must begin with a PROXY protocol header, version 1 or 2, and come from one of these
   * ranges (`10.0.0.0/8`, `loopback`, ...). Absent: no connection may.
   */
  readonly proxyProtocolFrom?: readonly string[]
  /**
   * Several processes or threads listen on the same port, and the kernel spreads connections
   * (`SO_REUSEPORT`).
   */
  readonly reusePort?: boolean
  /**
   * A port that was bound before (`holdPort`), in place of `host`, `port` and `reusePort`: those who wait
   * there are answered first.
   */
  readonly held?: HeldPort | undefined
}

/** Caps; each worker holds its own. */
export interface GatewayLimits {
  /** Bytes of a request head, and of a response head: 16,384. */
  readonly headerBytes?: number
  /** Connections open at once: 10,000. */
  readonly connections?: number
  /** Connections open at once from one address (an IPv6 /56); trusted proxies are exempt: 256. */
  readonly connectionsPerAddress?: number
  /** Requests on one connection, after which it is closed: 10,000. */
  readonly requestsPerConnection?: number
  /** Requests being worked on at once, tunnels included: 4,096. */
  readonly requests?: number
  /** HTTP/2 streams of one connection open at once: 100. */
  readonly streams?: number
  /** HTTP/2 streams a connection may cancel within ten seconds, and an address ten times as many: 100. */
  readonly resets?: number
  /** Connections to the backend: 256. */
  readonly upstreamConnections?: number
}

/** How long things may take. */
export interface GatewayTimeouts {
  /** For a request head to arrive: 10s. */
  readonly head?: Duration
  /** In each of these a request body must bring at least 1 KiB, or its end: 10s. */
  readonly bodyProgress?: Duration
  /** A connection between two requests: 30s. */
  readonly idle?: Duration
  /** For a client that stopped reading its answer: 30s. */
  readonly clientStall?: Duration
  /** For a connection to the backend: 5s. */
  readonly upstreamConnect?: Duration
  /** For the backend to begin its answer: 60s. */
  readonly upstreamHead?: Duration
  /** Between two parts of an answer: 5m. */
  readonly upstreamIdle?: Duration
  /** An unused connection to the backend, unless the backend asks for less (`Keep-Alive: timeout=`): 4s. */
  readonly upstreamKeepAlive?: Duration
  /**
   * How long a connection to the backend is used at all: 5m. The next one asks again where the backend is, so
   * that a change of its name in DNS, or of the servers behind it, is followed under traffic too.
   */
  readonly upstreamLifetime?: Duration
  /** A tunnel in which nothing moves: 10m. */
  readonly tunnelIdle?: Duration
  /** A tunnel in all: 12h. */
  readonly tunnelLifetime?: Duration
  /** Between two questions to `recheck` about an open tunnel or stream of events: 30s. */
  readonly tunnelRecheck?: Duration
}

/** What a gateway is started with: engine, backend, listener, timeouts and limits. */
export interface GatewayOptions {
  /** Decides; a function is asked for every request. */
  readonly engine: Engine | (() => Engine)
  /** The backend: `http://127.0.0.1:3000`, or `unix:/run/app.sock` for one that listens on a Unix socket. */
  readonly upstream: string
  /** Certificate authority for an `https:` backend that the system does not know. PEM. */
  readonly upstreamCa?: string | Buffer
  /** Host header to send instead of the client's own. */
  readonly rewriteHost?: string
  readonly listen: ListenOptions
  /** Where `/healthz` and `/readyz` are answered; never on the public address. */
  readonly management?: { readonly host?: string; readonly port: number }
  readonly limits?: GatewayLimits
  readonly timeouts?: GatewayTimeouts
  /** Signs `X-Postern-Identity`; without it the header is not sent. */
  readonly signingKey?: SigningKey
  /**
   * Request headers that go on to the backend from anybody, though by default only a trusted proxy may send
   * them: those that say who or where the client is (`CF-Connecting-IP`, `X-Remote-User`, ...), and those
   * with `_` in their name.
   */
  readonly keepHeaders?: readonly string[]
  /**
   * Asked again and again while a tunnel lives; false ends it (the session was revoked, the address banned).
   */
  readonly recheck?: (exchange: Exchange) => boolean | Promise<boolean>
  /** Kept at the number of requests under way in its first place: a worker's `link.underWay`. */
  readonly underWay?: Int32Array
}

/** Where the backend listens. */
export interface Upstream {
  readonly origin: URL
  /** Of a Unix socket, on which that origin is asked. */
  readonly socketPath: string | undefined
}

/** Options, validated, durations in milliseconds. */
export interface GatewaySettings {
  readonly upstream: Upstream
  readonly upstreamCa: string | Buffer | undefined
  readonly rewriteHost: string | undefined
  readonly signingKey: KeyObject | undefined
  readonly recheck: ((exchange: Exchange) => boolean | Promise<boolean>) | undefined
  readonly underWay: Int32Array
  readonly proxyProtocolFrom: CidrSet | undefined
  /**
   * Whether a header that only trusted proxies may send is kept from others too. @param lowerName in lower
   * case
   */
  readonly keepsHeader: (lowerName: string) => boolean
  readonly limits: Required<GatewayLimits>
  readonly timeouts: { readonly [Name in keyof Required<GatewayTimeouts>]: number }
}

const LIMITS: Required<GatewayLimits> = {
  headerBytes: 16_384,
  connections: 10_000,
  connectionsPerAddress: 256,
  requestsPerConnection: 10_000,
  requests: 4_096,
  streams: 100,
  resets: 100,
  upstreamConnections: 256,
}

const TIMEOUTS: { readonly [Name in keyof Required<GatewayTimeouts>]: Duration } = {
  head: '10s',
  bodyProgress: '10s',
  idle: '30s',
  clientStall: '30s',
  upstreamConnect: '5s',
  upstreamHead: '60s',
  upstreamIdle: '5m',
  upstreamKeepAlive: '4s',
  upstreamLifetime: '5m',
  tunnelIdle: '10m',
  tunnelLifetime: '12h',
  tunnelRecheck: '30s',
}

/** @throws ConfigError naming everything in the options that cannot be used */
export function parseGatewayOptions(options: GatewayOptions): GatewaySettings {
  const issues: ConfigIssue[] = []
  const attempt = <T>(parse: () => T): T | undefined => {
    try {
      return parse()
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      issues.push(...error.issues)
      return undefined
    }
  }
  const upstream = attempt(() => parseUpstream(options.upstream))
  const signingKey =
    options.signingKey === undefined
      ? undefined
      : attempt(() => parseSigningKey(options.signingKey as SigningKey))
  const from = options.listen.proxyProtocolFrom
  const proxyProtocolFrom =
    from === undefined ? undefined : attempt(() => CidrSet.parse(from, 'listen.proxyProtocolFrom'))
  const limits = { ...LIMITS, ...options.limits }
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isSafeInteger(value) || value < 1)
      issues.push({ place: `limits.${name}`, problem: `${value} is not a whole number above 0` })
  }
  const timeouts = { ...TIMEOUTS, ...options.timeouts }
  const milliseconds = (name: keyof GatewayTimeouts): number =>
    attempt(() => parseTimeout(timeouts[name], `timeouts.${name}`)) ?? 1
  const kept = new Set((options.keepHeaders ?? []).map(name => name.toLowerCase()))
  const parsed: GatewaySettings = {
    upstream: upstream ?? { origin: new URL('http://invalid'), socketPath: undefined },
    upstreamCa: options.upstreamCa,
    rewriteHost: options.rewriteHost,
    signingKey,
    recheck: options.recheck,
    underWay: options.underWay ?? new Int32Array(1),
    proxyProtocolFrom,
    keepsHeader: name => kept.has(name),
    limits,
    timeouts: {
      head: milliseconds('head'),
      bodyProgress: milliseconds('bodyProgress'),
      idle: milliseconds('idle'),
      clientStall: milliseconds('clientStall'),
      upstreamConnect: milliseconds('upstreamConnect'),
      upstreamHead: milliseconds('upstreamHead'),
      upstreamIdle: milliseconds('upstreamIdle'),
      upstreamKeepAlive: milliseconds('upstreamKeepAlive'),
      upstreamLifetime: milliseconds('upstreamLifetime'),
      tunnelIdle: milliseconds('tunnelIdle'),
      tunnelLifetime: milliseconds('tunnelLifetime'),
      tunnelRecheck: milliseconds('tunnelRecheck'),
    },
  }
  if (issues.length > 0) throw new ConfigError(issues)
  return parsed
}

function parseTimeout(duration: Duration, place: string): number {
  const ms = Math.round(parseDuration(duration, place))
  if (ms >= 1 && ms <= 2_147_483_647) return ms
  throw new ConfigError({ place, problem: `"${duration}" is not between 1ms and 24 days` })
}

function parseUpstream(text: string): Upstream {
  const path = socketPath(text)
  if (path !== undefined) return { origin: new URL('http://localhost'), socketPath: path }
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (
    url !== undefined &&
    (url.protocol === 'http:' || url.protocol === 'https:') &&
    url.username === '' &&
    url.password === '' &&
    url.pathname === '/' &&
    url.search === ''
  )
    return { origin: url, socketPath: undefined }
  throw new ConfigError({
    place: 'upstream',
    problem: 'the backend must be an origin, without path or credentials',
    hint: 'e.g. http://127.0.0.1:3000, or unix:/run/app.sock',
  })
}
