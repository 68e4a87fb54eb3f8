import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ConfigError, type Event } from '@postern/core'
import fc from 'fast-check'
import { scenarioDetector } from '../src/scenario-detector.ts'
import { ScenarioSet } from '../src/scenario-set.ts'
import { WordSet } from '../src/word-set.ts'

const http = (change: Partial<Event> = {}, target = '/a/b.php?q=1', status = 200): Event => ({
  type: 'http',
  time: 0,
  actor: { address: '192.0.2.7', agent: 'Mozilla/5.0 Firefox' },
  request: {
    id: 'r',
    method: 'GET',
    host: 'h',
    path: target.split('?', 1)[0] ?? '',
    query: target.split('?')[1] ?? '',
  },
  outcome: { status, duration: 1, bytes: 10, aborted: false },
  data: { target, list: ['x', 'y'] },
  ...change,
})

const rule = (detection: string, extra = ''): string =>
  `title: A rule\nname: rule\nlogsource: { category: webserver }\ndetection:\n${detection
    .split('\n')
    .map(line => `  ${line}`)
    .join('\n')}\n${extra}`

const matches = (detection: string, event: Event): boolean =>
  scenarioDetector({ scenarios: ScenarioSet.parse([{ place: 'test.yml', text: rule(detection) }]) }).observe(
    event,
  ) !== undefined

function issues(text: string): string {
  try {
    ScenarioSet.parse([{ place: 'test.yml', text }])
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.message
  }
  return ''
}

describe('Sigma detections', () => {
  const table: readonly (readonly [detection: string, hit: Event, miss: Event])[] = [
    ['s: { sc-status: 404 }\ncondition: s', http({}, '/', 404), http()],
    ['s: { sc-status: [403, 404] }\ncondition: s', http({}, '/', 403), http()],
    [
      's: { cs-method: get }\ncondition: s',
      http(),
      http({ request: { id: '', method: 'POST', host: '', path: '/', query: '' } }),
    ],
    ['s: { cs-user-agent|contains: firefox }\ncondition: s', http(), http({ actor: { agent: 'curl' } })],
    [
      's: { cs-user-agent|contains: [curl, wget, FIREFOX] }\ncondition: s',
      http(),
      http({ actor: { agent: 'x' } }),
    ],
    [
      's: { cs-user-agent|contains|all: [mozilla, firefox] }\ncondition: s',
      http(),
      http({ actor: { agent: 'firefox' } }),
    ],
    [
      's: { cs-user-agent|contains|cased: Firefox }\ncondition: s',
      http(),
      http({ actor: { agent: 'firefox' } }),
    ],
    ['s: { cs-uri-stem|startswith: /a }\ncondition: s', http(), http({}, '/b')],
    ['s: { cs-uri-stem|endswith: [.asp, .PHP] }\ncondition: s', http(), http({}, '/b')],
    ["s: { cs-uri-stem: '/a/*.php' }\ncondition: s", http(), http({}, '/a/x.asp')],
    ["s: { cs-uri-stem: '/a/?.php' }\ncondition: s", http(), http({}, '/a/bb.php')],
    ["s: { cs-uri: '*\\*literal*' }\ncondition: s", http({}, '/a*literal'), http({}, '/a-literal')],
    ["s: { cs-uri-stem|re: '^/a/[a-z]\\.php$' }\ncondition: s", http(), http({}, '/A/b.php')],
    ["s: { cs-uri-stem|re|i: '^/A/[a-z]' }\ncondition: s", http(), http({}, '/c')],
    [
      's: { c-ip|cidr: [10.0.0.0/8, 192.0.2.0/24] }\ncondition: s',
      http(),
      http({ actor: { address: '198.51.100.1' } }),
    ],
    ['s: { sc-status|gte: 400 }\ncondition: s', http({}, '/', 400), http({}, '/', 399)],
    ['s: { sc-status|lt: 300 }\ncondition: s', http(), http({}, '/', 300)],
    ['s: { actor.principal: null }\ncondition: s', http(), http({ actor: { principal: 'alice' } })],
    ['s: { actor.principal|exists: true }\ncondition: s', http({ actor: { principal: 'alice' } }), http()],
    ['s: { actor.principal|exists: false }\ncondition: s', http(), http({ actor: { principal: 'alice' } })],
    [
      's: { actor.principal|exists|neq: true }\ncondition: s',
      http(),
      http({ actor: { principal: 'alice' } }),
    ],
    [
      's: { c-ip|cidr|neq: 198.51.100.0/24 }\ncondition: s',
      http(),
      http({ actor: { address: '198.51.100.1' } }),
    ],
    [
      's: { c-ip|cidr|all: [198.51.0.0/16, 198.51.100.0/24] }\ncondition: s',
      http({ actor: { address: '198.51.100.1' } }),
      http({ actor: { address: '198.51.101.1' } }),
    ],
    ["s: { cs-uri-stem|re|neq: '^/a/' }\ncondition: s", http({}, '/b'), http({}, '/a/b')],
    ['s: { sc-status|gte|neq: 400 }\ncondition: s', http(), http({}, '/', 400)],
    ['s: { sc-status|neq: 200 }\ncondition: s', http({}, '/', 500), http()],
    ['s: { data.list: y }\ncondition: s', http(), http({ data: { list: ['z'] } })],
    ['s: [firefox, nothing]\ncondition: s', http(), http({ actor: { agent: 'x' } })],
    ['s: [{ sc-status: 404 }, { cs-uri-stem: /x }]\ncondition: s', http({}, '/x'), http()],
    [
      'a: { sc-status: 404 }\nb: { cs-method: GET }\ncondition: a and not b or b and not a',
      http(),
      http({}, '/', 404),
    ],
    [
      'a1: { sc-status: 404 }\na2: { sc-status: 200 }\nb: { sc-status: 1 }\ncondition: 1 of a*',
      http(),
      http({}, '/', 1),
    ],
    [
      'a1: { sc-status: 200 }\na2: { cs-method: GET }\n_b: { sc-status: 1 }\ncondition: all of them',
      http(),
      http({}, '/', 1),
    ],
    ['a: { sc-status: 200 }\nb: { sc-status: 404 }\ncondition: not (a or b)', http({}, '/', 500), http()],
    ['s: { request.decoded|contains: ../etc }\ncondition: s', http({}, '/%252e%252e/etc'), http({}, '/etc')],
  ]
  for (const [detection, hit, miss] of table)
    test(detection.replaceAll('\n', '; '), () => {
      assert.equal(matches(detection, hit), true)
      assert.equal(matches(detection, miss), false)
    })

  test('a filter narrows the rules it names', () => {
    const text = `${rule('s: { sc-status: 404 }\ncondition: s')}---\ntitle: Not ours\nlogsource: { category: webserver }\nfilter:\n  rules: [rule]\n  own: { c-ip|cidr: 192.0.2.0/24 }\n  condition: not own\n`
    const detector = scenarioDetector({ scenarios: ScenarioSet.parse([{ place: 't', text }]) })
    assert.equal(detector.observe(http({}, '/', 404)), undefined)
    assert.notEqual(detector.observe(http({ actor: { address: '198.51.100.1' } }, '/', 404)), undefined)
  })
})

