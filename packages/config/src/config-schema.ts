import type { Detector, Event, Guard, Identify, Mode } from '@postern/core'
import { PARAMETER_TYPES, type ParameterType } from '@postern/inspect'
import type { PathRisk } from '@postern/protocol'
import { z } from 'zod'
import { auditSchema } from './audit-schema.ts'
import {
  addressRange,
  backendUrl,
  byteSize,
  duration,
  inspectRule,
  limitRule,
  listen,
  routePattern,
  storeUrl,
} from './checks.ts'
import type {
  CapsConfig,
  Config,
  InspectConfig,
  InspectionConfig,
  LimitConfig,
  LimitKey,
  ShedConfig,
  TimeoutsConfig,
} from './config.ts'
import type { IdentifyConfig } from './identify-config.ts'
import { remediationsSchema } from './remediations-schema.ts'

const mode: z.ZodType<Mode> = z.enum(['enforce', 'observe'])
const method = z.string().regex(/^[A-Z]+$/, 'a method is written in capitals, e.g. "GET"')
const mediaType = z
  .string()
  .regex(/^[\w.+-]+\/(?:[\w.+-]+|\*)$/, 'a media type looks like "application/json" or "image/*"')
const positive = z.int().min(1)

const limitKey: z.ZodType<LimitKey> = z.union([
  z.enum(['address', 'network', 'principal', 'tenant', 'apiKey', 'route']),
  z.strictObject({ header: z.string().min(1) }),
  z.strictObject({ body: z.string().min(1) }),
  z.custom<Extract<LimitKey, (...input: never[]) => unknown>>(
    value => typeof value === 'function',
    'must be a function',
  ),
])

const limit: z.ZodType<LimitConfig> = z.strictObject({
  limit: limitRule.optional(),
  key: limitKey.optional(),
  routes: z.array(routePattern).optional(),
  cost: positive.optional(),
  exempt: z.array(z.string().min(1)).optional(),
  overrides: z.boolean().optional(),
})

const share = z.number().gt(0).max(1)

const shed: z.ZodType<ShedConfig> = z.strictObject({
  limit: z.union([
    z.literal('adaptive'),
    positive,
    z.strictObject({
      initial: positive.optional(),
      min: positive.optional(),
      max: positive.optional(),
      tolerance: z.number().gt(1).max(100).optional(),
    }),
  ]),
  critical: z.array(routePattern).optional(),
  sheddable: z.array(routePattern).optional(),
  shares: z
    .strictObject({ critical: share.optional(), default: share.optional(), sheddable: share.optional() })
    .optional(),
})

const level = z.literal([1, 2, 3, 4])
const except = { rule: inspectRule.optional(), parameter: z.string().min(1).optional() }

const parameterTypes = z.record(
  z
    .string()
    .regex(
      /^(?:query|body|cookie|header|path)(?:\.[^.\s]{1,128}){0,32}$/,
      'e.g. "query.id" or "body.items.*.note"',
    ),
  z.enum(PARAMETER_TYPES as readonly [ParameterType, ...ParameterType[]]),
)

const inspect: z.ZodType<InspectConfig> = z.strictObject({
  level: level.optional(),
  except: z.array(z.strictObject(except)).optional(),
  unread: z.enum(['refuse', 'pass']).optional(),
  overBudget: z.enum(['refuse', 'pass']).optional(),
  parameters: parameterTypes.optional(),
})

const inspection: z.ZodType<InspectionConfig> = z.strictObject({
  level: level.optional(),
  except: z.array(z.strictObject({ ...except, route: routePattern.optional() })).optional(),
  mode: mode.optional(),
  parameters: parameterTypes.optional(),
  rules: z
    .strictObject({
      ddtrace: z.union([z.boolean(), z.string().min(1)]).optional(),
      seclang: z.array(z.string().min(1)).max(200).optional(),
      unsupported: z.enum(['refuse', 'skip']).optional(),
    })
    .optional(),
  secondOpinion: z.literal('native-appsec').optional(),
})

const allowPaths: z.ZodType<readonly PathRisk[]> = z.array(
  z.enum([
    'dot-segment',
    'encoded-slash',
    'double-encoding',
    'backslash',
    'control-character',
    'bad-percent',
    'network-path',
    'not-a-path',
  ]),
)

const off = z.literal(false)

const route = z.strictObject({
  throttle: z.union([off, limitRule, limit]).optional(),
  inspect: z.union([off, inspect]).optional(),
  record: z.enum(['before', 'after', 'none']).optional(),
  methods: z.array(method).min(1).optional(),
  contentTypes: z.array(mediaType).min(1).optional(),
  maxBody: byteSize.optional(),
  allowPaths: allowPaths.optional(),
  honey: z.boolean().optional(),
})

const protocol = z.strictObject({
  methods: z.array(method).min(1).optional(),
  contentTypes: z.array(mediaType).min(1).optional(),
  maxBody: byteSize.optional(),
  maxHeaders: positive.optional(),
  maxHeaderBytes: byteSize.optional(),
  maxHeaderValue: byteSize.optional(),
  maxTarget: byteSize.optional(),
  allowPaths: allowPaths.optional(),
  allowOverrides: z.array(z.string().min(1)).optional(),
  mode: mode.optional(),
})

