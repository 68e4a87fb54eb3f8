import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  ALLOW,
  type Decision,
  Engine,
  type Event,
  type EventRecorder,
  type Exchange,
  type Finding,
  type Guard,
  type Outcome,
  type Refusal,
  type Remediation,
  type Remediations,
  StoreError,
  VirtualClock,
} from '../../src/index.ts'
import { run, source } from '../exchanges.ts'

const OUTCOME: Outcome = { status: 200, duration: 1, bytes: 0, aborted: false }

function refusal(guard: string): Refusal {
  return { effect: 'deny', guard, status: 403, reasons: [{ rule: `${guard}/rule`, message: 'No.' }] }
}

/** A guard that writes down when it was asked and settled. */
function guard(
  log: string[],
  name: string,
  decide: (exchange: Exchange) => Decision | Promise<Decision> = () => ALLOW,
  more: Partial<Guard> = {},
): Guard {
  return {
    name,
    failure: 'closed',
    decide(exchange) {
      log.push(`${name} asked`)
      return decide(exchange)
    },
    settle: () => void log.push(`${name} settled`),
    ...more,
  }
}

/** A recorder in memory. */
function recorder(
  commit: () => Promise<never> | undefined = () => undefined,
): EventRecorder & { readonly recorded: Event[]; readonly committed: Event[] } {
  const recorded: Event[] = []
  const committed: Event[] = []
  return {
    recorded,
    committed,
    record: event => void recorded.push(event),
    async commit(event) {
      await commit()
      committed.push(event)
      return { index: BigInt(committed.length - 1) }
    },
  }
}

