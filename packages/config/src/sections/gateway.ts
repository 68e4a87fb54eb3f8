import { ConfigError, type Duration } from '@postern/core'
import type { ForwardDialect } from '@postern/http'
import * as z from 'zod/mini'
import { checked, key, orOff, required, section } from '../key/key.ts'
import {
  backendAddress,
  count,
  duration,
  flag,
  gatewayListen,
  headerName,
  type Listen,
  listen,
  listOf,
  oneOf,
  requestPath,
  secondOrMore,
  text,
} from '../key/types.ts'

/** A certificate: PEM files, relative to the configuration. */
export interface TlsConfig {
  /** File of the certificate chain, in PEM. */
  readonly cert: string
  /** File of the private key, in PEM. */
  readonly key: string
}

/** The endpoint of `postern forward-auth`. */
export interface ForwardAuthConfig {
  /** The proxy that asks; it says how the request is described. */
  readonly dialect?: ForwardDialect | undefined
  /** Where the endpoint listens: a port or `host:port`. Default: `127.0.0.1:9090`. */
  readonly listen?: string | number | undefined
  /** Removed from the path that the proxy asks with: Envoy's `path_prefix`. */
  readonly prefix?: string | undefined
}

/** The forward-auth endpoint with its defaults. */
export interface CompiledForwardAuth {
  readonly dialect?: ForwardDialect
  readonly listen: Listen
  readonly prefix?: string
}

/** How long things may take in the gateway. */
export interface TimeoutsConfig {
  /** How long a request head may take to arrive. Default: `10s`. */
  readonly head?: Duration | undefined
  /** In each such period, a request body must bring at least 1 KiB, or its end. Default: `10s`. */
  readonly bodyProgress?: Duration | undefined
  /** How long a client's connection may be unused between two requests. Default: `30s`. */
  readonly idle?: Duration | undefined
  /** How long a client may read nothing of its response. Default: `30s`. */
  readonly clientStall?: Duration | undefined
  /** How long a connection to the backend may take to open. Default: `5s`. */
  readonly upstreamConnect?: Duration | undefined
  /** How long the backend may take to begin its response. Default: `60s`. */
  readonly upstreamHead?: Duration | undefined
  /** How long the backend may send nothing between two parts of a response. Default: `5m`. */
  readonly upstreamIdle?: Duration | undefined
  /**
   * How long an unused connection to the backend is kept; less if the backend's `Keep-Alive` says so.
   * Default: `4s`.
   */
  readonly upstreamKeepAlive?: Duration | undefined
  /**
   * How long a connection to the backend is used; the next one looks up the name of the backend again.
   * Default: `5m`.
   */
  readonly upstreamLifetime?: Duration | undefined
  /** How long a tunnel (WebSocket) may have no traffic. Default: `10m`. */
  readonly tunnelIdle?: Duration | undefined
  /** How long a tunnel may be open. Default: `12h`. */
  readonly tunnelLifetime?: Duration | undefined
  /**
   * Time between two checks whether an open tunnel or stream of events is still allowed. Those of a session
   * or key that is revoked are checked at once. Default: `30s`.
   */
  readonly tunnelRecheck?: Duration | undefined
  /** How long requests in flight may take to end when the gateway stops. Default: `10s`. */
  readonly drain?: Duration | undefined
}

/** Milliseconds. */
export type CompiledTimeouts = { readonly [Name in keyof TimeoutsConfig]-?: number }

/** How much the gateway handles at once. */
export interface CapsConfig {
  /** Largest request head, and largest response head, in bytes. Default: `16384`. */
  readonly headerBytes?: number | undefined
  /** Most client connections open at once. Default: `10000`. */
  readonly connections?: number | undefined
  /**
   * Most connections open at once from one address (an IPv6 /56 counts as one). Trusted proxies are exempt.
   * Default: `256`.
   */
  readonly connectionsPerAddress?: number | undefined
  /** Requests on one connection before it is closed. Default: `10000`. */
  readonly requestsPerConnection?: number | undefined
  /** Most requests handled at once, tunnels included. Default: `4096`. */
  readonly requests?: number | undefined
  /** Most HTTP/2 streams open at once on one connection. Default: `100`. */
  readonly streams?: number | undefined
  /**
   * Most HTTP/2 streams that a connection may cancel within 10 s; all of an address, ten times as many.
   * Default: `100`.
   */
  readonly resets?: number | undefined
  /** Most connections to the backend. Default: `256`. */
  readonly upstreamConnections?: number | undefined
}

/** The caps with their defaults. */
export type CompiledCaps = { readonly [Name in keyof CapsConfig]-?: number }

/** How the gateway looks whether the backend is up. */
export interface BackendCheckConfig {
  /**
   * Path that is asked for with `GET`: an answer of 5xx, or none within 2 s, is a failure. Without it only a
   * connection is opened, which a backend that hangs still accepts.
   */
  readonly path?: string | undefined
  /** Whether the process is not ready (`/readyz`) while the backend is down. Default: `false`. */
  readonly required?: boolean | undefined
  /** How often it looks; at least `1s`. Default: `5s`. */
  readonly every?: Duration | undefined
}

