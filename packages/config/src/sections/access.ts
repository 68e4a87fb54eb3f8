import type { ApproveRule, Decides, MakerTable, OwnedRoute, Requirement, RoutePolicy } from '@postern/access'
import { checkActRule, makersOf } from '@postern/access/start'
import { ConfigError, type Duration, type Principal, RouteTable } from '@postern/core'
import * as z from 'zod/mini'
import { checked, inCode, key, parsed, required, section } from '../key/key.ts'
import { count, duration, listOf, oneOf, text, url, webUrl } from '../key/types.ts'

/** What a caller must have, or prove, on a route. */
export interface RequireConfig {
  /** Roles of which the caller must have one. Default: any. */
  readonly role?: string | readonly string[] | undefined
  /** Scopes of which the caller must have all. Default: none. */
  readonly scope?: string | readonly string[] | undefined
  /** Kinds of principal of which the caller must be one. Default: every kind but `anonymous`. */
  readonly kind?: Principal['kind'] | readonly Principal['kind'][] | undefined
  /**
   * How old the caller's last proof of identity may be; `act` asks for one that is bound to this request.
   * Default: none.
   */
  readonly stepUp?: Duration | 'act' | undefined
  /** Whether somebody who acts for another user may do this: `allow` or `refuse`. Default: `allow`. */
  readonly impersonation?: 'allow' | 'refuse' | undefined
}

/** Whose consent a route takes. */
export interface ApproveConfig {
  /**
   * Who can approve: `role:owner`, `scope:approve`, `user:bob` or `owner` (of the agent that asks). One of
   * several is enough; never the requester.
   */
  readonly by: string | readonly string[]
  /** How long a request for approval waits before it lapses. Default: `1h`. */
  readonly ttl?: Duration | undefined
  /** Most rows that the approved act may change. Default: none are granted. */
  readonly rows?: number | undefined
  /** `over`: only for what goes over the route's `budget`. Default: `always`. */
  readonly when?: 'always' | 'over' | undefined
  /** Always: nobody can approve their own request. Default: `true`. */
  readonly distinct?: true | undefined
}

/** Which policy decides on a route, and about what. */
export interface PolicyConfig {
  /** The action that policies decide on. */
  readonly action: string
  /** Type of the resource. Default: the action up to its last dot. */
  readonly type?: string | undefined
  /** The parameter of the pattern that holds the id. Default: `id`. */
  readonly param?: string | undefined
  /**
   * Loads the resource by its id, so that policies see what is stored. Only in a configuration that is code.
   * Default: only the id is known.
   */
  readonly load?: RoutePolicy['load'] | undefined
}

/** Says that a route serves records that belong to somebody. */
export interface OwnedConfig {
  /** Type of the records. */
  readonly type: string
  /** The parameter of the pattern that holds the id. Default: `id`. */
  readonly param?: string | undefined
  /** Roles that may see records of others. Default: none. */
  readonly except?: readonly string[] | undefined
}

export function oneOrMore<Value>(
  type: z.ZodMiniType<Value, Value>,
): z.ZodMiniType<readonly Value[], Value | readonly Value[]> {
  return parsed(z.union([type, listOf(type, 50)]), undefined, value =>
    Array.isArray(value) ? (value as readonly Value[]) : [value as Value],
  )
}

