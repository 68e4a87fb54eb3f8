import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { Event } from '@postern/core'
import { eventSentence } from '../src/events/event-sentence.ts'

const PACKAGES = join(import.meta.dirname, '../..')

/** Types of examples, of holders' own logs, and of bans, which have a line of their own. */
const ELSEWHERE = /^(scenarios|vault)[/]|core[/]src[/]event[.]ts$|remediation-event[.]ts$/

const request = { id: 'r1', method: 'POST', host: 'h', path: '/login', query: '' }

describe('an event that is not a request', () => {
  test('is a sentence, not by the name of its type', () => {
    const events: readonly [Event, RegExp][] = [
      [
        {
          type: 'audit.coalesced',
          time: 0,
          actor: {},
          request,
          reasons: [{ rule: 'limit/login', message: 'm' }],
          data: { of: 'http', count: 12 },
        },
        /^12 more requests like POST \/login, refused by limit\/login, told here as one$/,
      ],
      [
        {
          type: 'operator',
          time: 0,
          actor: { principal: 'operator:eve' },
          action: 'ban',
          resource: { type: 'actor' },
          data: { actor: '192.0.2.1', for: '4h' },
        },
        /^operator:eve: ban actor=192\.0\.2\.1 for=4h$/,
      ],
      [
        { type: 'config.reloaded', time: 0, actor: {}, data: { needRestart: ['listen'] } },
        /read again; these need a restart: listen$/,
      ],
      [
        { type: 'store.back', time: 0, actor: {}, data: { store: 'redis', seconds: 12 } },
        /^redis works again, after 12 s$/,
      ],
      [
        {
          ...{ type: 'gateway.tls-failed', time: 0, actor: { address: '192.0.2.1' } },
          data: { problem: 'the client speaks no TLS from 1.2 on', code: 'ERR_SSL_X', more: 3 },
        },
        /^a TLS handshake with 192\.0\.2\.1 failed: the client .* \(ERR_SSL_X\), and 3 more since the last such line$/,
      ],
      [
        { type: 'gateway.backend-failed', time: 0, actor: {}, request, data: { failure: 'timeout' } },
        /^the backend failed \(timeout\) POST \/login$/,
      ],
      [
        {
          ...{ type: 'gateway.backend-failed', time: 0, actor: {}, request },
          data: { failure: 'unreachable', cause: 'ECONNREFUSED' },
        },
        /^the backend failed \(unreachable: ECONNREFUSED\) POST \/login$/,
      ],
    ]
    for (const [event, sentence] of events) assert.match(eventSentence(event), sentence)
  })

  test('says who signed in, and how', () => {
    const event = { type: 'login.failed', time: 0, actor: { principal: 'ada' }, data: { method: 'password' } }
    assert.equal(eventSentence(event), 'sign-in failed: ada (password)')
  })

  test("of an application is shown by its type, also when it is called as something of JavaScript's own", () => {
    assert.equal(eventSentence({ type: 'order.refunded', time: 0, actor: {} }), 'order.refunded')
    assert.equal(eventSentence({ type: 'constructor', time: 0, actor: {} }), 'constructor')
  })

  test('has words for every type that the log and the gateway write', () => {
    const files = globSync('*/src/**/*.ts', { cwd: PACKAGES }).filter(file => !ELSEWHERE.test(file))
    assert.ok(files.length > 500)
    for (const file of files) {
      // Examples in docstrings show events of applications.
      const source = readFileSync(join(PACKAGES, file), 'utf8').replaceAll(/^ *\*.*$/gm, '')
      for (const [, type = ''] of source.matchAll(/\btype: '([a-z]+\.[a-z.-]+)'/g))
        assert.notEqual(eventSentence({ type, time: 0, actor: {} }), type, `${file}: ${type}`)
    }
  })
})

describe('who did what stands in the line of an event', () => {
  const order = { type: '', id: 'orders/7' }
  const data = { approval: 'f1e5', state: 'pending', requestedBy: 'user:finn' }
  const asked = { time: 0, action: 'DELETE /orders/:id', resource: order, data }
  const lines: readonly (readonly [Event, string])[] = [
    [
      { ...asked, type: 'approval.requested', actor: { principal: 'user:finn' } },
      'user:finn asked for consent to DELETE /orders/:id orders/7 (approval f1e5)',
    ],
    [
      { ...asked, type: 'approval.approved', actor: { principal: 'user:olga' } },
      'user:olga consented to DELETE /orders/:id orders/7, asked by user:finn (approval f1e5)',
    ],
    [
      { ...asked, type: 'approval.forged', actor: {} },
      'a request was changed in the database: DELETE /orders/:id orders/7, asked by user:finn (approval f1e5)',
    ],
    [
      { ...asked, type: 'act.refused', actor: { principal: 'finn' }, data: { why: 'approval-pending' } },
      'finn may not DELETE /orders/:id orders/7 (approval-pending)',
    ],
    [
      {
        ...{ type: 'account.roles-changed', time: 0, actor: { principal: 'user:ann' } },
        ...{ resource: { type: 'account', id: 'u_4711' }, data: { roles: ['admin'] } },
      },
      'account.roles-changed: user:ann account u_4711 roles=["admin"]',
    ],
    [{ type: 'shop.order-paid', time: 0, actor: {}, data: { total: 12 } }, 'shop.order-paid: total=12'],
    [{ type: 'shop.opened', time: 0, actor: {} }, 'shop.opened'],
  ]
  for (const [event, line] of lines) test(event.type, () => assert.equal(eventSentence(event), line))
})
