import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Engine, type Event, HttpEvent } from '@postern/core'
import fc from 'fast-check'
import { fieldReader } from '../src/event-fields.ts'
import { RecentMap } from '../src/recent-map.ts'
import { RuleDispatch } from '../src/rule-dispatch.ts'
import { scenarioDetector } from '../src/scenario-detector.ts'
import { loadScenarios } from '../src/scenario-files.ts'
import { ScenarioSet } from '../src/scenario-set.ts'

const shipped = loadScenarios({})
const engine = new Engine()

/** Pieces of what the rules look for, so that whole matches come up often. */
const piece = fc.constantFrom(
  ...[
    '/',
    '/..',
    '/../',
    '%2e%2e',
    '/etc/passwd',
    '/wp-login.php',
    '/session',
    '.env',
    '.sql',
    'a',
    'ABC123',
    '?',
    '&',
  ],
  ...[
    'author=1',
    ' or 1=1',
    '+or+1=1',
    '%20and%201=1',
    'union select',
    '%3Cscript%3E',
    '<script',
    '/wp/v2/users',
  ],
  ...[
    '123456',
    '${jndi:',
    '/ecp/',
    'powershell',
    'autodiscover',
    '/api/v2/cmdb/system/admin',
    '/c99.php',
    '%3f',
    '.png',
  ],
)
const target = fc.array(piece, { minLength: 1, maxLength: 5 }).map(pieces => `/${pieces.join('')}`)
const request = fc.record({
  target,
  method: fc.constantFrom('GET', 'POST', 'HEAD', 'CONNECT', 'PUT'),
  version: fc.constantFrom('1.1', '1.0', '2.0', '7.7', ''),
  status: fc.constantFrom(0, 200, 301, 400, 401, 403, 404, 405, 410, 500),
  agent: fc.option(
    fc.constantFrom('Mozilla/5.0', 'sqlmap/1.8', '() { :; }', 'Report Runner', 'x'.repeat(300)),
  ),
  referer: fc.option(fc.constantFrom('https://a.example/', '${jndi:ldap://a}')),
  data: fc.record({ failed: fc.constantFrom('credentials', 'other') }, { requiredKeys: [] }),
  decision: fc.constantFrom('allow', 'deny', 'throttle', undefined),
  rule: fc.option(fc.constantFrom('honey/path', 'jwt/tampered', 'inspect/sqli')),
  principal: fc.constantFrom(
    undefined,
    { kind: 'user', id: 'ann' } as const,
    { kind: 'apiKey', id: 'key-1' } as const,
    { kind: 'apiKey', id: '' } as const,
  ),
})
type Drawn = typeof request extends fc.Arbitrary<infer Value> ? Value : never

function asHttpEvent(drawn: Drawn): Event {
  const headers = ['host', 'h']
  if (drawn.agent !== null) headers.push('user-agent', drawn.agent)
  if (drawn.referer !== null) headers.push('referer', drawn.referer)
  const exchange = engine.open({
    method: drawn.method,
    target: drawn.target,
    headers,
    peer: '192.0.2.7',
    secure: false,
    httpVersion: drawn.version,
    body: undefined,
    native: undefined,
  })
  if (drawn.principal) exchange.principal = drawn.principal
  const { decision: effect, rule } = drawn
  const reasons = [{ rule: rule ?? 'other/rule', message: 'no' }] as const
  if (effect === 'deny' || effect === 'throttle')
    exchange.decision = { effect, guard: 'inspect', status: 403, reasons }
  else if (rule !== null) exchange.observed = { effect: 'deny', guard: 'inspect', status: 403, reasons }
  return new HttpEvent(exchange, { status: drawn.status, duration: 1, bytes: 1, aborted: false })
}

function asPlainEvent(drawn: Drawn): Event {
  const [path = '', query = ''] = drawn.target.split('?')
  return {
    type: 'http',
    time: 0,
    actor: { address: '192.0.2.7', ...(drawn.agent !== null && { agent: drawn.agent }) },
    request: { id: 'r', method: drawn.method, host: 'h', path, query },
    outcome: { status: drawn.status, duration: 1, bytes: 1, aborted: false },
    decision: drawn.decision,
    ...(drawn.rule !== null && { reasons: [{ rule: drawn.rule, message: 'no' }] }),
    data: {
      ...drawn.data,
      target: drawn.target,
      httpVersion: drawn.version,
      ...(drawn.referer !== null && { referer: drawn.referer }),
    },
  }
}

