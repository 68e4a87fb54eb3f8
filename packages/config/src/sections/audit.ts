import { ConfigError, type ConfigIssue, type Duration } from '@postern/core'
import * as z from 'zod/mini'
import { key, orOff, parsed, required, section } from '../key/key.ts'
import { duration, flag, listOf, oneOf, syslogUrl, text, url, webUrl } from '../key/types.ts'

/** A witness that countersigns checkpoints (C2SP tlog-witness). */
export interface WitnessConfig {
  /** Address of the witness, without the path `add-checkpoint`. */
  readonly url: string
  /** Verifier key of the witness, `NAME+HASH+KEY` (C2SP signed-note). */
  readonly verifierKey: string
}

/** A file on another mount that keeps checkpoints. */
export interface FileAnchorConfig {
  /** A file on another mount, relative to the configuration. */
  readonly file: string
}

/** An address that takes checkpoints with PUT. */
export interface UrlAnchorConfig {
  /** Address to which checkpoints are sent by PUT and from which they are read at the start. */
  readonly url: string
  /** Value of the `Authorization` header. A secret: write `${NAME}`. */
  readonly authorization?: string | undefined
}

/** A place outside of the log that checkpoints are written to, checked: a file, or a URL. */
export type CompiledAnchor =
  | { readonly file: string }
  | { readonly url: string; readonly authorization?: string }

/** A collector that receives entries as CEF over syslog. */
export interface SyslogConfig {
  /** Address of the collector: `tls://host:port`, or `tcp://` without encryption. */
  readonly syslog: string
  /** PEM file of certificates to trust instead of the system's. */
  readonly ca?: string | undefined
}

/** A collector that receives entries at a webhook, signed as Standard Webhooks. */
export interface WebhookConfig {
  /** Address of the collector: `https:`, or `http:` on this machine. */
  readonly webhook: string
  /** Signs the messages: at least 24 bytes in base64. A secret: write `${NAME}`. */
  readonly secret?: string | undefined
  /** File that holds the secret, in place of `secret`. */
  readonly secretFile?: string | undefined
  /**
   * Format of the messages: `ndjson`, the entries as they are logged, or `ocsf`, events of the Open
   * Cybersecurity Schema Framework. Default: `ndjson`.
   */
  readonly format?: 'ndjson' | 'ocsf' | undefined
  /**
   * `allow` sends entries by `http:` to another machine, where all on the way can read them. Default:
   * `refuse`.
   */
  readonly plain?: 'allow' | 'refuse' | undefined
}

/** A collector of entries. */
export type ShipConfig = SyslogConfig | WebhookConfig

/** A collector of entries with its defaults: CEF over syslog, or a signed webhook. */
export type CompiledShip =
  | { readonly syslog: string; readonly ca?: string }
  | {
      readonly webhook: string
      readonly secret?: string
      readonly secretFile?: string
      readonly format: 'ndjson' | 'ocsf'
      readonly plain: 'allow' | 'refuse'
    }

/** The tamper-evident log. */
export interface AuditConfig {
  /** Name of this log in its checkpoints, forever. Default: the machine's name and `/postern`. */
  readonly origin?: string | undefined
  /** `before` makes every recorded exchange durable before it is handled. Default: `after`. */
  readonly record?: 'before' | 'after' | undefined
  /**
   * Witnesses that cosign checkpoints (C2SP tlog-witness). Without one, whoever has the signing key and the
   * disk can rewrite the log. Default: none.
   */
  readonly witnesses?: readonly WitnessConfig[] | undefined
  /** Places outside this machine that keep checkpoints. Default: none. */
  readonly anchors?: readonly (FileAnchorConfig | UrlAnchorConfig)[] | undefined
  /**
   * `embedded` keeps the log in the data directory, `postgres` one log for all instances in
   * `stores.postgres`. Default: `embedded`.
   */
  readonly store?: 'embedded' | 'postgres' | undefined
  /**
   * Sign the checkpoints of a log in PostgreSQL, the same on every instance, the current key first. Secrets:
   * `postern audit key NAME` makes one. Default: none.
   */
  readonly signerKeys?: readonly string[] | undefined
  /** How long entries are kept. Every proof still verifies. Default: forever. */
  readonly retention?: Duration | undefined
  /**
   * After this time, the key that seals a day's traffic without a principal is destroyed, and the addresses
   * become unreadable. Default: never.
   */
  readonly forgetAnonymousAfter?: Duration | undefined
  /** Where entries are also sent, each at least once and in order. Default: nowhere. */
  readonly ship?: readonly ShipConfig[] | undefined
  /** Whether the process is not ready (`/readyz`) while the log accepts no entries. Default: `true`. */
  readonly required?: boolean | undefined
}