/** The check of the backend with its defaults. */
export interface CompiledBackendCheck {
  readonly path?: string
  readonly required: boolean
  /** Milliseconds. */
  readonly every: number
}

/** Where operators ask. */
export interface AdminConfig {
  /**
   * A port on this machine only, or `host:port`. Another free port is taken when the default one is in use.
   * Default: `127.0.0.1:9464`.
   */
  readonly listen?: string | number | undefined
}

/** The admin listener with its default. */
export interface CompiledAdmin {
  readonly listen: Listen
}

/** `upstream`. */
export const upstream: z.ZodMiniType<string | undefined, string | undefined> = key(backendAddress, {
  description:
    'Address of the backend: `http:`, `https:` (with a certificate for that host), or `unix:` with the path of a Unix socket. Gateway only.',
  example: 'http://127.0.0.1:3000',
  applies: 'restart',
})

/** `backendCheck`. */
export const backendCheck: z.ZodMiniType<
  CompiledBackendCheck | false,
  BackendCheckConfig | false | undefined
> = key(
  orOff(
    section<CompiledBackendCheck, BackendCheckConfig>('BackendCheckConfig', () => ({
      path: key(requestPath, {
        description:
          'Path that is asked for with `GET`: an answer of 5xx, or none within 2 s, is a failure. Without it only a connection is opened, which a backend that hangs still accepts.',
        example: '/healthz',
      }),
      required: key(flag, {
        description: 'Whether the process is not ready (`/readyz`) while the backend is down.',
        default: false,
        example: true,
      }),
      every: key(secondOrMore, {
        description: 'How often it looks; at least `1s`.',
        default: '5s',
        example: '30s',
      }),
    })),
  ),
  {
    description:
      'Checks whether the backend is up, for readiness, the log and metrics, or `false`. Gateway only.',
    default: {},
    defaultText: 'on',
    example: { required: true },
    applies: 'restart',
  },
)

const LEAST_KEY = 32
const longKey = checked(text, `text of at least ${LEAST_KEY} bytes`, value => {
  const length = Buffer.byteLength(value)
  if (length < LEAST_KEY)
    throw new ConfigError({
      place: '',
      problem: `has ${length} bytes, and a signing key needs at least ${LEAST_KEY}`,
      hint: 'openssl rand -base64 32',
    })
})

/** `signingKey`. */
export const signingKey: z.ZodMiniType<string | undefined, string | undefined> = key(longKey, {
  description:
    'Signs `X-Postern-Identity`, by which the gateway tells the backend who sends a request: at least 32 bytes. A secret: write `${NAME}`.',
  defaultText: 'the header is not sent',
  example: '${POSTERN_SIGNING_KEY}',
  applies: 'restart',
})

/** `keepHeaders`. */
export const keepHeaders: z.ZodMiniType<readonly string[], readonly string[] | undefined> = key(
  listOf(headerName),
  {
    description:
      'Request headers that go on to the backend from anybody. By default only trusted proxies may send those that say who or where a client is ' +
      '(`CF-Connecting-IP`, `X-Remote-User`, ...) and those with `_` in their name.',
    default: [],
    defaultText: 'none',
    example: ['X_Tenant'],
    applies: 'restart',
  },
)

/** `listen`. */
export const listenPlace: z.ZodMiniType<Listen, string | number | undefined> = key(gatewayListen, {
  description:
    'Where the gateway listens: `host:port`, or a port on this machine only. `0.0.0.0:8080` opens it to the network; `unix:/run/postern/http.sock` is a Unix socket, for a proxy on this machine.',
  default: '127.0.0.1:8080',
  example: '0.0.0.0:8080',
  applies: 'restart',
})

/** `tls`. */
export const tls: z.ZodMiniType<TlsConfig | undefined, TlsConfig | undefined> = key(
  section<TlsConfig, TlsConfig>('TlsConfig', () => ({
    cert: required(text, { description: 'File of the certificate chain, in PEM.', example: 'cert.pem' }),
    key: required(text, { description: 'File of the private key, in PEM.', example: 'key.pem' }),
  })),
  {
    description: 'Certificate of the gateway. A renewed file is taken without a restart.',
    defaultText: 'no TLS',
    example: { cert: 'cert.pem', key: 'key.pem' },
    applies: 'restart',
  },
)

