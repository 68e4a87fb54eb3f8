import type { Duration } from '@postern/core'
import * as z from 'zod'
import { key, section } from '../key.ts'
import { duration, oneOf, text } from '../types.ts'

/** How grave a finding is. */
export type AlertSeverity = 'low' | 'medium' | 'high' | 'critical'

/** Where findings are announced. */
export interface AlertsConfig {
  /** Incoming webhook of a Slack channel. */
  readonly slack?: string | undefined
  /** Webhook of a Microsoft Teams workflow that posts cards. */
  readonly teams?: string | undefined
  /** Routing key of a PagerDuty service (Events API v2). */
  readonly pagerDuty?: string | undefined
  /** The mildest finding that is announced. Default: `high`. */
  readonly severity?: AlertSeverity | undefined
  /** The same finding about the same actor is announced again after this long. Default: `1h`. */
  readonly repeat?: Duration | undefined
}

/** The same with its defaults; milliseconds. */
export interface CompiledAlerts {
  readonly slack?: string
  readonly teams?: string
  readonly pagerDuty?: string
  readonly severity: AlertSeverity
  readonly repeat: number
}

const secretUrl: z.ZodType<string, string> = z.string().regex(/^https:\/\/\S+$/, 'must be an https address')

/** `alerts`. */
export const alerts: z.ZodType<CompiledAlerts | undefined, AlertsConfig | undefined> = key(
  section<CompiledAlerts, AlertsConfig>('AlertsConfig', {
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
    severity: key(oneOf('low', 'medium', 'high', 'critical'), {
      description: 'The mildest finding that is announced.',
      default: 'high',
      example: 'medium',
    }),
    repeat: key(duration, {
      description: 'The same finding about the same actor is announced again after this long.',
      default: '1h',
      example: '15m',
    }),
  }),
  {
    description:
      'Announces findings, and events that the audit log lost, in Slack, Teams or PagerDuty. Gateway only; see [Metrics and alerts](metrics.md).',
    defaultText: 'off',
    example: { slack: '${SLACK_WEBHOOK}' },
    applies: 'restart',
  },
)
