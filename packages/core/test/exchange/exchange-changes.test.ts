import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  ALLOW,
  type BodyGate,
  type BodyWatch,
  CidrSet,
  Engine,
  type Event,
  exemptingPattern,
  type Guard,
  narrowestPattern,
  parseByteSize,
  parseDuration,
  type Refusal,
  RouteTable,
  routeException,
  VirtualClock,
} from '../../src/index.ts'
import { exchangeOf, run, source } from '../exchanges.ts'

const REFUSAL: Refusal = {
  effect: 'deny',
  guard: 'late',
  status: 403,
  reasons: [{ rule: 'late/no', message: 'No.' }],
}

describe('what guards change of an exchange', () => {
  test('are headers that the backend will see, by lower-case name; the request stays as it was', () => {
    const exchange = exchangeOf({ headers: ['Cookie', 'a=b'] })
    assert.equal(exchange.requestChanges, undefined)
    exchange.setRequestHeader('cookie', undefined)
    exchange.setRequestHeader('x-user', 'ann')
    assert.deepEqual(
      [...(exchange.requestChanges ?? [])],
      [
        ['cookie', undefined],
        ['x-user', 'ann'],
      ],
    )
    assert.equal(exchange.header('cookie'), 'a=b')
  })

  test('are never headers of the carrier, nor two headers in one', () => {
    const exchange = exchangeOf()
    for (const [name, value] of [
      ['host', 'other'],
      ['content-length', '0'],
      ['x-forwarded-for', '127.0.0.1'],
      ['X-User', 'ann'],
      ['x-user', 'ann\r\nX-Admin: yes'],
      ['x user', 'ann'],
    ] as const)
      assert.throws(() => exchange.setRequestHeader(name, value), TypeError, name)
    assert.equal(exchange.requestChanges, undefined)
  })

  test('are headers of the answer, added, or replace one', () => {
    const exchange = exchangeOf()
    assert.equal(exchange.replyHeaders, undefined)
    assert.equal(exchange.replied('X-A'), undefined)
    exchange.setReply('X-A', '1')
    exchange.reply('X-B', '2')
    exchange.reply('X-B', '3')
    exchange.setReply('X-B', '4')
    exchange.setReply('X-C', '5')
    assert.deepEqual(exchange.replyHeaders, ['X-A', '1', 'X-B', '4', 'X-B', '3', 'X-C', '5'])
    assert.equal(exchange.replied('X-B'), '4')
    assert.equal(exchange.replied('x-b'), undefined)
  })

  test('is the watch of an answer, one for all guards, with the limit of the first', () => {
    const exchange = exchangeOf()
    const watch = exchange.watchAnswer(2)
    assert.equal(exchange.watchAnswer(100), watch)
    watch.take(Uint8Array.of(1, 2, 3))
    assert.equal(exchange.answerWatch?.bytes.length, 2)
  })
})