describe('an engine', () => {
  test('answers at once when all its guards do', () => {
    const engine = new Engine({ guards: [guard([], 'a'), guard([], 'b')] })
    const exchange = engine.open(source())
    assert.equal(engine.decide(exchange), ALLOW)
  })

  test('asks guards in their order, and none after the first refusal', async () => {
    const log: string[] = []
    const engine = new Engine({
      guards: [guard(log, 'a'), guard(log, 'b', () => refusal('b')), guard(log, 'c')],
    })
    const exchange = await run(engine)
    assert.equal(exchange.decision.effect, 'deny')
    assert.deepEqual(log, ['a asked', 'b asked', 'a settled'])
  })

  test('keeps the order when some of them have to wait', async () => {
    const log: string[] = []
    const late = async (): Promise<Decision> => {
      await new Promise(setImmediate)
      log.push('waited')
      return ALLOW
    }
    const engine = new Engine({
      guards: [guard(log, 'a'), guard(log, 'b', late), guard(log, 'c'), guard(log, 'd', late)],
    })
    await run(engine)
    assert.deepEqual(log.slice(0, 6), ['a asked', 'b asked', 'waited', 'c asked', 'd asked', 'waited'])
    assert.deepEqual(log.slice(6), ['a settled', 'b settled', 'c settled', 'd settled'])
  })

  test('refuses by a guard that had to wait', async () => {
    const log: string[] = []
    const engine = new Engine({ guards: [guard(log, 'a', async () => refusal('a')), guard(log, 'b')] })
    const exchange = engine.open(source())
    const decision = engine.decide(exchange)
    assert.ok(decision instanceof Promise)
    assert.equal((await decision).effect, 'deny')
    assert.deepEqual(log, ['a asked'])
  })

  test('only notes what a guard in observe mode would refuse, the first of them', async () => {
    const engine = new Engine({
      guards: [
        guard([], 'a', () => refusal('a'), { mode: 'observe' }),
        guard([], 'b', () => refusal('b'), { mode: 'observe' }),
        guard([], 'c'),
      ],
    })
    const exchange = await run(engine)
    assert.equal(exchange.decision, ALLOW)
    assert.equal(exchange.observed?.guard, 'a')
  })

  test('lets its own observe mode overrule a guard that would enforce', async () => {
    const log: string[] = []
    const engine = new Engine({
      mode: 'observe',
      guards: [guard(log, 'a', () => refusal('a'), { mode: 'enforce' }), guard(log, 'b')],
    })
    const exchange = await run(engine)
    assert.equal(exchange.decision, ALLOW)
    assert.equal(exchange.observed?.guard, 'a')
    assert.deepEqual(log, ['a asked', 'b asked', 'a settled', 'b settled'])
  })

  const served = { effect: 'allow', answer: { status: 200, headers: [], body: 'page' } } as const

  test('lets a guard serve a request: no later guard is asked, and it is settled as allowed', async () => {
    const log: string[] = []
    const engine = new Engine({
      guards: [guard(log, 'a'), guard(log, 'b', () => served, { mode: 'observe' }), guard(log, 'c')],
    })
    const exchange = engine.open(source())
    assert.equal(engine.decide(exchange), served)
    assert.equal(exchange.decision, served)
    engine.settle(exchange, OUTCOME)
    assert.deepEqual(log, ['a asked', 'b asked', 'a settled', 'b settled'])
  })

  test('records a served exchange like any allowed one, first where that was promised', async () => {
    const audit = recorder()
    const engine = new Engine({
      guards: [guard([], 'a', () => served)],
      recorder: audit,
      record: () => 'before',
    })
    const exchange = await run(engine, { method: 'POST' })
    assert.equal(exchange.decision, served)
    assert.equal(audit.committed.length, 1)
    assert.equal(audit.recorded[0]?.decision, 'allow')
    const reads = recorder()
    await run(new Engine({ guards: [guard([], 'a', () => served)], recorder: reads }))
    assert.equal(reads.recorded.length, 0)
  })

  const thenable = (value: unknown): unknown => ({
    // biome-ignore lint/suspicious/noThenProperty: what JavaScript code may return
    then: (resolve: (value: unknown) => void) => resolve(value),
  })
  const hostile = new Proxy(
    {},
    {
      get: () => {
        throw new Error('not today')
      },
    },
  )
  const returned: readonly (readonly [string, () => unknown, 'open' | 'closed'])[] = [
    ['returns nothing', () => undefined, 'open'],
    ['returns null', () => null, 'open'],
    ['returns true', () => true, 'open'],
    ['returns an object that is not a decision', () => ({}), 'open'],
    ['returns an unknown effect', () => ({ effect: 'maybe' }), 'open'],
    ['returns an object whose getters throw', () => hostile, 'open'],
    ['resolves with nothing', async () => undefined, 'open'],
    ['returns a thenable of nothing', () => thenable(undefined), 'open'],
    ['returns a thenable of a bare refusal', () => thenable({ effect: 'deny' }), 'closed'],
    ['returns a refusal without reasons', () => ({ effect: 'deny', guard: 'a', status: 403 }), 'closed'],
    [
      'returns a refusal with an empty reason',
      () => ({ effect: 'deny', guard: 'a', status: 403, reasons: [undefined] }),
      'closed',
    ],
    ['returns a refusal that says 200', () => ({ ...refusal('a'), status: 200 }), 'closed'],
    [
      'returns an answer without a body',
      () => ({ effect: 'allow', answer: { status: 200, headers: [] } }),
      'closed',
    ],
    [
      'throws what is not an error',
      () => {
        throw undefined
      },
      'open',
    ],
    ['rejects with what is not an error', () => Promise.reject(null), 'open'],
  ]
  for (const [how, decide, policy] of returned) {
    test(`never throws for a guard in JavaScript that ${how}`, async () => {
      for (const failure of ['open', 'closed'] as const) {
        const told: string[] = []
        const broken: Guard = { name: 'a', failure, decide: decide as Guard['decide'] }
        const engine = new Engine({
          guards: [broken, guard([], 'b')],
          onError: part => {
            told.push(part)
            throw new Error('and the listener fails too')
          },
        })
        const exchange = engine.open(source())
        const decision = await engine.decide(exchange)
        assert.equal(decision, exchange.decision)
        assert.equal(decision.effect, policy === 'open' && failure === 'open' ? 'allow' : 'deny')
        if (decision.effect !== 'allow') assert.equal(decision.status, 503)
        assert.deepEqual(told, ['guard a'])
      }
    })
  }

  test('takes a decision from a thenable that is not a Promise', async () => {
    const waiting = { ...guard([], 'a'), decide: (() => thenable(refusal('a'))) as Guard['decide'] }
    const exchange = await run(new Engine({ guards: [waiting] }))
    assert.equal(exchange.decision.effect, 'deny')
  })

  for (const [how, fail] of [
    [
      'throws',
      () => {
        throw new StoreError('is down', { store: 'redis', retryable: true })
      },
    ],
    ['rejects', () => Promise.reject(new StoreError('is down', { store: 'redis', retryable: true }))],
  ] as const) {
    test(`answers a guard that ${how} by its failure policy, and tells the operator`, async () => {
      const told: string[] = []
      const onError = (part: string, error: unknown): void => void told.push(`${part}: ${String(error)}`)
      const open = await run(new Engine({ onError, guards: [guard([], 'a', fail, { failure: 'open' })] }))
      assert.equal(open.decision, ALLOW)
      const closed = await run(new Engine({ onError, guards: [guard([], 'a', fail)] }))
      assert.ok(
        closed.decision.effect === 'deny' &&
          closed.decision.status === 503 &&
          closed.decision.retryAfter === 5,
      )
      assert.equal(closed.decision.reasons[0].rule, 'a/unavailable')
      const observed = await run(new Engine({ onError, guards: [guard([], 'a', fail, { mode: 'observe' })] }))
      assert.equal(observed.decision, ALLOW)
      assert.deepEqual(told, Array(3).fill('guard a: StoreError: redis: is down'))
    })
  }

  test('settles exactly the guards that passed, once each, also when one of them throws', async () => {
    const log: string[] = []
    const errors: string[] = []
    const throwing = guard(log, 'b', () => ALLOW, {
      settle() {
        log.push('b settled')
        throw new Error('broken')
      },
    })
    const engine = new Engine({
      onError: part => void errors.push(part),
      guards: [
        guard(log, 'a'),
        throwing,
        guard(log, 'c'),
        guard(log, 'd', () => refusal('d')),
        guard(log, 'e'),
      ],
    })
    await run(engine)
    assert.deepEqual(
      log.filter(line => line.endsWith('settled')),
      ['a settled', 'b settled', 'c settled'],
    )
    assert.deepEqual(errors, ['guard b'])
  })

  test('gives every exchange its time and an id of its own', () => {
    const clock = new VirtualClock(5_000)
    const engine = new Engine({ clock })
    const first = engine.open(source())
    assert.equal(first.time, 5_000)
    assert.equal(first.id, first.id)
    assert.notEqual(first.id, engine.open(source()).id)
  })
})