const scenarios = z.strictObject({
  folders: z.array(z.string().min(1)).optional(),
  without: z.array(z.string().min(1)).optional(),
  shipped: z.enum(['all', 'none']).optional(),
})

const honey = z.strictObject({
  fields: z.array(z.string().min(1)).optional(),
  records: z.array(z.string().min(6)).optional(),
  for: duration.optional(),
})

const crowdsec = z.strictObject({
  listen: listen.optional(),
  feed: z.strictObject({ url: backendUrl, key: z.string().min(1) }).optional(),
})

const timeouts = z.strictObject({
  head: duration.optional(),
  bodyProgress: duration.optional(),
  idle: duration.optional(),
  clientStall: duration.optional(),
  upstreamConnect: duration.optional(),
  upstreamHead: duration.optional(),
  upstreamIdle: duration.optional(),
  upstreamKeepAlive: duration.optional(),
  tunnelIdle: duration.optional(),
  tunnelLifetime: duration.optional(),
  tunnelRecheck: duration.optional(),
  drain: duration.optional(),
}) satisfies z.ZodType<TimeoutsConfig>

const caps = z.strictObject({
  headerBytes: positive.optional(),
  connections: positive.optional(),
  connectionsPerAddress: positive.optional(),
  requestsPerConnection: positive.optional(),
  requests: positive.optional(),
  streams: positive.optional(),
  resets: positive.optional(),
  upstreamConnections: positive.optional(),
}) satisfies z.ZodType<CapsConfig>

const identifyBy = z.union([
  z.literal('application'),
  z.custom<Identify>(value => typeof value === 'function', 'must be a function or "application"'),
])
const identify: z.ZodType<IdentifyConfig> = z.union([
  identifyBy,
  z.strictObject({
    by: identifyBy,
    deadline: duration.optional(),
    onFailure: z.enum(['anonymous', 'refuse']).optional(),
  }),
])

function has(value: unknown, ...methods: readonly string[]): boolean {
  if (typeof value !== 'object' || value === null) return false
  const part = value as Readonly<Record<string, unknown>>
  return typeof part['name'] === 'string' && methods.every(method => typeof part[method] === 'function')
}

const guard = z.custom<Guard>(
  value => has(value, 'decide') && ['open', 'closed'].includes(String((value as Guard).failure)),
  'must be a guard: { name, failure: "open" or "closed", decide(exchange) }',
)
const detector = z.custom<Detector>(
  value => has(value, 'observe'),
  'must be a detector: { name, observe(event) }',
)

/** What a configuration may say, checked whole. It changes nothing: defaults are applied when it is assembled. */
export const configSchema: z.ZodType<Config> = z.strictObject({
  upstream: backendUrl.optional(),
  listen: listen.optional(),
  tls: z.strictObject({ cert: z.string().min(1), key: z.string().min(1) }).optional(),
  forwardAuth: z
    .strictObject({
      dialect: z.enum(['nginx', 'traefik', 'caddy', 'envoy']),
      listen: listen.optional(),
      prefix: z.string().startsWith('/', 'must begin with "/"').optional(),
    })
    .optional(),
  workers: z.union([z.literal('auto'), z.int().min(1).max(256)]).optional(),
  timeouts: timeouts.optional(),
  caps: caps.optional(),
  trustProxies: z.array(addressRange).optional(),
  mode: mode.optional(),
  routes: z.record(routePattern, route).optional(),
  limits: z
    .record(
      z.string().regex(/^[\w-]{1,40}$/, 'a name has letters, digits, "-" and "_"'),
      z.union([off, limitRule, limit]),
    )
    .optional(),
  shed: shed.optional(),
  rateLimitHeaders: z.enum(['standard', 'legacy', 'both', 'none']).optional(),
  inspect: z.union([off, inspection]).optional(),
  protocol: z.union([off, protocol]).optional(),
  schema: z
    .strictObject({
      learn: z.boolean().optional(),
      inspect: z.boolean().optional(),
      enforce: z.string().min(1).optional(),
      mode: mode.optional(),
    })
    .optional(),
  scenarios: z.union([off, scenarios]).optional(),
  remediations: z.union([off, remediationsSchema]).optional(),
  honey: honey.optional(),
  crowdsec: crowdsec.optional(),
  audit: z.union([off, auditSchema]).optional(),
  stores: z
    .strictObject({
      postgres: storeUrl('postgres:', 'postgresql:').optional(),
      redis: z
        .union([storeUrl('redis:', 'rediss:'), z.array(storeUrl('redis:', 'rediss:')).min(1)])
        .optional(),
      limits: z.enum(['memory', 'redis', 'postgres']).optional(),
      failure: z.enum(['open', 'closed', 'local']).optional(),
    })
    .optional(),
  dataDirectory: z.string().min(1).optional(),
  admin: z.union([off, z.strictObject({ listen: listen.optional() })]).optional(),
  bodyLimit: byteSize.optional(),
  identify: identify.optional(),
  guards: z.array(guard).max(64).optional(),
  detectors: z.array(detector).max(64).optional(),
  onEvent: z
    .custom<(event: Event) => void>(value => typeof value === 'function', 'must be a function')
    .optional(),
})