function assertAllAsked(dispatch: RuleDispatch, set: ScenarioSet, event: Event): void {
  const candidates = [...dispatch.candidates(event)]
  assert.deepEqual(
    candidates,
    [...new Set(candidates)].sort((a, b) => a - b),
  )
  for (const [place, { rule }] of set.detections.entries()) {
    if (rule.sees(event) && rule.matches(event)) assert.ok(candidates.includes(place), rule.id)
  }
  if (!dispatch.areKnown) return
  for (const place of candidates)
    assert.equal(set.detections[place]?.rule.matches(event), true, 'called known, and does not match')
}

describe('choosing which rules to ask', () => {
  test('what a target said of itself holds for that target as GET of nobody, and for nothing else', () => {
    const dispatch = new RuleDispatch(shipped.detections.map(({ rule }) => rule))
    const sent = (method: Drawn['method'], target: string, principal = ''): HttpEvent => {
      const drawn = {
        target,
        method,
        version: '1.1',
        status: 200,
        agent: 'Mozilla/5.0',
        referer: null,
      } as const
      const event = asHttpEvent({
        ...drawn,
        data: {},
        decision: 'allow',
        rule: null,
        principal: undefined,
      }) as HttpEvent
      if (principal !== '') event.exchange.principal = { kind: 'user', id: principal }
      return event
    }
    const known = (event: Event): string[] => {
      const places = [...dispatch.candidates(event)]
      return dispatch.areKnown ? places.map(place => shipped.detections[place]?.rule.id ?? '') : ['not known']
    }
    // A target that comes once is not kept.
    for (let time = 0; time < 2; time++)
      assert.deepEqual(known(sent('GET', '/products?page=2')), ['not known'])
    assert.deepEqual(known(sent('GET', '/products?page=2')), ['http-page', 'http-query'])
    for (const other of [sent('POST', '/products?page=2'), sent('GET', '/products?page=2', 'ann')]) {
      assert.deepEqual(known(other), ['not known'])
      assertAllAsked(dispatch, shipped, other)
    }
    for (let time = 0; time < 2; time++) assert.deepEqual(known(sent('GET', '/logo.png')), ['not known'])
    assert.deepEqual(known(sent('GET', '/logo.png')), [])
    assert.deepEqual(known(sent('GET', '/products?page=2')), ['http-page', 'http-query'])
  })

  test('a rule about the target that a filter narrows is asked each time', () => {
    const text = `title: A\nname: a\nlogsource: { category: webserver }\ndetection: { s: { cs-uri-stem: /a }, condition: s }
---
title: Not ours\nlogsource: { category: webserver }\nfilter: { rules: [a], own: { cs-host: ours }, condition: not own }\n`
    const detector = scenarioDetector({ scenarios: ScenarioSet.parse([{ place: 'a.yml', text }]) })
    const count = (host: string, peer: string): number => {
      const exchange = engine.open({
        method: 'GET',
        target: '/a',
        headers: ['host', host],
        peer,
        secure: false,
        httpVersion: '1.1',
        body: undefined,
        native: undefined,
      })
      const event = new HttpEvent(exchange, { status: 200, duration: 1, bytes: 1, aborted: false })
      return detector.observe(event)?.length ?? 0
    }
    assert.equal(count('theirs', '192.0.2.1'), 1)
    assert.equal(count('ours', '192.0.2.2'), 0)
    assert.equal(count('theirs', '192.0.2.3'), 1)
  })

  test('a flood of new targets is not kept, and what is asked stays right', () => {
    const dispatch = new RuleDispatch(shipped.detections.map(({ rule }) => rule))
    for (let i = 0; i < 20_000; i++) {
      const drawn = {
        target: `/p/${i}?n=${i}`,
        method: 'GET',
        version: '1.1',
        status: 200,
        agent: 'a',
        referer: null,
      } as const
      const event = asHttpEvent({ ...drawn, data: {}, decision: 'allow', rule: null, principal: undefined })
      if (i % 500 === 0) assertAllAsked(dispatch, shipped, event)
      else dispatch.candidates(event)
    }
  })

  test('a rule that matches a request is always among those that are asked, each once and in order', () => {
    const dispatch = new RuleDispatch(shipped.detections.map(({ rule }) => rule))
    fc.assert(
      fc.property(request, drawn => {
        // Twice: the second time what is remembered answers.
        assertAllAsked(dispatch, shipped, asHttpEvent(drawn))
        assertAllAsked(dispatch, shipped, asHttpEvent(drawn))
        assertAllAsked(dispatch, shipped, asPlainEvent(drawn))
      }),
      { numRuns: 1_500 },
    )
  })

  test('so are rules over other events', () => {
    const dispatch = new RuleDispatch(shipped.detections.map(({ rule }) => rule))
    for (const type of [
      'login.failed',
      'login.succeeded',
      'honey.field',
      'session.tampered',
      'role.granted',
      'other',
    ])
      assertAllAsked(dispatch, shipped, { type, time: 0, actor: {}, data: { account: 'a', role: 'admin' } })
  })

  test('so are rules of users, whatever their conditions say', () => {
    const selections = [
      'a: { sc-status: [403, 404] }',
      'b: { cs-method|neq: GET }',
      "c: { request.decoded|contains|all: [or, '1=1'] }",
      "d: { request.decoded|startswith: '/..', cs-user-agent|contains: mozilla }",
      'e: { cs-user-agent: null }',
      "f: { request.decoded: '*passwd*' }",
      'g: { request.decoded|contains|cased: UNION }',
      'h: [script, sqlmap]',
      'j: { data.failed|exists: true }',
    ]
    const names = 'abcdefghij'.split('')
    const condition = fc.letrec<{ node: string }>(tie => ({
      node: fc.oneof(
        { maxDepth: 3 },
        fc.constantFrom(...names),
        tie('node').map(node => `not ${node}`),
        fc.tuple(tie('node'), tie('node')).map(([one, two]) => `(${one} and ${two})`),
        fc.tuple(tie('node'), tie('node')).map(([one, two]) => `(${one} or ${two})`),
      ),
    })).node
    fc.assert(
      fc.property(condition, fc.array(request, { minLength: 5, maxLength: 20 }), (text, all) => {
        const used = selections.map(line => `  ${line}`)
        const document = `title: T\nlogsource: { category: webserver }\ndetection:\n${used.join('\n')}\n  i: { request.decoded|endswith: '.env' }\n  condition: ${text}\n`
        const set = ScenarioSet.parse([{ place: 't.yml', text: document }])
        const dispatch = new RuleDispatch(set.detections.map(({ rule }) => rule))
        for (const drawn of all) assertAllAsked(dispatch, set, asPlainEvent(drawn))
      }),
      { numRuns: 150 },
    )
  })
})

