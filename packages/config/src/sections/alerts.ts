import type { Duration } from '@postern/core'
import * as z from 'zod/mini'
import { key, required, section } from '../key/key.ts'
import { duration, listOf, oneOf, text } from '../key/types.ts'

/** How grave a finding is. */
export type AlertSeverity = 'low' | 'medium' | 'high' | 'critical'

/** Announcements by e-mail. */
export interface AlertMailConfig {
  /**
   * `smtps://user:password@host:465`, or `smtp://`, where STARTTLS is required unless `tls` is `off`. A
   * secret: write `${NAME}`.
   */
  readonly smtp: string
  /** Sender, such as `Postern <postern@example.com>`. */
  readonly from: string
  /** Addresses that alerts are sent to, at most 20. */
  readonly to: readonly string[]
  /** Whether STARTTLS is required. `off` only for a relay on this machine. Default: `required`. */
  readonly tls?: 'required' | 'off' | undefined
}

/** `alerts.email` with its defaults. */
export interface CompiledAlertMail {
  readonly smtp: string
  readonly from: string
  readonly to: readonly string[]
  readonly tls: 'required' | 'off'
}

/** Where findings are announced. */
export interface AlertsConfig {
  /** Incoming webhook of a Slack channel. */
  readonly slack?: string | undefined
  /** Webhook of a Microsoft Teams workflow that posts cards. */
  readonly teams?: string | undefined
  /** Routing key of a PagerDuty service (Events API v2). */
  readonly pagerDuty?: string | undefined
  /** By e-mail; needs the package nodemailer. Default: none. */
  readonly email?: AlertMailConfig | undefined
  /** Lowest severity of a finding that is sent. Default: `high`. */
  readonly severity?: AlertSeverity | undefined
  /** Time after which the same finding about the same actor is sent again. Default: `1h`. */
  readonly repeat?: Duration | undefined
}

/** `alerts` with its defaults, checked; `repeat` is in milliseconds. */
export interface CompiledAlerts {
  readonly slack?: string
  readonly teams?: string
  readonly pagerDuty?: string
  readonly email?: CompiledAlertMail
  readonly severity: AlertSeverity
  readonly repeat: number
}

const mailAddress: z.ZodMiniType<string, string> = z
  .string()
  .check(z.regex(/^[^\s<>,;@"]{1,64}@[^\s<>,;@"]{1,255}$/, 'an e-mail address looks like "ops@example.com"'))

const email: z.ZodMiniType<CompiledAlertMail | undefined, AlertMailConfig | undefined> = key(
  section<CompiledAlertMail, AlertMailConfig>('AlertMailConfig', () => ({
    smtp: required(text, {
      description:
        '`smtps://user:password@host:465`, or `smtp://`, where STARTTLS is required unless `tls` is `off`. A secret: write `${NAME}`.',
      example: '${SMTP_URL}',
    }),
    from: required(text, {
      description: 'Sender, such as `Postern <postern@example.com>`.',
      example: 'Postern <postern@example.com>',
    }),
    to: required(listOf(mailAddress, 20), {
      description: 'Addresses that alerts are sent to, at most 20.',
      example: ['ops@example.com'],
    }),
    tls: key(oneOf('required', 'off'), {
      description: 'Whether STARTTLS is required. `off` only for a relay on this machine.',
      default: 'required',
      example: 'off',
    }),
  })),
  {
    description: 'By e-mail; needs the package nodemailer.',
    defaultText: 'none',
    example: { smtp: '${SMTP_URL}', from: 'Postern <postern@example.com>', to: ['ops@example.com'] },
  },
)

const secretUrl: z.ZodMiniType<string, string> = z
  .string()
  .check(z.regex(/^https:\/\/\S+$/, 'must be an https address'))

/** `alerts`. */
export const alerts: z.ZodMiniType<CompiledAlerts | undefined, AlertsConfig | undefined> = key(
  section<CompiledAlerts, AlertsConfig>('AlertsConfig', () => ({
    slack: key(secretUrl, {
      description: 'Incoming webhook of a Slack channel.',
      example: '${SLACK_WEBHOOK}',
    }),
    teams: key(secretUrl, {
      description: 'Webhook of a Microsoft Teams workflow that posts cards.',
      example: '${TEAMS_WEBHOOK}',
    }),
    pagerDuty: key(text, {
      description: 'Routing key of a PagerDuty service (Events API v2).',
      example: '${PAGERDUTY_KEY}',
    }),
    email,
    severity: key(oneOf('low', 'medium', 'high', 'critical'), {
      description: 'Lowest severity of a finding that is sent.',
      default: 'high',
      example: 'medium',
    }),
    repeat: key(duration, {
      description: 'Time after which the same finding about the same actor is sent again.',
      default: '1h',
      example: '15m',
    }),
  })),
  {
    description:
      'Announces findings, and events that the audit log lost, in Slack, Teams, PagerDuty or by e-mail. Gateway only; see [Metrics and alerts](metrics.md).',
    defaultText: 'off',
    example: { slack: '${SLACK_WEBHOOK}' },
    applies: 'restart',
  },
)