const name: z.ZodMiniType<string, string> = z
  .string()
  .check(z.regex(/^[^\s"\\]{1,100}$/, 'a name has no spaces, quotes or backslashes'))
const kind: z.ZodMiniType<Principal['kind'], Principal['kind']> = oneOf(
  'anonymous',
  'user',
  'service',
  'apiKey',
)
const approver: z.ZodMiniType<string, string> = checked(text, 'a rule such as "role:owner"', by => {
  try {
    checkActRule({ approve: { by } }, '')
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    // Where it stands is known; the rule itself cannot know.
    throw new ConfigError(error.issues.map(issue => ({ ...issue, place: '' })))
  }
})

/** `routes.*.require`. */
export const requirement: z.ZodMiniType<Requirement, RequireConfig> = section<Requirement, RequireConfig>(
  'RequireConfig',
  () => ({
    role: key(oneOrMore(name), {
      description: 'Roles of which the caller must have one.',
      defaultText: 'any',
      example: 'support',
    }),
    scope: key(oneOrMore(name), {
      description: 'Scopes of which the caller must have all.',
      defaultText: 'none',
      example: ['orders', 'refunds'],
    }),
    kind: key(oneOrMore(kind), {
      description: 'Kinds of principal of which the caller must be one.',
      defaultText: 'every kind but `anonymous`',
      example: 'user',
    }),
    stepUp: key(z.union([z.literal('act'), duration]), {
      description:
        "How old the caller's last proof of identity may be; `act` asks for one that is bound to this request.",
      defaultText: 'none',
      example: '10m',
    }),
    impersonation: key(oneOf('allow', 'refuse'), {
      description: 'Whether somebody who acts for another user may do this: `allow` or `refuse`.',
      defaultText: '`allow`',
      example: 'refuse',
    }),
  }),
)

/** `routes.*.approve`. */
export const approve: z.ZodMiniType<ApproveRule, ApproveConfig> = section<ApproveRule, ApproveConfig>(
  'ApproveConfig',
  () => ({
    by: required(oneOrMore(approver), {
      description:
        'Who can approve: `role:owner`, `scope:approve`, `user:bob` or `owner` (of the agent that asks). One of several is enough; never the requester.',
      example: 'role:owner',
    }),
    ttl: key(duration, {
      description: 'How long a request for approval waits before it lapses.',
      defaultText: '`1h`',
      example: '4h',
    }),
    rows: key(count, {
      description: 'Most rows that the approved act may change.',
      defaultText: 'none are granted',
      example: 5_000,
    }),
    when: key(oneOf('always', 'over'), {
      description: "`over`: only for what goes over the route's `budget`.",
      defaultText: '`always`',
      example: 'over',
    }),
    distinct: key(z.literal(true), {
      description: 'Always: nobody can approve their own request.',
      defaultText: '`true`',
      example: true,
    }),
  }),
)

const action: z.ZodMiniType<string, string> = z
  .string()
  .check(z.regex(/^[\w:/-]+(?:\.[\w:/-]+)*$/, 'an action looks like "order.delete"'))

/** `routes.*.policy`. */
export const policy: z.ZodMiniType<string | RoutePolicy, string | PolicyConfig> = z.union([
  action,
  section<RoutePolicy, PolicyConfig>('PolicyConfig', () => ({
    action: required(action, { description: 'The action that policies decide on.', example: 'order.delete' }),
    type: key(name, {
      description: 'Type of the resource.',
      defaultText: 'the action up to its last dot',
      example: 'order',
    }),
    param: key(name, {
      description: 'The parameter of the pattern that holds the id.',
      defaultText: '`id`',
      example: 'order',
    }),
    load: key(
      inCode<NonNullable<RoutePolicy['load']>>('a function', value => typeof value === 'function'),
      {
        description:
          'Loads the resource by its id, so that policies see what is stored. Only in a configuration that is code.',
        defaultText: 'only the id is known',
      },
    ),
  })),
])

const recordType: z.ZodMiniType<string, string> = z
  .string()
  .check(z.regex(/^[A-Za-z][\w-]{0,63}$/, 'a type of record looks like "order"'))

/** `routes.*.owned`. */
export const owned: z.ZodMiniType<string | OwnedRoute, string | OwnedConfig> = z.union([
  recordType,
  section<OwnedRoute, OwnedConfig>('OwnedConfig', () => ({
    type: required(recordType, { description: 'Type of the records.', example: 'invoice' }),
    param: key(name, {
      description: 'The parameter of the pattern that holds the id.',
      defaultText: '`id`',
      example: 'invoice',
    }),
    except: key(listOf(name, 50), {
      description: 'Roles that may see records of others.',
      defaultText: 'none',
      example: ['support'],
    }),
  })),
])

/** `policies`. */
export const policies: z.ZodMiniType<string | Decides | undefined, string | Decides | undefined> = key(
  z.union([
    text,
    inCode<Decides>(
      'definePolicies([...])',
      value =>
        typeof value === 'object' &&
        value !== null &&
        'decide' in value &&
        typeof value.decide === 'function',
    ),
  ]),
  {
    description:
      'The policies that `routes.*.policy` asks: a module that exports them as `policies`, or a `.cedar` file; in code, the policies themselves.',
    defaultText: 'none',
    example: 'policies.ts',
    applies: 'restart',
  },
)

/** Where notices of approvals are sent. */
export interface WebhookConfig {
  readonly url: string
  /** Signs the messages: at least 24 bytes in base64. A secret: write `${NAME}`. */
  readonly secret: string
}

/** How approvals are kept and decided. */
export interface ApprovalsConfig {
  /** Path of the pages on which approvals are followed and decided. Default: `/.postern/approvals`. */
  readonly path?: string | undefined
  /** Address of this site, before `path` in notices. Default: `http://127.0.0.1:8080`. */
  readonly origin?: string | undefined
  /** How recently the approver must have signed in. Default: `10m`. */
  readonly stepUp?: Duration | undefined
  /** Requests that one actor may have pending, and may make in an hour. Default: `20`. */
  readonly maxPending?: number | undefined
  /** How long decided and lapsed requests for approval are kept. Default: `90d`. */
  readonly keep?: Duration | undefined
  /**
   * 32 bytes or more in base64 that seal decisions. A secret: write `${NAME}`. Default: decisions are not
   * sealed.
   */
  readonly key?: string | undefined
  /**
   * Whose the machines are that ask with a key, a certificate or as an OAuth client: nobody decides what a
   * machine of theirs asks for. `service:*` is every other service. Default: only who made a key is known.
   */
  readonly makers?: MakerTable | undefined
  /** Webhook that signed notices of approvals are sent to. Default: nowhere. */
  readonly webhook?: WebhookConfig | undefined
}

/** How approvals are kept and decided, with defaults. */
export interface CompiledApprovals {
  readonly path: string
  readonly origin: string
  /** Milliseconds. */
  readonly stepUp: number
  readonly maxPending: number
  /** Milliseconds. */
  readonly keep: number
  readonly key?: Uint8Array
  readonly makers?: MakerTable
  readonly webhook?: WebhookConfig
}

const SHORT_KEY = 'must be 32 bytes or more in base64'

const sealKey: z.ZodMiniType<Uint8Array, string> = parsed(
  z.base64(SHORT_KEY).check(z.refine(value => Buffer.from(value, 'base64').length >= 32, SHORT_KEY)),
  '32 bytes in base64',
  value => Buffer.from(value, 'base64'),
)

/** `approvals`. */
export const approvals: z.ZodMiniType<CompiledApprovals, ApprovalsConfig | undefined> = key(
  section<CompiledApprovals, ApprovalsConfig>('ApprovalsConfig', () => ({
    path: key(
      checked(text, 'a path such as "/.postern/approvals"', value => new RouteTable({ [value]: {} })),
      {
        description: 'Path of the pages on which approvals are followed and decided.',
        default: '/.postern/approvals',
        example: '/admin/approvals',
      },
    ),
    origin: key(webUrl, {
      description: 'Address of this site, before `path` in notices.',
      default: 'http://127.0.0.1:8080',
      example: 'https://shop.example',
    }),
    stepUp: key(duration, {
      description: 'How recently the approver must have signed in.',
      default: '10m',
      example: '5m',
    }),
    maxPending: key(count, {
      description: 'Requests that one actor may have pending, and may make in an hour.',
      default: 20,
      example: 5,
    }),
    keep: key(duration, {
      description: 'How long decided and lapsed requests for approval are kept.',
      default: '90d',
      example: '365d',
    }),
    key: key(sealKey, {
      description: '32 bytes or more in base64 that seal decisions. A secret: write `${NAME}`.',
      defaultText: 'decisions are not sealed',
      example: '${APPROVALS_KEY}',
    }),
    makers: key(
      checked(z.record(z.string(), z.union([z.string(), listOf(z.string(), 50)])), 'a table', table =>
        makersOf(table, ''),
      ),
      {
        description:
          'Whose the machines are that ask with a key, a certificate or as an OAuth client: nobody decides what a machine of theirs asks for. `service:*` is every other service.',
        defaultText: 'only who made a key is known',
        example: { 'service:reports': 'user:ann', 'service:*': ['user:ben', 'user:cem'] },
      },
    ),
    webhook: key(
      section<WebhookConfig, WebhookConfig>('WebhookConfig', () => ({
        url: required(url, {
          description: 'Address of the webhook: `https:`, or `http:` on loopback only.',
          example: 'https://hooks.example/approvals',
        }),
        secret: required(text, {
          description:
            '`whsec_` and 24 to 64 bytes in base64, as Standard Webhooks writes them. A secret: write `${NAME}`.',
          example: '${APPROVALS_WEBHOOK_SECRET}',
        }),
      })),
      {
        description: 'Webhook that signed notices of approvals are sent to.',
        defaultText: 'nowhere',
        example: { url: 'https://hooks.example/approvals', secret: '${APPROVALS_WEBHOOK_SECRET}' },
      },
    ),
  })),
  {
    description: 'How the approvals that `routes.*.approve` asks for are kept, notified of and decided.',
    default: {},
    defaultText: 'kept in the data directory, or in `stores.postgres`',
    example: { origin: 'https://shop.example' },
    applies: 'restart',
  },
)