describe('what an engine writes down', () => {
  for (const [what, method, status, isRecorded] of [
    ['a successful read', 'GET', 200, false],
    ['a redirected read', 'HEAD', 304, false],
    ['a failed read', 'GET', 404, true],
    ['a write', 'POST', 200, true],
    ['a failed write', 'DELETE', 500, true],
  ] as const) {
    test(`${isRecorded ? 'holds' : 'leaves out'} ${what}`, () => {
      const log = recorder()
      const engine = new Engine({ recorder: log })
      const exchange = engine.open(source({ method }))
      engine.decide(exchange)
      engine.settle(exchange, { ...OUTCOME, status })
      assert.equal(log.recorded.length, isRecorded ? 1 : 0)
    })
  }

  test('holds every refusal, and every request that would have been refused', async () => {
    const log = recorder()
    await run(new Engine({ recorder: log, guards: [guard([], 'a', () => refusal('a'))] }))
    await run(new Engine({ recorder: log, mode: 'observe', guards: [guard([], 'a', () => refusal('a'))] }))
    assert.deepEqual(
      log.recorded.map(({ decision, observed, guard: by, reasons }) => [
        decision,
        observed,
        by,
        reasons?.[0]?.rule,
      ]),
      [
        ['deny', undefined, 'a', 'a/rule'],
        ['allow', 'deny', 'a', 'a/rule'],
      ],
    )
  })

  test('is durable before the request is handled where that is promised', async () => {
    const log = recorder()
    const engine = new Engine({ recorder: log, record: () => 'before' })
    const exchange = engine.open(source({ method: 'DELETE', target: '/orders' }))
    const decision = engine.decide(exchange)
    assert.ok(decision instanceof Promise)
    assert.equal(await decision, ALLOW)
    assert.equal(log.committed[0]?.request?.path, '/orders')
    assert.equal(log.committed[0]?.outcome, undefined)
    engine.settle(exchange, OUTCOME)
    assert.equal(log.recorded[0]?.outcome?.status, 200)
  })

  test('is not promised for a request that is refused', async () => {
    const log = recorder()
    await run(
      new Engine({ recorder: log, record: () => 'before', guards: [guard([], 'a', () => refusal('a'))] }),
    )
    assert.equal(log.committed.length, 0)
    assert.equal(log.recorded.length, 1)
  })

  test('refuses with 503 what was promised and cannot be written', async () => {
    const log = recorder(() =>
      Promise.reject(new StoreError('disk full', { store: 'audit', retryable: true })),
    )
    const exchange = await run(new Engine({ recorder: log, record: () => 'before', onError: () => {} }))
    assert.ok(exchange.decision.effect === 'deny' && exchange.decision.status === 503)
    assert.equal(exchange.decision.reasons[0].rule, 'audit/unavailable')
  })

  test('lets a request pass in observe mode that could not be written, and says what it would have answered', async () => {
    const log = recorder(() =>
      Promise.reject(new StoreError('disk full', { store: 'audit', retryable: true })),
    )
    const engine = new Engine({ recorder: log, record: () => 'before', mode: 'observe', onError: () => {} })
    const exchange = engine.open(source())
    assert.equal(await engine.decide(exchange), exchange.decision)
    assert.equal(exchange.decision.effect, 'allow')
    assert.equal(exchange.observed?.guard, 'audit')
  })

  test('asks what is promised once, and takes a promise that throws for one to write afterwards', async () => {
    const log = recorder()
    let asked = 0
    const record = (): never => {
      asked++
      throw new Error('broken')
    }
    await run(new Engine({ recorder: log, record, onError: () => {} }))
    assert.equal(asked, 1)
    assert.equal(log.recorded.length, 1)
  })

  test('never refuses in observe mode, not even for a log that is down', async () => {
    const log = recorder(() => Promise.reject(new Error('down')))
    const exchange = await run(
      new Engine({ recorder: log, mode: 'observe', record: () => 'before', onError: () => {} }),
    )
    assert.equal(exchange.decision, ALLOW)
    assert.equal(exchange.observed?.status, 503)
  })
})