describe('the rest of a body that a guard watches', () => {
  function watched(mode?: 'observe', says: 'refuse' | 'allow' = 'refuse') {
    const pieces: BodyGate[] = []
    const exchange = exchangeOf({
      method: 'POST',
      body: {
        read: async () => ({ bytes: new Uint8Array(), complete: false }),
        watch: take => {
          pieces.push(take)
          return true
        },
      },
    })
    const watch: BodyWatch = { take: () => (says === 'refuse' ? REFUSAL : undefined) }
    return {
      exchange,
      accepted: exchange.watchBody(watch, mode),
      watch,
      goesOn: () => pieces[0]?.(Uint8Array.of(1)),
    }
  }

  test('ends the exchange when the guard refuses it', () => {
    const { exchange, accepted, goesOn } = watched()
    assert.equal(accepted, true)
    assert.equal(goesOn(), false)
    assert.equal(exchange.decision, REFUSAL)
  })

  test('waits for a guard that answers later, and ends the exchange then', async () => {
    const gates: BodyGate[] = []
    const exchange = exchangeOf({
      method: 'POST',
      body: {
        read: async () => ({ bytes: new Uint8Array(), complete: false }),
        watch: gate => gates.push(gate) > 0,
      },
    })
    const answers = [undefined, REFUSAL]
    exchange.watchBody({ take: () => Promise.resolve(answers.shift()) })
    assert.equal(await gates[0]?.(Uint8Array.of(1)), true)
    assert.equal(exchange.decision, ALLOW)
    assert.equal(await gates[0]?.(Uint8Array.of(2)), false)
    assert.equal(exchange.decision, REFUSAL)
  })

  test('goes on where the guard allows it, or only observes', () => {
    const allowed = watched(undefined, 'allow')
    assert.equal(allowed.goesOn(), true)
    assert.equal(allowed.exchange.decision, ALLOW)
    assert.equal(allowed.exchange.observed, undefined)
    const observed = watched('observe')
    assert.equal(observed.goesOn(), true)
    assert.equal(observed.exchange.decision, ALLOW)
    assert.equal(observed.exchange.observed, REFUSAL)
  })

  test('is shown to one guard only, and by carriers that can', () => {
    const { exchange, watch } = watched()
    assert.equal(exchange.watchBody(watch), false)
    assert.equal(exchangeOf().watchBody(watch), false)
    const unable = exchangeOf({ body: { read: async () => ({ bytes: new Uint8Array(), complete: true }) } })
    assert.equal(unable.watchBody(watch), false)
  })
})

describe('the narrowest route of a request', () => {
  const patternOf = (target: string, method = 'GET'): string =>
    narrowestPattern(exchangeOf({ target, method }))

  test('is its method and path', () => {
    assert.equal(patternOf('/posts/7?x=1', 'POST'), 'POST /posts/7')
    assert.equal(patternOf('/'), 'GET /')
    assert.equal(patternOf('/a', 'M-SEARCH'), '/a')
  })

  test('has a star where a pattern cannot say the segment', () => {
    for (const [target, pattern] of [
      ['/a%20b/c', 'GET /*/c'],
      ['/a*/c', 'GET /*/c'],
      ['/:id/c', 'GET /*/c'],
      ['/a%23b', 'GET /*'],
      ['/caf%C3%A9', 'GET /café'],
    ] as const)
      assert.equal(patternOf(target), pattern, target)
    assert.equal(patternOf('*', 'OPTIONS'), 'OPTIONS /**')
  })

  test('ends in two stars where the path is longer than 200 characters', () => {
    assert.equal(patternOf(`/${'a'.repeat(198)}/b`), `GET /${'a'.repeat(198)}/b`)
    assert.equal(patternOf(`/${'a'.repeat(199)}/bb`), `GET /${'a'.repeat(199)}/**`)
  })

  test('exempts only a path in the spelling that the pattern has', () => {
    const exempting = (target: string): string => exemptingPattern(exchangeOf({ target }))
    assert.equal(exempting('/posts/7'), 'GET /posts/7')
    assert.equal(exempting('/caf%C3%A9/x'), 'GET /*/x')
    assert.equal(exempting('/posts/'), 'GET /posts/**')
    assert.equal(exempting('/'), 'GET /')
  })

  test('is where an exception puts its settings, one change for each', () => {
    const exchange = exchangeOf({ target: '/posts' })
    assert.deepEqual(routeException(exchange, { csrf: false, maxBody: 5 }).changes, [
      { at: ['routes', 'GET /posts', 'csrf'], set: false },
      { at: ['routes', 'GET /posts', 'maxBody'], set: 5 },
    ])
    assert.deepEqual(routeException(exchange, { csrf: false }, '/**').changes, [
      { at: ['routes', '/**', 'csrf'], set: false },
    ])
  })
})

