import { createHmac } from 'node:crypto'
import { ConfigError, givenText } from '@postern/core'
import type { ApprovalChannel } from './notice.ts'

/** The URL that is notified, and the secret that signs. */
export interface WebhookOptions {
  /** `https:`, or `http:` on loopback. */
  readonly url: string
  /** `whsec_` and 24 to 64 bytes in base64, as Standard Webhooks writes secrets. */
  readonly secret: string
  /** Where a person follows the request. */
  readonly link: (id: string) => string
  /** Whether the sample of rows is sent along. Default: `omit`, for rows may be personal data. */
  readonly sample?: 'omit' | 'send'
  /** Default: `webhook`. */
  readonly name?: string
  /** Default: the global `fetch`. */
  readonly fetch?: typeof fetch
}

const TIMEOUT = 5_000

/**
 * Notifies a URL, signed as Standard Webhooks 1.0.0 says: `webhook-id`, `webhook-timestamp`,
 * `webhook-signature` (HMAC-SHA256 over id, time and body). Follows no redirect, waits 5 seconds at most.
 * @throws ConfigError for a URL or secret that cannot be used
 */
export function webhookChannel(options: WebhookOptions): ApprovalChannel {
  const url = urlOf(options.url)
  const key = secretOf(options.secret)
  const send = options.fetch ?? fetch
  return {
    name: options.name ?? 'webhook',
    async send({ id, event, approval, time }) {
      const { sample, body: _sent, ...preview } = approval.preview
      const body = JSON.stringify({
        type: `approval.${event}`,
        timestamp: new Date(time).toISOString(),
        data: {
          id: approval.id,
          state: approval.state,
          actor: approval.act.actor,
          action: approval.act.action,
          resource: approval.act.resource,
          reason: approval.reason,
          by: approval.by,
          rows: approval.rows ?? null,
          preview: options.sample === 'send' && sample !== undefined ? { ...preview, sample } : preview,
          expiresAt: new Date(approval.expiresAt).toISOString(),
          ...(approval.decidedBy !== undefined && { decidedBy: approval.decidedBy }),
          link: options.link(approval.id),
        },
      })
      const seconds = String(Math.floor(time / 1_000))
      const response = await send(url, {
        method: 'POST',
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT),
        headers: {
          'content-type': 'application/json',
          'webhook-id': id,
          'webhook-timestamp': seconds,
          'webhook-signature': `v1,${createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64')}`,
        },
        body,
      })
      // The status has arrived: an answer that breaks off is not sent for again.
      await response.body?.cancel().catch(() => undefined)
      if (!response.ok) throw new Error(`the webhook answered ${response.status}`)
    },
  }
}

function urlOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isLocal = url !== undefined && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname)
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && isLocal)) return url.href
  throw new ConfigError({
    place: 'approvals.webhook.url',
    problem: 'it must be an https: URL',
    hint: 'http: is for loopback only',
  })
}

function secretOf(given: string): Uint8Array {
  const text = givenText(given, 'approvals.webhook.secret', MAKE_SECRET)
  const key = text.startsWith('whsec_') ? Buffer.from(text.slice(6), 'base64') : Buffer.alloc(0)
  if (key.length >= 24 && key.length <= 64) return key
  throw new ConfigError({
    place: 'approvals.webhook.secret',
    problem: 'it is not "whsec_" and 24 to 64 bytes in base64',
    hint: MAKE_SECRET,
  })
}

const MAKE_SECRET = 'make one: echo whsec_$(openssl rand -base64 32)'