/** The log with its defaults; milliseconds. */
export interface CompiledAudit {
  readonly origin?: string
  readonly record: 'before' | 'after'
  readonly witnesses: readonly WitnessConfig[]
  readonly anchors: readonly CompiledAnchor[]
  readonly store: 'embedded' | 'postgres'
  readonly signerKeys: readonly string[]
  readonly retention?: number
  readonly forgetAnonymousAfter?: number
  readonly ship: readonly CompiledShip[]
  readonly required: boolean
}

const fileAnchor: z.ZodMiniType<CompiledAnchor, FileAnchorConfig> = section<
  Extract<CompiledAnchor, { file: string }>,
  FileAnchorConfig
>('FileAnchorConfig', () => ({
  file: required(text, {
    description: 'A file on another mount, relative to the configuration.',
    example: '/mnt/anchor/checkpoint',
  }),
}))

const urlAnchor: z.ZodMiniType<CompiledAnchor, UrlAnchorConfig> = section<
  Extract<CompiledAnchor, { url: string }>,
  UrlAnchorConfig
>('UrlAnchorConfig', () => ({
  url: required(url, {
    description: 'Address to which checkpoints are sent by PUT and from which they are read at the start.',
    example: 'https://anchor.example/checkpoint',
  }),
  authorization: key(text, {
    description: 'Value of the `Authorization` header. A secret: write `${NAME}`.',
    example: '${ANCHOR_TOKEN}',
  }),
}))

const syslog: z.ZodMiniType<CompiledShip, SyslogConfig> = section<
  Extract<CompiledShip, { syslog: string }>,
  SyslogConfig
>('SyslogConfig', () => ({
  syslog: required(syslogUrl, {
    description: 'Address of the collector: `tls://host:port`, or `tcp://` without encryption.',
    example: 'tls://siem.example:6514',
  }),
  ca: key(text, {
    description: "PEM file of certificates to trust instead of the system's.",
    example: 'siem-ca.pem',
  }),
}))

const webhook: z.ZodMiniType<CompiledShip, WebhookConfig> = parsed(
  section<Extract<CompiledShip, { webhook: string }>, WebhookConfig>('WebhookConfig', () => ({
    webhook: required(webUrl, {
      description: 'Address of the collector: `https:`, or `http:` on this machine.',
      example: 'https://siem.example/hook',
    }),
    secret: key(text, {
      description: 'Signs the messages: at least 24 bytes in base64. A secret: write `${NAME}`.',
      example: '${HOOK_SECRET}',
    }),
    secretFile: key(text, {
      description: 'File that holds the secret, in place of `secret`.',
      example: 'hook.secret',
    }),
    format: key(oneOf('ndjson', 'ocsf'), {
      description:
        'Format of the messages: `ndjson`, the entries as they are logged, or `ocsf`, events of the Open Cybersecurity Schema Framework.',
      default: 'ndjson',
      example: 'ocsf',
    }),
    plain: key(oneOf('allow', 'refuse'), {
      description: '`allow` sends entries by `http:` to another machine, where all on the way can read them.',
      default: 'refuse',
      example: 'allow',
    }),
  })),
  undefined,
  said => {
    if ((said.secret === undefined) === (said.secretFile === undefined))
      throw new ConfigError({ place: '', problem: 'needs secretFile or secret, one of them' })
    return said
  },
)