describe('another method that a request asks for', () => {
  const wishes = (headers: readonly string[], target = '/'): readonly string[] =>
    exchangeOf({ method: 'POST', headers, target }).methodOverrides.map(
      ({ method, location }) => `${location} ${method}`,
    )

  test('is read from every header and every parameter that some framework obeys', () => {
    assert.deepEqual(
      wishes([
        'X-HTTP-Method-Override',
        'delete, put',
        'X-HTTP-Method',
        'PATCH',
        'x-method-override',
        'LOCK',
      ]),
      [
        'header.x-http-method-override DELETE',
        'header.x-http-method-override PUT',
        'header.x-http-method PATCH',
        'header.x-method-override LOCK',
      ],
    )
    assert.deepEqual(wishes(['X-HTTP-Method', 'PUT'], '/?a=1&_method=DELETE&_method=patch&%5Fmethod=MOVE'), [
      'header.x-http-method PUT',
      'query._method DELETE',
      'query._method PATCH',
      'query._method MOVE',
    ])
  })

  test('is not its own method, what is not a method, and headers of the same length', () => {
    assert.deepEqual(wishes(['X-HTTP-Method', 'POST', 'X-HTTP-Method', 'a b', 'Authorization', 'DELETE']), [])
    assert.deepEqual(wishes([], '/?[_method]=DELETE'), ['query._method DELETE'])
    assert.deepEqual(wishes([], '/?_method=remove&method=DELETE&x=%41'), [])
  })
})

describe('an engine', () => {
  const guard = (name: string, more: Partial<Guard> = {}): Guard => ({
    name,
    failure: 'closed',
    decide: () => ALLOW,
    ...more,
  })

  test('times its guards where it should, also those that answer late', async () => {
    const clock = new VirtualClock()
    const engine = new Engine({
      clock,
      timing: 'guards',
      guards: [
        guard('quick', {
          decide: () => {
            clock.advance(2)
            return ALLOW
          },
        }),
        guard('late', {
          decide: async () => {
            clock.advance(3)
            return ALLOW
          },
        }),
      ],
    })
    assert.deepEqual((await run(engine)).guardTimes, [
      { guard: 'quick', ms: 2 },
      { guard: 'late', ms: 3 },
    ])
    assert.equal((await run(new Engine())).guardTimes, undefined)
  })

  test('times a guard that decides about a principal from when it is asked, not from the request', async () => {
    const clock = new VirtualClock()
    const engine = new Engine({
      clock,
      timing: 'guards',
      identified: [
        guard('bans', {
          decide: () => {
            clock.advance(4)
            return ALLOW
          },
        }),
      ],
    })
    const exchange = engine.open(source())
    await engine.decide(exchange)
    clock.advance(1_000)
    await engine.identify(exchange, { kind: 'user', id: 'ann' })
    assert.deepEqual(exchange.guardTimes, [{ guard: 'bans', ms: 4 }])
  })

  test('reports an upgrade to the guards that allowed it, and survives one that fails', async () => {
    const upgraded: string[] = []
    const errors: string[] = []
    const engine = new Engine({
      onError: part => errors.push(part),
      guards: [
        guard('one', { onUpgrade: () => void upgraded.push('one') }),
        guard('two', {
          onUpgrade: () => {
            throw new Error('broken')
          },
        }),
        guard('three', { onUpgrade: () => void upgraded.push('three') }),
      ],
    })
    const exchange = engine.open(source())
    await engine.decide(exchange)
    engine.onUpgrade(exchange)
    assert.deepEqual(upgraded, ['one', 'three'])
    assert.deepEqual(errors, ['guard two'])
  })

  test('has events recorded that it is given, and only watched those that another thread decided', () => {
    const recorded: string[] = []
    const seen: string[] = []
    const engine = new Engine({
      recorder: {
        record: ({ type }) => void recorded.push(type),
        commit: () => assert.fail('nothing is recorded before'),
      },
      detectors: [
        {
          name: 'watching',
          observe: ({ type }) => {
            seen.push(type)
            return undefined
          },
        },
      ],
    })
    const event = (type: string): Event => ({ type, time: 0, actor: {} })
    engine.emit(event('mine'))
    engine.witness(event('theirs'))
    assert.deepEqual(seen, ['mine', 'theirs'])
    assert.deepEqual(recorded, ['mine'])
  })

  test('reports the health of every part', () => {
    const health = { name: 'store', ok: false, required: true, detail: 'away' } as never
    assert.deepEqual(new Engine({ probes: [{ health: () => health }] }).health(), [health])
    assert.deepEqual(new Engine().health(), [])
  })

  test('records nothing of successful reads, and everything else after it ended', async () => {
    const recorded: string[] = []
    const engine = new Engine({
      recorder: {
        record: ({ request }) => void recorded.push(`${request?.method}`),
        commit: () => assert.fail('nothing is recorded before'),
      },
    })
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'POST', 'DELETE', 'PROPFIND'])
      await run(engine, { method })
    assert.deepEqual(recorded, ['POST', 'DELETE', 'PROPFIND'])
  })

  test('has a route decide whether its refusals are enforced', async () => {
    const routes = new RouteTable({ '/quiet/**': { mode: 'observe' } })
    const engine = new Engine({ routes, guards: [guard('late', { decide: () => REFUSAL })] })
    assert.equal((await run(engine, { target: '/quiet/x' })).decision, ALLOW)
    assert.equal((await run(engine, { target: '/x' })).decision.effect, 'deny')
  })
})