/** `forwardAuth`. */
export const forwardAuth: z.ZodMiniType<CompiledForwardAuth, ForwardAuthConfig | undefined> = key(
  section<CompiledForwardAuth, ForwardAuthConfig>('ForwardAuthConfig', () => ({
    dialect: key(oneOf('nginx', 'traefik', 'caddy', 'envoy'), {
      description: 'The proxy that asks; it says how the request is described.',
      example: 'nginx',
    }),
    listen: key(listen, {
      description: 'Where the endpoint listens: a port or `host:port`.',
      default: '127.0.0.1:9090',
      example: '10.0.0.5:9090',
    }),
    prefix: key(z.string().check(z.startsWith('/', 'must begin with "/"')), {
      description: "Removed from the path that the proxy asks with: Envoy's `path_prefix`.",
      example: '/check',
    }),
  })),
  {
    description: 'The endpoint of `postern forward-auth`, for a proxy that asks before it forwards.',
    default: {},
    defaultText: '',
    example: { dialect: 'nginx' },
    applies: 'restart',
  },
)

/** `workers`. */
export const workers: z.ZodMiniType<number | 'auto', number | 'auto' | undefined> = key(
  z.union([z.literal('auto'), z.int().check(z.minimum(1), z.maximum(256))]),
  {
    description: 'Worker threads of the gateway; `auto` for one per core.',
    default: 1,
    example: 'auto',
    applies: 'restart',
  },
)

const timeout = (description: string, standard: string): z.ZodMiniType<number, Duration | undefined> =>
  key(duration, { description, default: standard, example: standard })

/** `timeouts`. */
export const timeouts: z.ZodMiniType<CompiledTimeouts, TimeoutsConfig | undefined> = key(
  section<CompiledTimeouts, TimeoutsConfig>('TimeoutsConfig', () => ({
    head: timeout('How long a request head may take to arrive.', '10s'),
    bodyProgress: timeout(
      'In each such period, a request body must bring at least 1 KiB, or its end.',
      '10s',
    ),
    idle: timeout("How long a client's connection may be unused between two requests.", '30s'),
    clientStall: timeout('How long a client may read nothing of its response.', '30s'),
    upstreamConnect: timeout('How long a connection to the backend may take to open.', '5s'),
    upstreamHead: timeout('How long the backend may take to begin its response.', '60s'),
    upstreamIdle: timeout('How long the backend may send nothing between two parts of a response.', '5m'),
    upstreamKeepAlive: timeout(
      "How long an unused connection to the backend is kept; less if the backend's `Keep-Alive` says so.",
      '4s',
    ),
    upstreamLifetime: timeout(
      'How long a connection to the backend is used; the next one looks up the name of the backend again.',
      '5m',
    ),
    tunnelIdle: timeout('How long a tunnel (WebSocket) may have no traffic.', '10m'),
    tunnelLifetime: timeout('How long a tunnel may be open.', '12h'),
    tunnelRecheck: timeout(
      'Time between two checks whether an open tunnel or stream of events is still allowed. Those of a session or key that is revoked are checked at once.',
      '30s',
    ),
    drain: timeout('How long requests in flight may take to end when the gateway stops.', '10s'),
  })),
  {
    description: 'How long things may take in the gateway.',
    default: {},
    defaultText: '',
    example: { head: '5s' },
    applies: 'restart',
  },
)

const cap = (description: string, standard: number): z.ZodMiniType<number, number | undefined> =>
  key(count, { description, default: standard, example: standard })

/** `caps`. */
export const caps: z.ZodMiniType<CompiledCaps, CapsConfig | undefined> = key(
  section<CompiledCaps, CapsConfig>('CapsConfig', () => ({
    headerBytes: cap('Largest request head, and largest response head, in bytes.', 16_384),
    connections: cap('Most client connections open at once.', 10_000),
    connectionsPerAddress: cap(
      'Most connections open at once from one address (an IPv6 /56 counts as one). Trusted proxies are exempt.',
      256,
    ),
    requestsPerConnection: cap('Requests on one connection before it is closed.', 10_000),
    requests: cap('Most requests handled at once, tunnels included.', 4_096),
    streams: cap('Most HTTP/2 streams open at once on one connection.', 100),
    resets: cap(
      'Most HTTP/2 streams that a connection may cancel within 10 s; all of an address, ten times as many.',
      100,
    ),
    upstreamConnections: cap('Most connections to the backend.', 256),
  })),
  {
    description: 'How much the gateway handles at once, per worker.',
    default: {},
    defaultText: '',
    example: { connections: 2_000 },
    applies: 'restart',
  },
)

/** `admin`. */
export const admin: z.ZodMiniType<CompiledAdmin | false, AdminConfig | false | undefined> = key(
  orOff(
    section<CompiledAdmin, AdminConfig>('AdminConfig', () => ({
      listen: key(listen, {
        description:
          'A port on this machine only, or `host:port`. Another free port is taken when the default one is in use.',
        default: '127.0.0.1:9464',
        example: 9_000,
      }),
    })),
  ),
  {
    description: 'Where operators ask for metrics, health and `postern limits`, or `false`. Gateway only.',
    default: {},
    defaultText: 'on',
    example: { listen: '127.0.0.1:9000' },
    applies: 'restart',
  },
)