/** `audit`. */
export const audit: z.ZodMiniType<CompiledAudit | false, AuditConfig | false | undefined> = key(
  orOff(
    parsed(
      section<CompiledAudit, AuditConfig>('AuditConfig', () => ({
        origin: key(
          z
            .string()
            .check(z.regex(/^[^\s+]+$/, 'a name has neither spaces nor "+", e.g. shop.example.com/audit')),
          {
            description: 'Name of this log in its checkpoints, forever.',
            defaultText: "the machine's name and `/postern`",
            example: 'shop.example.com/audit',
          },
        ),
        record: key(oneOf('before', 'after'), {
          description: '`before` makes every recorded exchange durable before it is handled.',
          default: 'after',
          example: 'before',
        }),
        witnesses: key(
          listOf(
            section<WitnessConfig, WitnessConfig>('WitnessConfig', () => ({
              url: required(url, {
                description: 'Address of the witness, without the path `add-checkpoint`.',
                example: 'https://witness.example',
              }),
              verifierKey: required(text, {
                description: 'Verifier key of the witness, `NAME+HASH+KEY` (C2SP signed-note).',
                example: 'witness.example+0a1b2c3d+AQ...',
              }),
            })),
          ),
          {
            description:
              'Witnesses that cosign checkpoints (C2SP tlog-witness). Without one, whoever has the signing key and the disk can rewrite the log.',
            default: [],
            defaultText: 'none',
            example: [{ url: 'https://witness.example', verifierKey: 'witness.example+0a1b2c3d+AQ' }],
          },
        ),
        anchors: key(listOf(z.union([fileAnchor, urlAnchor])), {
          description: 'Places outside this machine that keep checkpoints.',
          default: [],
          defaultText: 'none',
          example: [{ file: '/mnt/anchor/checkpoint' }],
        }),
        store: key(oneOf('embedded', 'postgres'), {
          description:
            '`embedded` keeps the log in the data directory, `postgres` one log for all instances in `stores.postgres`.',
          default: 'embedded',
          example: 'postgres',
        }),
        signerKeys: key(listOf(text), {
          description:
            'Sign the checkpoints of a log in PostgreSQL, the same on every instance, the current key first. Secrets: `postern audit key NAME` makes one.',
          example: ['${AUDIT_KEY}'],
          default: [],
          defaultText: 'none',
        }),
        retention: key(duration, {
          description: 'How long entries are kept. Every proof still verifies.',
          defaultText: 'forever',
          example: '90d',
        }),
        forgetAnonymousAfter: key(duration, {
          description:
            "After this time, the key that seals a day's traffic without a principal is destroyed, and the addresses become unreadable.",
          defaultText: 'never',
          example: '30d',
        }),
        ship: key(listOf(z.union([syslog, webhook]), 16), {
          description: 'Where entries are also sent, each at least once and in order.',
          default: [],
          defaultText: 'nowhere',
          example: [{ syslog: 'tls://siem.example:6514' }],
        }),
        required: key(flag, {
          description: 'Whether the process is not ready (`/readyz`) while the log accepts no entries.',
          default: true,
          example: false,
        }),
      })),
      undefined,
      checkStore,
    ),
  ),
  {
    description: 'The audit log; `false` writes none.',
    default: {},
    defaultText: 'on',
    example: { record: 'before', retention: '90d' },
    applies: 'restart',
  },
)

function checkStore(audit: CompiledAudit): CompiledAudit {
  const issues: ConfigIssue[] = []
  if (audit.store !== 'postgres') {
    if (audit.signerKeys.length > 0)
      issues.push({
        place: '.signerKeys',
        problem: 'are for a log in PostgreSQL',
        hint: 'set store: "postgres", or remove them',
      })
  } else {
    if (audit.origin === undefined)
      issues.push({
        place: '.origin',
        problem: 'is missing: instances must agree on its name',
        hint: 'e.g. origin: shop.example.com/audit',
      })
    if (audit.signerKeys.length === 0)
      issues.push({
        place: '.signerKeys',
        problem: 'are missing: every instance signs with the same key',
        hint: 'make one with postern audit key NAME, and take it from the environment',
      })
  }
  if (issues.length > 0) throw new ConfigError(issues)
  return audit
}