/** A list of eight names, the last used one last; the last two stay where they are, as in the map. */
function usedAgain(order: readonly string[], name: string): readonly string[] {
  if (order.slice(-2).includes(name)) return order
  return [...order.filter(other => other !== name), name].slice(-8)
}

describe('keeping what was used last', () => {
  test('keys of two parts are each their own, however many share the first', () => {
    const part = fc.constantFrom('', 'a', 'b', 'ab', 'a\u001f', '\u001fb')
    fc.assert(
      fc.property(fc.array(fc.tuple(part, part), { maxLength: 60 }), keys => {
        const map = new RecentMap<string>(8)
        let order: readonly string[] = []
        for (const [key, rest] of keys) {
          const name = JSON.stringify([key, rest])
          const known = order.includes(name)
          assert.equal(map.find(key, rest), known ? name : undefined)
          if (!known) map.add(key, name, rest)
          order = usedAgain(order, name)
          assert.equal(map.size, order.length)
          assert.equal(map.oldest, order[0])
        }
        for (let left = order.length; left > 0; left--) map.dropOldest()
        assert.equal(map.size, 0)
        for (const [key, rest] of keys) assert.equal(map.find(key, rest), undefined)
      }),
      { numRuns: 500 },
    )
  })

  test('gives up what was quiet longest, and counts it', () => {
    const map = new RecentMap<number>(3)
    for (const [value, key] of ['a', 'b', 'c'].entries()) map.add(key, value)
    assert.equal(map.find('a'), 0)
    map.add('d', 3)
    assert.equal(map.find('b'), undefined)
    assert.deepEqual([map.size, map.evictions, map.oldest], [3, 1, 2])
  })

  test('a key in steady use stays through a flood of others', () => {
    const map = new RecentMap<string>(100)
    map.add('steady', 'kept')
    for (let i = 0; i < 10_000; i++) {
      map.touch(`flood ${i}`, () => '')
      if (i % 20 === 0) assert.equal(map.find('steady'), 'kept')
    }
    assert.equal(map.size, 100)
  })
})

describe('the names of the parameters of a query', () => {
  const read = fieldReader('request.parameters')
  const namesOf = (query: string): unknown =>
    read?.({
      type: 'http',
      time: 0,
      actor: {},
      request: { id: '', method: 'GET', host: '', path: '/', query },
    })

  for (const [query, names] of [
    ['1712345678', undefined],
    ['a=1', 'a'],
    ['b=1&a=2', 'a&b'],
    ['a=2&b=1', 'a&b'],
    ['a=1&a=2', 'a&a'],
    ['c=1&a=2&b=3', 'a&b&c'],
    ['x&b=1&=3&a=2', 'a&b'],
  ] as const) {
    test(`${query} has ${names}`, () => assert.equal(namesOf(query), names))
  }
})
