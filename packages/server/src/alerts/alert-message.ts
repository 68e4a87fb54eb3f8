import type { Event } from '@postern/core'

const SEVERITIES = ['low', 'medium', 'high', 'critical'] as const

/** How grave something is. */
export type AlertSeverity = (typeof SEVERITIES)[number]

/** What is announced. */
export interface Alert {
  /** Equal for alerts that need to be said once. */
  readonly key: string
  /** What many alerts of one flood have in common. */
  readonly kind: string
  readonly severity: AlertSeverity
  /** One sentence. */
  readonly summary: string
  /** Further facts for people. */
  readonly facts: Readonly<Record<string, string>>
}

/** A request to one service. */
export interface AlertRequest {
  readonly url: string
  readonly body: unknown
}

const PAGERDUTY = 'https://events.pagerduty.com/v2/enqueue'
const MAX_TEXT = 300

/** The alert that an event is; undefined for events that nobody needs to be woken by. */
export function alertOf({ type, data }: Event): Alert | undefined {
  if (type === 'audit.lost')
    return {
      key: type,
      kind: type,
      severity: 'critical',
      summary: `The audit log lost ${Number(data?.['count'] ?? 0)} events`,
      facts: {},
    }
  if (type !== 'finding') return undefined
  const severity = SEVERITIES.find(known => known === data?.['severity']) ?? 'low'
  const actor = textOf(data?.['actorValue'])
  const scenario = textOf(data?.['scenario'])
  const measure = textOf(data?.['measure'])
  return {
    key: `${scenario} ${actor}`,
    kind: textOf(data?.['title']) || scenario,
    severity,
    summary: `${textOf(data?.['title']) || scenario}: ${actor}`,
    facts: {
      severity,
      scenario,
      events: String(Number(data?.['count'] ?? 0)),
      ...(measure !== '' && { measure }),
    },
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, MAX_TEXT).replace(/\p{Cc}/gu, ' ') : ''
}

/** Whether an alert is at least this grave. */
export function isAtLeast({ severity }: Alert, least: AlertSeverity): boolean {
  return SEVERITIES.indexOf(severity) >= SEVERITIES.indexOf(least)
}

/** The text of an incoming webhook of Slack; nothing in it is a link or a mention. */
export function slackRequest(url: string, { severity, summary, facts }: Alert): AlertRequest {
  const plain = (text: string): string =>
    text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  const lines = Object.entries(facts).map(([name, value]) => `${name}: ${value}`)
  return { url, body: { text: plain([`[${severity}] ${summary}`, ...lines].join('\n')), mrkdwn: false } }
}

/** A card for a workflow of Microsoft Teams (Adaptive Cards 1.4), whose texts would be read as Markdown. */
export function teamsRequest(url: string, { summary, facts }: Alert): AlertRequest {
  const plain = (text: string): string => text.replace(/[[\]()*_`#<>!~|\\]/g, ' ')
  const content = {
    type: 'AdaptiveCard',
    version: '1.4',
    body: [
      { type: 'TextBlock', weight: 'bolder', wrap: true, text: plain(summary) },
      {
        type: 'FactSet',
        facts: Object.entries(facts).map(([title, value]) => ({ title, value: plain(value) })),
      },
    ],
  }
  const attachment = { contentType: 'application/vnd.microsoft.card.adaptive', content }
  return { url, body: { type: 'message', attachments: [attachment] } }
}

const PAGERDUTY_SEVERITY = { low: 'info', medium: 'warning', high: 'error', critical: 'critical' } as const

/** A trigger of the Events API v2 of PagerDuty, which joins those of one key to one incident. */
export function pagerDutyRequest(key: string, { key: dedup, severity, summary, facts }: Alert): AlertRequest {
  const payload = {
    summary,
    source: 'postern',
    severity: PAGERDUTY_SEVERITY[severity],
    custom_details: facts,
  }
  const body = { routing_key: key, event_action: 'trigger', dedup_key: dedup.slice(0, 255), payload }
  return { url: PAGERDUTY, body }
}

/** A mail of plain text: nothing that an actor sent becomes a header, a link with a name, or markup. */
export function alertMail({ severity, summary, facts }: Alert): {
  readonly subject: string
  readonly text: string
} {
  const lines = Object.entries(facts).map(([name, value]) => `${name}: ${value}`)
  const oneLine = (text: string): string => text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, ' ')
  return {
    subject: oneLine(`[${severity}] ${summary}`).slice(0, 200),
    text: `${[oneLine(summary), '', ...lines.map(oneLine), '', 'Sent by Postern: docs/metrics.md says how to change or stop this.'].join('\n')}\n`,
  }
}
