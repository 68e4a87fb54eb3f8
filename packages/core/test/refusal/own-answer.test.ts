import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  type AnswerHead,
  AnswerWatch,
  type Exchange,
  HeaderListHead,
  isPreflight,
  measureFor,
  mergedTarget,
  ownAnswer,
} from '../../src/index.ts'
import { exchangeOf } from '../exchanges.ts'

function served(status: number, headers: readonly string[], body: string | Uint8Array): Exchange {
  const exchange = exchangeOf()
  exchange.decision = { effect: 'allow', answer: { status, headers, body } }
  return exchange
}

describe('what Postern answers itself', () => {
  test('is nothing where the handler answers', () => {
    assert.equal(ownAnswer(exchangeOf()), undefined)
  })

  test('is what a guard served, with its length in bytes, the request id and the replies', () => {
    const exchange = served(
      200,
      ['Content-Type', 'text/plain', 'content-length', '1', 'X-REQUEST-ID', 'mine'],
      'é',
    )
    exchange.reply('Set-Cookie', 'a=b')
    assert.deepEqual(ownAnswer(exchange), {
      status: 200,
      body: 'é',
      headers: [
        ...['Content-Type', 'text/plain'],
        ...['Content-Length', '2'],
        ...['X-Request-Id', '01234567890123456789'],
        ...['Set-Cookie', 'a=b'],
      ],
    })
  })

  test('has neither body nor length where the status allows none (RFC 9110 section 6.4.1)', () => {
    for (const status of [204, 304]) {
      const answer = ownAnswer(served(status, [], 'text'))
      assert.equal(answer?.body, '')
      assert.equal(answer.headers.includes('Content-Length'), false)
    }
    assert.deepEqual(ownAnswer(served(200, [], Uint8Array.of(1, 2, 3)))?.headers.slice(0, 2), [
      'Content-Length',
      '3',
    ])
  })

  test('has no header without a value', () => {
    const answer = ownAnswer(served(200, ['X-A', '1', 'X-B'], ''))
    assert.deepEqual(answer?.headers, [
      ...['X-A', '1'],
      ...['Content-Length', '0'],
      ...['X-Request-Id', '01234567890123456789'],
    ])
  })

  test('is the refusal of a refused exchange', () => {
    const exchange = exchangeOf()
    exchange.decision = {
      effect: 'deny',
      guard: 'x',
      status: 418,
      reasons: [{ rule: 'x/y', message: 'Short and stout.' }],
    }
    const answer = ownAnswer(exchange)
    assert.equal(answer?.status, 418)
    assert.match(String(answer.body), /Short and stout\./)
  })
})

describe('the head of an answer', () => {
  const head = (...headers: string[]): [AnswerHead, string[]] => [new HeaderListHead(200, headers), headers]

  test('is read without regard to case, several values joined', () => {
    const [answer] = head('Vary', 'Origin', 'X-A', '1', 'vary', 'Cookie')
    assert.equal(answer.status, 200)
    assert.equal(answer.get('VARY'), 'Origin, Cookie')
    assert.deepEqual(answer.getAll('vary'), ['Origin', 'Cookie'])
    assert.equal(answer.get('x-b'), undefined)
    assert.deepEqual(answer.getAll('x-b'), [])
  })

  test('has a header replaced by one line or several', () => {
    const [answer, headers] = head('x-a', '1', 'X-B', '2', 'X-A', '3')
    answer.set('X-A', 'new')
    assert.deepEqual(headers, ['X-B', '2', 'X-A', 'new'])
    answer.set('x-b', ['3', '4'])
    assert.deepEqual(headers, ['X-A', 'new', 'x-b', '3', 'x-b', '4'])
  })

  test('keeps what is there when a line is added, and loses every line that is removed', () => {
    const [answer, headers] = head('Set-Cookie', 'a=1')
    answer.append('Set-Cookie', 'b=2')
    assert.deepEqual(answer.getAll('set-cookie'), ['a=1', 'b=2'])
    answer.remove('SET-COOKIE')
    assert.deepEqual(headers, [])
  })

  test('takes no second header in a value, and no header of the carrier', () => {
    const [answer, headers] = head('Content-Length', '5', 'X-A', '1')
    for (const change of [
      () => answer.set('X-A', 'a\r\nSet-Cookie: b'),
      () => answer.append('X-A', 'a\nb'),
      () => answer.append('X-A: b', 'c'),
      () => answer.set('X-A', ['fine', '\0']),
      () => answer.set('content-length', '6'),
      () => answer.append('Transfer-Encoding', 'chunked'),
      () => answer.remove('Connection'),
    ])
      assert.throws(change, TypeError)
    assert.deepEqual(headers, ['Content-Length', '5', 'X-A', '1'])
  })
})

describe('the start of an answer that a guard watches', () => {
  test('is kept up to its limit, whatever the pieces, and not shared with the carrier', () => {
    const watch = new AnswerWatch(5)
    const piece = Uint8Array.of(1, 2, 3)
    watch.take(piece)
    piece.fill(9)
    assert.deepEqual([...watch.bytes], [1, 2, 3])
    watch.take(Uint8Array.of(4, 5, 6))
    watch.take(Uint8Array.of(7))
    assert.deepEqual([...watch.bytes], [1, 2, 3, 4, 5])
  })
})

describe('a preflight', () => {
  const headers = ['Origin', 'https://other.example', 'Access-Control-Request-Method', 'PUT']

  test('is what a browser asks before a request of another origin', () => {
    assert.equal(isPreflight(exchangeOf({ method: 'OPTIONS', headers })), true)
  })

  test('is nothing that anybody else would like to be one', () => {
    const body = { read: () => assert.fail('the body was read') }
    for (const other of [
      { method: 'GET', headers },
      { method: 'OPTIONS', headers: headers.slice(0, 2) },
      { method: 'OPTIONS', headers: headers.slice(2) },
      { method: 'OPTIONS', headers, body },
      { method: 'OPTIONS', headers: [...headers, 'X-HTTP-Method-Override', 'DELETE'] },
      { method: 'OPTIONS', headers, target: '/?_method=DELETE' },
    ])
      assert.equal(isPreflight(exchangeOf(other)), false, JSON.stringify(other))
  })
})

test('a browser that another site made send a request is challenged, not banned', () => {
  const lured = exchangeOf({ headers: ['Sec-Fetch-Site', 'cross-site'] })
  assert.equal(measureFor(lured, 'block'), 'challenge')
  assert.equal(measureFor(lured, 'throttle'), 'throttle')
  assert.equal(measureFor(exchangeOf({ headers: ['Sec-Fetch-Site', 'same-origin'] }), 'block'), 'block')
  assert.equal(measureFor(exchangeOf(), 'block'), 'block')
})

test('slashes at the start of a target are merged, and nothing else', () => {
  for (const [target, merged] of [
    ['/a', '/a'],
    ['//a', '/a'],
    ['////a//b', '/a//b'],
    ['//', '/'],
    ['/', '/'],
    ['*', '*'],
    ['http://x//a', 'http://x//a'],
    ['', ''],
  ] as const)
    assert.equal(mergedTarget(target), merged, target)
})
