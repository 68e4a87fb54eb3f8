import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Event, VirtualClock } from '@postern/core'
import { smtpMailer } from '@postern/identity/built-in'
import { brokenOff } from '../../../test/broken-answer.ts'
import { until } from '../../../test/until.ts'
import { AlertSender } from '../src/alerts/alert-sender.ts'
import { startSmtp } from './smtp-server.ts'

interface Sent {
  readonly url: string
  readonly body: Readonly<Record<string, unknown>>
}

const SETTINGS = { severity: 'high', repeat: 3_600_000 } as const
const EVERYWHERE = {
  ...SETTINGS,
  slack: 'https://slack.test/secret',
  teams: 'https://teams.test/secret',
  pagerDuty: 'routing-key',
}

const finding = (actorValue: string, severity = 'high', title = 'Guesses passwords'): Event => ({
  type: 'finding',
  time: 0,
  actor: {},
  data: {
    scenario: 'login-guessing',
    title,
    severity,
    actorKind: 'address',
    actorValue,
    count: 12,
    measure: 'block',
  },
})

function sender(
  settings: ConstructorParameters<typeof AlertSender>[0]['settings'],
  status: () => number = () => 200,
): {
  readonly alerts: AlertSender
  readonly sent: Sent[]
  readonly clock: VirtualClock
  /** Runs the timers that are set. */
  readonly elapse: () => void
} {
  const sent: Sent[] = []
  const clock = new VirtualClock()
  let timers: (() => void)[] = []
  const alerts = new AlertSender({
    settings,
    clock,
    timers: {
      after: (_ms, call) => {
        timers.push(call)
        return () => undefined
      },
    },
    fetch: async (url, init) => {
      sent.push({ url: String(url), body: JSON.parse(String(init?.body)) as Sent['body'] })
      return new Response('the answer quotes https://slack.test/secret', { status: status() })
    },
  })
  const elapse = (): void => {
    const due = timers
    timers = []
    for (const call of due) call()
  }
  return { alerts, sent, clock, elapse }
}

test('an alert that arrived nowhere is sent again with the next finding of its kind, a minute later', async () => {
  let status = 500
  const { alerts, sent, clock } = sender({ ...SETTINGS, slack: 'https://slack.test/secret' }, () => status)
  alerts.take(finding('203.0.113.9'))
  await until(() => alerts.health().detail === 'Slack answered 500')
  const tries = sent.length
  alerts.take(finding('203.0.113.9'))
  assert.equal(sent.length, tries, 'not at once')
  status = 200
  clock.advance(60_000)
  alerts.take(finding('203.0.113.9'))
  await until(() => alerts.health().ok)
  assert.equal(sent.length, tries + 1)
  clock.advance(60_000)
  alerts.take(finding('203.0.113.9'))
  assert.equal(sent.length, tries + 1, 'one that arrived is repeated after `repeat` alone')
})

test('a finding is announced in every service that is configured, in its own form', async () => {
  const { alerts, sent } = sender(EVERYWHERE)
  alerts.take(finding('203.0.113.9'))
  assert.deepEqual(
    sent.map(({ url }) => url),
    ['https://slack.test/secret', 'https://teams.test/secret', 'https://events.pagerduty.com/v2/enqueue'],
  )
  const [slack, teams, pagerDuty] = sent.map(({ body }) => body)
  assert.equal(
    slack?.['text'],
    '[high] Guesses passwords: 203.0.113.9\nseverity: high\nscenario: login-guessing\nevents: 12\nmeasure: block',
  )
  assert.equal(teams?.['type'], 'message')
  assert.deepEqual(
    [pagerDuty?.['routing_key'], pagerDuty?.['event_action'], pagerDuty?.['dedup_key']],
    ['routing-key', 'trigger', 'login-guessing 203.0.113.9'],
  )
})

test('the same finding about the same actor is announced once in a while, another at once', () => {
  const { alerts, sent, clock } = sender({ ...SETTINGS, slack: 'https://slack.test/secret' })
  for (let i = 0; i < 5; i++) alerts.take(finding('203.0.113.9'))
  alerts.take(finding('203.0.113.10'))
  assert.equal(sent.length, 2)
  clock.advance(3_600_000)
  alerts.take(finding('203.0.113.9'))
  assert.equal(sent.length, 3)
})

test('milder findings and other events are not announced; lost events of the log are', () => {
  const { alerts, sent } = sender({ ...SETTINGS, slack: 'https://slack.test/secret' })
  alerts.take(finding('203.0.113.9', 'medium'))
  alerts.take({ type: 'http', time: 0, actor: {} })
  assert.equal(sent.length, 0)
  alerts.take({ type: 'audit.lost', time: 0, actor: {}, data: { count: 7 } })
  assert.match(String(sent[0]?.body['text']), /lost 7 events/)
})

test('an actor cannot put a mention or a link into a channel', () => {
  const { alerts, sent } = sender(EVERYWHERE)
  alerts.take(finding('<!channel> [click](https://evil.test)\u0007'))
  const [slack, teams] = sent.map(({ body }) => JSON.stringify(body))
  assert.equal(slack?.includes('<!channel>'), false)
  assert.equal(teams?.includes('[click]('), false)
})