test('a path that is written down never ends in half a character', async () => {
  const paths: (string | undefined)[] = []
  const engine = new Engine()
  engine.listen(({ request }) => void paths.push(request?.path))
  const head = '/'.padEnd(1_023, 'a')
  await run(engine, { target: `${head}${encodeURIComponent('😀')}bc` })
  await run(engine, { target: `${head}bcd` })
  await run(engine, { target: head })
  assert.deepEqual(paths, [head, `${head}b`, head])
})

test('a size is a whole number of bytes from 0, with or without a unit', () => {
  for (const [size, bytes] of [
    [0, 0],
    ['0', 0],
    [512, 512],
    ['512b', 512],
    ['2k', 2_048],
    ['64KB', 65_536],
    ['1 mib', 1_048_576],
    ['2GiB', 2_147_483_648],
  ] as const)
    assert.equal(parseByteSize(size), bytes, String(size))
  for (const size of [-1, 1.5, Number.NaN, 2 ** 53, '', '-1', '1.5k', '10 parsecs', '999999999999999g'])
    assert.throws(() => parseByteSize(size, 'bodyLimit'), /^.*bodyLimit: /, String(size))
})

test('a duration is a sum of parts from 0', () => {
  for (const [duration, ms] of [
    [0, 0],
    [1.5, 1.5],
    ['250ms', 250],
    ['1h30m', 5_400_000],
    ['1w', 604_800_000],
    ['0.5s', 500],
    ['0s', 0],
  ] as const)
    assert.equal(parseDuration(duration), ms, String(duration))
  for (const duration of [-1, Number.POSITIVE_INFINITY, '', '5', 's', '1h 30m', '1x', '-1s', 'x1s', '1s x'])
    assert.throws(() => parseDuration(duration, 'limits.a'), /limits\.a: /, String(duration))
})

test('ranges overlap when they share an address, of one family', () => {
  const set = CidrSet.parse(['10.0.0.0/8', '2001:db8::/32'])
  for (const [range, shares] of [
    ['10.1.2.3', true],
    ['0.0.0.0/4', true],
    ['11.0.0.0/8', false],
    ['2001:db8:1::/48', true],
    ['2001:db9::1', false],
    ['0.0.0.0/0', true],
  ] as const)
    assert.equal(set.overlaps(range), shares, range)
  assert.throws(() => set.overlaps('somewhere'), /"somewhere"/)
  assert.equal(set.toString(), '10.0.0.0/8, 2001:db8::/32')
  assert.deepEqual(set.entries, ['10.0.0.0/8', '2001:db8::/32'])
})
