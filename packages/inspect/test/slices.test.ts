import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { visitGraphql } from '../src/body/graphql.ts'
import { visitXml } from '../src/body/xml.ts'
import { DEFAULT_BOUNDS } from '../src/bounds/bounds.ts'
import { EffortMeter } from '../src/bounds/effort-meter.ts'
import { beginInspection, inspect } from '../src/inspect.ts'
import { finishSteps } from '../src/value/steps.ts'

function request(text: string): Parameters<typeof inspect>[0] {
  const body = Buffer.from(JSON.stringify({ text }))
  return { method: 'POST', target: '/', headers: ['content-type', 'application/json'], body }
}

describe('inspection in slices', () => {
  test('stops when the slice is used up, goes on where it stopped, and finds what it would have found at once', () => {
    const text = `${"it's a <b>note</b> (of sorts); see & sort | 'x' ".repeat(4_000)}<script>alert(1)</script>`
    let clock = 0
    const now = (): number => (clock += 1)
    const ongoing = beginInspection(request(text), {}, { milliseconds: 4, now })
    let slices = 0
    while (!ongoing.advance(4, now)) slices++
    assert.ok(slices > 3, `${slices} slices`)
    assert.deepEqual(ongoing.finish(), inspect(request(text)))
    assert.equal(ongoing.finish().verdict, 'block')
  })

  test('a request that costs more than one may is reported, and costs no more', () => {
    const bounds = { ...DEFAULT_BOUNDS, effort: 500_000 }
    const text = "' or ( < ; | & $ ` ".repeat(20_000)
    const ongoing = beginInspection(request(text), { bounds })
    const { verdict, matches } = ongoing.finish()
    assert.equal(
      matches.some(match => match.rule === 'bounds/effort'),
      true,
    )
    assert.notEqual(verdict, 'pass')
    assert.ok(ongoing.spent < 1_000_000)
  })

  test('a body that holds one long value, or many short ones, is taken apart in slices too', () => {
    const bodies = [
      ['application/x-www-form-urlencoded', `a=${'%0A%26%23'.repeat(20_000)}`],
      ['application/x-www-form-urlencoded', "a%20b=it's&".repeat(9_000)],
      ['application/json', JSON.stringify({ text: '\n"it\'s'.repeat(30_000) })],
      [
        'application/xml',
        `<?xml version="1.0"?><a b="${'&amp;x'.repeat(30_000)}">${'&lt;y'.repeat(30_000)}</a>`,
      ],
      ['application/graphql', `query { a(b: "${'\\\\ \\n x'.repeat(40_000)}") { id } }`],
      ['application/json', `{"a":"${'\\\\q\\\\\\\\'.repeat(60_000)}"}`],
      ['application/json', `{a:${'/**/'.repeat(100_000)}${"'x y',".repeat(20_000)}`],
      ['application/octet-stream', `[${'1,'.repeat(200_000)}"${'\0'.repeat(400_000)}"]`],
      // Nothing in it opens a rule.
      ['application/xml', `<?xml version="1.0"?><a>${'-- on "on '.repeat(40_000)}`],
      ['application/xml', `<a>${"<b c='1'/>".repeat(9_000)}</a>`],
    ] as const
    for (const [type, body] of bodies) {
      const sent = { method: 'POST', target: '/', headers: ['content-type', type], body: Buffer.from(body) }
      let clock = 0
      const now = (): number => (clock += 2)
      const ongoing = beginInspection(sent, {}, { milliseconds: 4, now })
      const spent = [ongoing.spent]
      while (!ongoing.advance(4, now)) spent.push(ongoing.spent)
      assert.ok(spent.length > 3, `${spent.length} slices of ${type}`)
      const steps = spent.map((units, i) => units - (spent[i - 1] ?? 0))
      assert.ok(Math.max(...steps) < 600_000, `${Math.max(...steps)} units in one slice of ${type}`)
      assert.deepEqual(ongoing.finish(), inspect(sent))
    }
  })

  test('the same request costs the same whatever the clock says', () => {
    const text = `it's ${'a; b | c & d '.repeat(3_000)}`
    let clock = 0
    const sliced = beginInspection(request(text), {}, { milliseconds: 1, now: () => (clock += 5) })
    while (!sliced.advance(1, () => (clock += 5)));
    assert.equal(sliced.spent, beginInspection(request(text)).spent)
  })
})