describe('what is not understood is refused with its place', () => {
  const correlation = (body: string): string =>
    `${rule('s: { sc-status: 404 }\ncondition: s')}---\ntitle: C\nname: c\ncorrelation: ${body}\n`
  const table: readonly (readonly [name: string, text: string, words: RegExp])[] = [
    [
      'an unknown field',
      rule('s: { cs-uri-stm: /a }\ncondition: s'),
      /test\.yml\.detection\.s\.cs-uri-stm.*not a field/,
    ],
    [
      'a word for true',
      rule('s: { actor.principal|exists: yes }\ncondition: s'),
      /test\.yml\.detection\.s\.actor\.principal.*"exists" needs true or false/,
    ],
    [
      'two ways to compare',
      rule('s: { cs-uri-stem|contains|endswith: php }\ncondition: s'),
      /cs-uri-stem.*"contains" and "endswith" cannot stand together/,
    ],
    [
      'a flag of expressions without one',
      rule('s: { cs-uri-stem|contains|i: php }\ncondition: s'),
      /cs-uri-stem.*"i" has a meaning only behind "re"/,
    ],
    [
      'two bounds',
      rule('s: { sc-status|gte: [400, 500] }\ncondition: s'),
      /sc-status.*"gte" needs one number/,
    ],
    [
      'an unknown modifier',
      rule('s: { cs-uri|base64offset: /a }\ncondition: s'),
      /"base64offset" is not understood/,
    ],
    [
      'an unknown key',
      rule('s: { cs-uri: /a }\ncondition: s', 'respnd: { action: block }\n'),
      /did you mean "respond"/,
    ],
    ['an unsafe expression', rule("s: { cs-uri|re: '(a+)+$' }\ncondition: s"), /repeats/],
    ['a condition without a definition', rule('s: { cs-uri: /a }\ncondition: t'), /"t" is not defined/],
    ['half a condition', rule('s: { cs-uri: /a }\ncondition: s and'), /ends too early/],
    ['an old aggregation', rule('s: { cs-uri: /a }\ncondition: s | count() > 5'), /correlation rule/],
    ['2 of them', rule('s: { cs-uri: /a }\ncondition: 2 of them'), /only 1, any and all/],
    [
      'events Postern has not',
      'title: W\nlogsource: { product: windows }\ndetection: { s: { type: x }, condition: s }',
      /sees no events/,
    ],
    [
      'an unknown action',
      rule('s: { cs-uri: /a }\ncondition: s', 'respond: { action: nuke, for: 1m }\n'),
      /one of throttle/,
    ],
    [
      'a measure without an end',
      rule('s: { cs-uri: /a }\ncondition: s', 'respond: { action: block }\n'),
      /respond\.for: is missing/,
    ],
    [
      'a correlation over nothing',
      correlation(
        '{ type: event_count, rules: [nothing], group-by: [c-ip], timespan: 1m, condition: { gte: 1 } }',
      ),
      /no rule is named "nothing"/,
    ],
    [
      'a correlation without a group',
      correlation('{ type: event_count, rules: [rule], timespan: 1m, condition: { gte: 1 } }'),
      /group-by: is missing/,
    ],
    [
      'a condition that holds for nothing',
      correlation(
        '{ type: event_count, rules: [rule], group-by: [c-ip], timespan: 1m, condition: { lt: 5 } }',
      ),
      /gte, gt and eq/,
    ],
    [
      'percentiles',
      correlation(
        '{ type: value_percentile, rules: [rule], group-by: [c-ip], timespan: 1m, condition: { field: sc-bytes, gte: 5 } }',
      ),
      /percentiles/,
    ],
    [
      'a circle',
      `title: A\nname: a\ncorrelation: { type: event_count, rules: [b], group-by: [c-ip], timespan: 1m, condition: { gte: 1 } }\n---\ntitle: B\nname: b\ncorrelation: { type: event_count, rules: [a], group-by: [c-ip], timespan: 1m, condition: { gte: 1 } }\n`,
      /circle/,
    ],
    [
      'two rules of one name',
      `${rule('s: { cs-uri: /a }\ncondition: s')}---\n${rule('s: { cs-uri: /b }\ncondition: s')}`,
      /is also the id/,
    ],
    [
      'a threshold that would eat memory',
      correlation(
        '{ type: event_count, rules: [rule], group-by: [c-ip], timespan: 1m, condition: { gte: 1000000 } }',
      ),
      /between 1 and/,
    ],
    [
      'a remediation of nobody',
      correlation(
        '{ type: event_count, rules: [rule], group-by: [cs-host], timespan: 1m, condition: { gte: 5 } }',
      )
        .trimEnd()
        .concat('\nrespond: { action: block, for: 1m }\n'),
      /no actor to apply/,
    ],
    ['YAML bombs', 'a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]', /aliases/],
    ['text that is not YAML', 'title: "', /test\.yml/],
    ['a document that is not a rule', 'hello: world', /not a Sigma rule/],
    [
      'a scenario of CrowdSec',
      'type: leaky\nname: crowdsecurity/http-probing\nfilter: "evt.Meta.service == \'http\'"\ncapacity: 10',
      /^[^\n]*is a scenario of CrowdSec, and Postern reads Sigma rules[^\n]*$/,
    ],
  ]
  for (const [name, text, words] of table) test(name, () => assert.match(issues(text), words))

  test('all mistakes are reported at once', () => {
    assert.equal(issues(rule('s: { nope: 1, cs-uri|wide: x }\ncondition: t')).split('\n').length, 3)
  })
})

test('a word set finds what includes finds', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'é'), minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(
      fc.array(word, { minLength: 1, maxLength: 8 }),
      fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'd', 'é'), maxLength: 300 }),
      (words, text) => {
        assert.equal(
          new WordSet(words).has(text),
          words.some(one => text.includes(one)),
        )
      },
    ),
  )
})
