import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import {
  type ApprovalChannel,
  Approvals,
  type Mail,
  mailChannel,
  type Notice,
  webhookChannel,
} from '@postern/access'
import { ConfigError, type Principal, VirtualClock } from '@postern/core'
import { brokenOff } from '../../../../test/broken-answer.ts'
import { STORES } from '../support/approval-stores.ts'
import { Log } from '../support/log.ts'

const ALICE: Principal = { kind: 'user', id: 'alice' }
const OLGA: Principal = { kind: 'user', id: 'olga', roles: ['owner'] }
const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const link = (id: string): string => `https://shop.example/approvals/${id}`
const request = {
  act: { actor: 'user:alice', action: 'orders.purge', resource: 'account/7', arguments: {} },
  principal: ALICE,
  by: 'role:owner',
  preview: { rows: { orders: 12 }, sample: [{ email: 'person@example.com' }] },
}

interface Received {
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A receiver that answers with these statuses in turn. */
async function receiver(t: TestContext, statuses: number[]): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = []
  const server = createServer(async (message, answer) => {
    let body = ''
    for await (const chunk of message) body += String(chunk)
    received.push({ headers: message.headers, body })
    const status = statuses.shift() ?? 204
    answer.writeHead(status, status === 302 ? { location: 'http://127.0.0.1:1/elsewhere' } : {}).end()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, received }
}

async function withChannel(t: TestContext, channel: ApprovalChannel, store = STORES[0]) {
  const cleanups: (() => Promise<void>)[] = []
  t.after(async () => {
    for (const work of cleanups) await work()
  })
  const database = await store?.open({ after: work => cleanups.push(work) })
  assert.ok(database)
  const clock = new VirtualClock()
  const log = new Log()
  return { approvals: new Approvals({ database, clock, recorder: log, notify: [channel] }), clock, log }
}

test('a webhook is signed as Standard Webhooks says, and holds no rows', async t => {
  const { url, received } = await receiver(t, [])
  const { approvals } = await withChannel(t, webhookChannel({ url, secret: SECRET, link }))
  const { id } = await approvals.request(request)
  assert.equal(await approvals.deliver(), 1)
  assert.equal(await approvals.deliver(), 0)
  const [{ headers, body }] = received as [Received]
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`
  const signature = createHmac('sha256', Buffer.alloc(32, 7)).update(signed).digest('base64')
  assert.equal(headers['webhook-signature'], `v1,${signature}`)
  assert.match(String(headers['webhook-id']), /^msg_[0-9a-f]{32}$/)
  assert.equal(headers['webhook-timestamp'], String(Date.UTC(2026, 0, 1) / 1_000))
  const message = JSON.parse(body) as { type: string; data: Record<string, unknown> }
  assert.equal(message.type, 'approval.requested')
  assert.equal(message.data['link'], link(id))
  assert.deepEqual(message.data['preview'], { rows: { orders: 12 } })
  assert.doesNotMatch(body, /person@example/)
})

test('a webhook that fails is tried again with the same id, and given up in the end', async t => {
  const { url, received } = await receiver(t, [500, 302, ...Array.from({ length: 20 }, () => 503)])
  const { approvals, clock, log } = await withChannel(t, webhookChannel({ url, secret: SECRET, link }))
  await approvals.request(request)
  for (let turn = 0; turn < 20; turn++) {
    await approvals.deliver()
    clock.advance(30 * 60_000)
  }
  assert.equal(received.length, 8)
  assert.equal(new Set(received.map(({ headers }) => headers['webhook-id'])).size, 1)
  assert.equal(log.types.filter(type => type === 'approval.notice.failed').length, 7)
  assert.equal(log.types.at(-1), 'approval.notice.lost')
})

test('a channel that never answers keeps no later notice waiting', async t => {
  const called = Promise.withResolvers<void>()
  const sent: string[] = []
  const channel: ApprovalChannel = {
    name: 'chat',
    send: ({ approval }) => {
      sent.push(approval.id)
      called.resolve()
      return sent.length === 1 ? new Promise(() => {}) : Promise.resolve()
    },
  }
  const { approvals, log } = await withChannel(t, channel)
  const first = await approvals.request(request)
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const delivering = approvals.deliver()
  await called.promise
  t.mock.timers.tick(45_000)
  assert.equal(await delivering, 0)
  assert.equal(log.types.at(-1), 'approval.notice.failed')
  const second = await approvals.request({ ...request, act: { ...request.act, resource: 'account/8' } })
  assert.equal(await approvals.deliver(), 1)
  assert.deepEqual(sent, [first.id, second.id])
})

for (const store of STORES)
  test(`${store.name}: two processes send a notice once`, async t => {
    const sent: string[] = []
    const channel: ApprovalChannel = { name: 'test', send: async ({ id }: Notice) => void sent.push(id) }
    const { approvals } = await withChannel(t, channel, store)
    const { id } = await approvals.request(request)
    await Promise.all(Array.from({ length: 6 }, () => approvals.deliver()))
    assert.equal(sent.length, 1)
    const otto: Principal = { ...OLGA, id: 'otto' }
    await Promise.allSettled([approvals.decide(id, OLGA, 'approve'), approvals.decide(id, otto, 'approve')])
    await approvals.deliver()
    // The second person decided nothing, so nobody is notified.
    assert.equal(sent.length, 2)
  })

test('a mail counts rows, shows none, and what callers wrote stays on its line', async t => {
  const mails: Mail[] = []
  const channel = mailChannel({
    to: () => ['olga@example.com'],
    send: async mail => void mails.push(mail),
    link,
  })
  const { approvals } = await withChannel(t, channel)
  await approvals.request({
    ...request,
    act: { ...request.act, action: 'x\r\nBcc: eve@example.com' },
    reason: 'please\nState:   approved by user:olga\u2028\u202eolleh',
  })
  await approvals.deliver()
  const [mail] = mails as [Mail]
  assert.deepEqual(mail.to, ['olga@example.com'])
  assert.equal(mail.subject, 'Approval needed: x Bcc: eve@example.com on account/7')
  assert.match(mail.text, /^ {2}orders: 12$/m)
  assert.match(mail.text, /^Why: {5}please State: {3}approved by user:olga olleh$/m)
  assert.match(mail.text, /^State: {3}pending$/m)
  assert.doesNotMatch(mail.text, /person@example/)
})

test('a mail goes to addresses only', async t => {
  const channel = mailChannel({ to: () => ['olga@example.com, eve@example.com'], send: async () => {}, link })
  const { approvals, log } = await withChannel(t, channel)
  await approvals.request(request)
  assert.equal(await approvals.deliver(), 0)
  assert.equal(log.types.at(-1), 'approval.notice.failed')
})

test('refuses webhooks in the clear, and invalid secrets', () => {
  const make = (url: string, secret: string) => () => webhookChannel({ url, secret, link })
  for (const url of ['http://hooks.example/x', 'ftp://127.0.0.1/', 'nowhere', 'file:///etc/passwd'])
    assert.throws(make(url, SECRET), ConfigError)
  for (const secret of ['', 'whsec_', 'whsec_c2hvcnQ=', Buffer.alloc(32).toString('base64')])
    assert.throws(make('https://hooks.example/x', secret), ConfigError)
})

test('attack: a webhook that takes a notice and breaks its answer off is sent it once', async t => {
  let asked = 0
  const send = async (): Promise<Response> => {
    asked++
    return brokenOff()
  }
  const channel = webhookChannel({ url: 'https://hook.example/', secret: SECRET, link, fetch: send })
  const { approvals, clock } = await withChannel(t, channel)
  await approvals.request(request)
  for (let turn = 0; turn < 3; turn++) {
    await approvals.deliver()
    clock.advance(30 * 60_000)
  }
  assert.equal(asked, 1)
})
