import type { CompiledAlerts } from '@postern/config'
import {
  type Clock,
  type Event,
  type Health,
  type HealthProbe,
  systemTimers,
  type Timers,
} from '@postern/core'
import type { Mailer } from '@postern/identity/built-in'
import { AlertGroups } from './alert-groups.ts'
import {
  type Alert,
  type AlertRequest,
  alertMail,
  alertOf,
  isAtLeast,
  pagerDutyRequest,
  slackRequest,
  teamsRequest,
} from './alert-message.ts'

export interface AlertSenderOptions {
  readonly settings: CompiledAlerts
  readonly clock: Clock
  readonly fetch: typeof fetch
  readonly timers?: Timers
  /** Sends mails, where `settings.email` asks for them. */
  readonly mailer?: Mailer
}

const DEADLINE_MS = 10_000
const MAIL_DEADLINE_MS = 30_000
/** Alerts under way; of a flood the rest is left out, and counted. */
const MAX_UNDER_WAY = 20
/** Keys remembered; beyond, the oldest may be announced again. */
const MAX_REMEMBERED = 2_000
const ATTEMPTS = 2
/** So long after an alert that arrived nowhere, the next of its kind is sent. */
const RETRY_MS = 60_000

/**
 * Announces findings, each once in a while, beside the requests. What a service answers is never shown: it
 * may quote a key.
 */
export class AlertSender implements HealthProbe {
  readonly #options: AlertSenderOptions
  readonly #sentAt = new Map<string, number>()
  readonly #groups: AlertGroups
  #underWay = 0
  #dropped = 0
  #problem: string | undefined

  constructor(options: AlertSenderOptions) {
    this.#options = options
    this.#groups = new AlertGroups(options.timers ?? systemTimers, alert => void this.send(alert))
  }

  /** To how many services alerts go. */
  get #targets(): number {
    const { slack, teams, pagerDuty, email } = this.#options.settings
    return [slack, teams, pagerDuty, email].filter(target => target !== undefined).length
  }

  /** Takes an event of the engine; never throws, never waits. */
  take(event: Event): void {
    const alert = alertOf(event)
    const { settings } = this.#options
    if (alert === undefined || !isAtLeast(alert, settings.severity) || !this.#isDue(alert)) return
    if (!this.#groups.admits(alert)) return
    if (this.#underWay >= MAX_UNDER_WAY) {
      this.#dropped++
      this.#soonAgain(alert)
      return
    }
    void this.send(alert)
  }

  /** One that did not arrive was not sent: the next of its kind is, once what failed had time to recover. */
  #soonAgain({ key }: Alert): void {
    const { clock, settings } = this.#options
    if (settings.repeat > RETRY_MS && this.#sentAt.has(key))
      this.#sentAt.set(key, clock.monotonic() - settings.repeat + RETRY_MS)
  }

  #isDue({ key }: Alert): boolean {
    const { clock, settings } = this.#options
    const now = clock.monotonic()
    const before = this.#sentAt.get(key)
    if (before !== undefined && now - before < settings.repeat) return false
    this.#sentAt.delete(key)
    this.#sentAt.set(key, now)
    for (const oldest of this.#sentAt.keys()) {
      if (this.#sentAt.size <= MAX_REMEMBERED) break
      this.#sentAt.delete(oldest)
    }
    return true
  }

  /** Sends an alert everywhere. @returns what went wrong, a sentence each; never rejects */
  async send(alert: Alert): Promise<readonly string[]> {
    const { slack, teams, pagerDuty, email } = this.#options.settings
    this.#underWay++
    const problems = await Promise.all([
      slack === undefined ? undefined : this.#post('Slack', slackRequest(slack, alert)),
      teams === undefined ? undefined : this.#post('Teams', teamsRequest(teams, alert)),
      pagerDuty === undefined ? undefined : this.#post('PagerDuty', pagerDutyRequest(pagerDuty, alert)),
      email === undefined ? undefined : this.#mail(alert, email.to),
    ])
    this.#underWay--
    const found = problems.filter(problem => problem !== undefined)
    this.#problem = found[0]
    if (found.length > 0 && found.length === this.#targets) this.#soonAgain(alert)
    return found
  }

  /** Sends a test, whatever was sent before. */
  test(): Promise<readonly string[]> {
    return this.send({
      key: 'postern test',
      kind: 'postern test',
      severity: 'low',
      summary: 'A test of Postern: alerts arrive here',
      facts: {},
    })
  }

  /** One mail for each address, so that nobody learns of the others. */
  async #mail(alert: Alert, to: readonly string[]): Promise<string | undefined> {
    const { mailer } = this.#options
    if (mailer === undefined) return 'e-mail is not set up'
    const { subject, text } = alertMail(alert)
    const sent = await Promise.allSettled(
      to.map(address => withinDeadline(mailer.send({ to: address, subject, text }))),
    )
    const failed = sent.filter(({ status }) => status === 'rejected').length
    return failed === 0 ? undefined : `${failed} of ${to.length} e-mails were not taken`
  }

  async #post(service: string, { url, body }: AlertRequest): Promise<string | undefined> {
    let problem = ''
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      try {
        const response = await this.#options.fetch(url, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify(body),
          redirect: 'error',
          signal: AbortSignal.timeout(DEADLINE_MS),
        })
        // The status has arrived: an answer that breaks off is not sent for again.
        await response.body?.cancel().catch(() => undefined)
        if (response.ok) return undefined
        problem = `${service} answered ${response.status}`
        if (response.status < 500 && response.status !== 429) return problem
      } catch {
        problem = `${service} does not answer`
      }
    }
    return problem
  }

  health(): Health {
    const detail =
      this.#problem ?? (this.#dropped > 0 ? `${this.#dropped} alerts left out in a flood` : undefined)
    return {
      name: 'alerts',
      ok: this.#problem === undefined,
      required: false,
      ...(detail !== undefined && { detail }),
    }
  }
}

/** Ends by its own timer, whatever the server of the mails does. */
async function withinDeadline(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer')), MAIL_DEADLINE_MS).unref()
  })
  try {
    await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