describe('the loop from events to remediations', () => {
  const finding: Finding = {
    scenario: 'scan',
    title: 'Someone looks for holes',
    severity: 'medium',
    actor: { kind: 'address', value: '192.0.2.1' },
    count: 3,
    requests: ['r1'],
    respond: { measure: 'block', duration: 60_000 },
  }
  const measure: Remediation = {
    id: 'm1',
    actor: finding.actor,
    measure: 'block',
    reason: 'scan',
    origin: 'scan',
    createdAt: 0,
    expiresAt: 60_000,
  }

  test('closes: an event, a finding, a remediation, and an event that says so', async () => {
    const applied: Finding[] = []
    const remediations: Remediations = {
      find: () => undefined,
      apply(found) {
        applied.push(found)
        return measure
      },
    }
    const log = recorder()
    const heard: Event[] = []
    const engine = new Engine({
      recorder: log,
      remediations,
      detectors: [
        { name: 'scan', observe: event => (event.outcome?.status === 200 ? [finding] : undefined) },
      ],
    })
    engine.listen(event => void heard.push(event))
    const exchange = await run(engine)
    assert.deepEqual(applied, [finding])
    assert.deepEqual(
      heard.map(event => event.type),
      ['http', 'finding'],
    )
    const told = log.recorded.at(-1)
    assert.equal(told?.type, 'finding')
    assert.equal(told?.request?.id, exchange.id)
    assert.deepEqual(told?.data, {
      scenario: 'scan',
      title: 'Someone looks for holes',
      severity: 'medium',
      actorKind: 'address',
      actorValue: '192.0.2.1',
      count: 3,
      requests: ['r1'],
      remediation: 'm1',
      measure: 'block',
    })
  })

  test('tells of a finding that sets no remediation, or whose actor is protected', async () => {
    const { respond: _, ...alert } = finding
    for (const found of [alert, finding]) {
      const log = recorder()
      const engine = new Engine({
        recorder: log,
        remediations: { find: () => undefined, apply: () => undefined },
        detectors: [{ name: 'scan', observe: () => [found] }],
      })
      await run(engine)
      assert.equal(log.recorded.at(-1)?.data?.['remediation'], undefined)
      assert.equal(log.recorded.at(-1)?.data?.['scenario'], 'scan')
    }
  })

  test('goes on when a listener, a detector, the recorder or the remediations throw', async () => {
    const errors: string[] = []
    const heard: string[] = []
    const broken = (): never => {
      throw new Error('broken')
    }
    const engine = new Engine({
      onError: part => void errors.push(part),
      recorder: { record: broken, commit: broken },
      remediations: { find: () => undefined, apply: broken },
      record: () => 'after',
      detectors: [
        { name: 'first', observe: broken },
        { name: 'second', observe: event => (event.type === 'http' ? [finding, finding] : undefined) },
      ],
    })
    engine.listen(broken)
    engine.listen(event => void heard.push(event.type))
    await run(engine)
    assert.deepEqual(heard, ['http', 'finding', 'finding'])
    assert.deepEqual(new Set(errors), new Set(['recorder', 'listener', 'detector first', 'remediations']))
  })

  test('takes events of packages and of the application', () => {
    const seen: Event[] = []
    const log = recorder()
    const engine = new Engine({
      recorder: log,
      detectors: [{ name: 'all', observe: event => void seen.push(event) }],
    })
    const event: Event = { type: 'login.failed', time: 1, actor: { address: '192.0.2.1' } }
    engine.emit(event)
    assert.deepEqual(seen, [event])
    assert.deepEqual(log.recorded, [event])
  })

  test('stops telling a listener that was taken away', async () => {
    const engine = new Engine()
    let heard = 0
    const forget = engine.listen(() => heard++)
    await run(engine)
    forget()
    await run(engine)
    assert.equal(heard, 1)
  })

  test('knows how its parts are', () => {
    const part = { name: 'store', ok: false, required: true, detail: 'does not answer' }
    assert.deepEqual(new Engine({ probes: [{ health: () => part }] }).health(), [part])
  })
})