test('attack: ten thousand addresses that are banned are ten alerts and one more, and hide no other finding', async () => {
  const { alerts, sent, elapse } = sender({ ...SETTINGS, slack: 'https://slack.test/secret' })
  for (let i = 0; i < 10_000; i++) {
    alerts.take(finding(`10.0.${i >> 8}.${i & 255}`))
    // The service answers at once.
    if (i % 10 === 9) await new Promise(resolve => setImmediate(resolve))
  }
  const other = finding('alice')
  alerts.take({ ...other, data: { ...other.data, scenario: 'id-walk', title: 'Walks' } })
  assert.equal(sent.length, 11)
  assert.match(String(sent.at(-1)?.body['text']), /Walks: alice/)
  elapse()
  assert.equal(sent.length, 12)
  assert.match(String(sent.at(-1)?.body['text']), /Guesses passwords: 9990 further actors within a minute/)
  elapse()
  assert.equal(sent.length, 12)
  alerts.take(finding('192.0.2.1'))
  assert.equal(sent.length, 13, 'in the next minute one by one again')
})

test('a service that fails is tried twice, shows in health, and what it answers is never shown', async () => {
  let status = 503
  const { alerts, sent } = sender({ ...SETTINGS, slack: 'https://slack.test/secret' }, () => status)
  assert.deepEqual(await alerts.test(), ['Slack answered 503'])
  assert.equal(sent.length, 2)
  assert.deepEqual([alerts.health().ok, alerts.health().required], [false, false])
  assert.equal(JSON.stringify(alerts.health()).includes('secret'), false)
  status = 403
  assert.deepEqual(await alerts.test(), ['Slack answered 403'])
  assert.equal(sent.length, 3)
  status = 200
  assert.deepEqual(await alerts.test(), [])
  assert.equal(alerts.health().ok, true)
})

test('a finding is announced by e-mail, once in a while, to each address apart; a server that refuses shows', async t => {
  const server = await startSmtp()
  t.after(() => server.close())
  const email = {
    smtp: server.url,
    from: 'Postern <postern@example.com>',
    to: ['ann@example.com', 'bob@example.com'],
    tls: 'off',
  } as const
  const clock = new VirtualClock()
  const mailer = await smtpMailer({ url: email.smtp, from: email.from, tls: email.tls })
  const alerts = new AlertSender({ settings: { ...SETTINGS, email }, clock, fetch, mailer })
  for (let i = 0; i < 3; i++) alerts.take(finding('203.0.113.9'))
  await until(() => server.mails.length === 2)
  assert.deepEqual(server.mails.map(({ to }) => to).sort(), [['ann@example.com'], ['bob@example.com']])
  assert.match(server.mails[0]?.data ?? '', /^Subject: \[high\] Guesses passwords: 203\.0\.113\.9\r$/m)
  assert.match(server.mails[0]?.data ?? '', /^scenario: login-guessing\r$/m)
  assert.deepEqual(await alerts.test(), [])
  assert.equal(server.mails.length, 4)
  server.refuse = true
  assert.deepEqual(await alerts.test(), ['2 of 2 e-mails were not taken'])
  assert.equal(alerts.health().ok, false)
  assert.equal(JSON.stringify(alerts.health()).includes('@'), false)
})

test('an actor cannot put a header, a recipient or a second mail into an e-mail', async t => {
  const server = await startSmtp()
  t.after(() => server.close())
  const mailer = await smtpMailer({ url: server.url, from: 'Postern <postern@example.com>', tls: 'off' })
  const email = { smtp: server.url, from: '', to: ['ann@example.com'], tls: 'off' } as const
  const alerts = new AlertSender({
    settings: { ...SETTINGS, email },
    clock: new VirtualClock(),
    fetch,
    mailer,
  })
  alerts.take(
    finding(
      'x\r\nBcc: all@example.com\r\n\r\nhello\r\n.\r\nMAIL FROM:<evil@example.com>',
      'high',
      'Title\u2028\nTo: eve@example.com',
    ),
  )
  await until(() => server.mails.length > 0)
  await alerts.test()
  assert.equal(server.mails.length, 2)
  const [mail] = server.mails
  assert.deepEqual([mail?.from, mail?.to], ['postern@example.com', ['ann@example.com']])
  const [head = ''] = (mail?.data ?? '').split('\r\n\r\n')
  assert.equal(/^(?:Bcc|Cc):/im.test(head), false)
  assert.deepEqual(head.match(/^To: .*$/gm), ['To: ann@example.com'])
})

test('attack: a service that takes an alert and breaks its answer off gets it once', async () => {
  let asked = 0
  const alerts = new AlertSender({
    settings: { ...SETTINGS, slack: 'https://slack.test/secret' },
    clock: new VirtualClock(),
    fetch: async () => {
      asked++
      return brokenOff()
    },
  })
  assert.deepEqual(await alerts.test(), [])
  assert.equal(asked, 1)
})