describe('the last step of an inspection', () => {
  const budget = 1

  /** A request that is done in its first slice, during which the clock of the CPU goes on by so much. */
  function verdictAfter(milliseconds: number, most = budget): string {
    let calls = 0
    const cpu = (): number => (calls++ === 0 ? 0 : milliseconds)
    const ongoing = beginInspection(
      request('a | b & c '.repeat(4_000)),
      { bounds: { ...DEFAULT_BOUNDS, cpu: most } },
      { milliseconds: 4, now: () => 0, cpu },
    )
    assert.ok(ongoing.advance(4, () => 0))
    const { verdict, matches } = ongoing.finish()
    assert.deepEqual(ongoing.finish(), { verdict, matches })
    return `${verdict} ${matches.map(({ rule }) => rule).join()}`.trim()
  }

  test('counts: who ends more than a tenth over the budget is over it', () => {
    assert.equal(verdictAfter(budget * 1.05), 'pass')
    assert.equal(verdictAfter(budget * 1.2), 'too-big bounds/effort')
  })

  test('counts for no more than its units explain, however busy the machine is', () => {
    assert.equal(verdictAfter(10_000, DEFAULT_BOUNDS.cpu), 'pass')
  })

  test('is of a budget that grows with the body: more than 400 KiB have as much for each', () => {
    const sources = globSync('../../{core,gateway,http,runtime,server,store}/src/**/*.ts', {
      cwd: import.meta.dirname,
    })
    const text = sources.sort().map(file => readFileSync(join(import.meta.dirname, file), 'utf8'))
    let clock = 0
    const cpu = (): number => (clock += 1_000)
    /** What is said of so many bytes of source code where each unit takes as long as it may count for. */
    const verdictOf = (bytes: number, most: number): string => {
      const body = Buffer.from(text.join('\n')).subarray(0, bytes)
      assert.equal(body.length, bytes)
      const sent = { method: 'POST', target: '/', headers: ['content-type', 'text/plain'], body }
      const bounds = { ...DEFAULT_BOUNDS, cpu: most }
      const ongoing = beginInspection(
        sent,
        { bounds },
        { milliseconds: 4, now: () => performance.now(), cpu },
      )
      while (!ongoing.advance(4, () => performance.now()));
      return ongoing.finish().verdict
    }
    assert.equal(verdictOf(1_048_576, DEFAULT_BOUNDS.cpu), 'pass')
    const enough = DEFAULT_BOUNDS.cpu / 2
    assert.equal(verdictOf(1_048_576, enough), 'pass')
    assert.equal(verdictOf(1_048_576, enough / 8), 'too-big')
  })

  test('counts once, and what compiling took before it is not held against it', () => {
    let clock = 0
    const meter = new EffortMeter(1_000_000, { milliseconds: 50, cpu: () => clock, startUp: { left: 30 } })
    assert.equal(meter.close(), false)
    meter.slice(4, () => 0)
    meter.spend(20_000)
    clock = 80
    assert.equal(meter.close(), false)
    clock = 500
    assert.equal(meter.close(), false)
  })
})

describe('work that no slice ends', () => {
  test('a GraphQL string that nothing closes is one value, and not looked for again at each quote in it', () => {
    const lengths: number[] = []
    const visitor = {
      isPaused: false,
      work: () => undefined,
      tooBig: () => undefined,
      value: (text: string) => lengths.push(text.length) > 0,
    }
    const start = 'query { a(b: "'
    const inside = 'é\\"x '.repeat(20_000)
    finishSteps(visitGraphql(start + inside, 'body', visitor))
    assert.deepEqual(lengths, [inside.replaceAll('\\', '').length])
  })

  test('a GraphQL string ends at its quote wherever what is copied at once ends', () => {
    const ends = ['"', '\n', '\\\n', '\\"x"', '\\\\"']
    for (let length = 60; length < 70; length++) {
      for (const end of ends) {
        const values: string[] = []
        const visitor = {
          isPaused: false,
          work: () => undefined,
          tooBig: () => undefined,
          value: (text: string) => values.push(text) > 0,
        }
        finishSteps(visitGraphql(`{ a(b: "${'y'.repeat(length)}${end}`, 'body', visitor))
        const inside = /^(?:[^"\\\n]|\\[^\n])*\\?/.exec('y'.repeat(length) + end)?.[0] ?? ''
        assert.equal(values[0], inside.replace(/\\(["\\])/g, '$1'), JSON.stringify(end))
      }
    }
  })

  test('an XML tag is looked through in steps, and ends where it ends whatever a step ends with', () => {
    for (let length = 32_740; length < 32_780; length += 3) {
      const inside = `'>${'x'.repeat(length)}`
      const values: string[] = []
      let steps = 0
      const visitor = {
        isPaused: true,
        work: () => undefined,
        tooBig: () => undefined,
        value: (text: string) => values.push(text) > 0,
      }
      for (const _ of visitXml(`<a b = "${inside}>" c='d>'>text</a>`, 8, visitor)) steps++
      assert.deepEqual(values.slice(0, 5), ['b', `${inside}>`, 'c', 'd>', 'text'], `${length}`)
      assert.ok(steps > 3)
    }
    let steps = 0
    const visitor = { isPaused: true, work: () => undefined, tooBig: () => undefined, value: () => true }
    for (const _ of visitXml(`<a ${'x=y '.repeat(200_000)}`, 8, visitor)) steps++
    assert.ok(steps > 20, `${steps} steps`)
  })

  test('an attack in a GraphQL string is found, whether or not the string is closed', () => {
    for (const end of ['") { id } }', '', '\n) { id } }', '""") { id } }']) {
      const open = end.startsWith('"""') ? '"""' : '"'
      const body = Buffer.from(`query { a(b: ${open}x' UNION SELECT password FROM users--${end}`)
      const { verdict } = inspect({
        method: 'POST',
        target: '/graphql',
        headers: ['content-type', 'application/graphql'],
        body,
      })
      assert.equal(verdict, 'block', end)
    }
  })
})
