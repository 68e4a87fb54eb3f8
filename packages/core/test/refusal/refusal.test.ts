import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Refusal, type RefusalAnswer, refusalAnswer } from '../../src/index.ts'
import { exchangeOf } from '../exchanges.ts'

const DENIAL: Refusal = {
  effect: 'deny',
  guard: 'inspect',
  status: 403,
  reasons: [
    {
      rule: 'inspect/sqli',
      message: 'This request looks like an <attack> & was stopped.',
      evidence: { location: 'query.id', span: "1' OR '1'='1", facts: { score: 9 } },
      exception: { changes: [{ at: ['the-exception'], set: 'except: inspect/sqli on query.id' }] },
    },
  ],
}

function answer(refusal: Refusal, accept?: string): RefusalAnswer {
  return refusalAnswer(refusal, exchangeOf({ headers: accept === undefined ? [] : ['Accept', accept] }))
}

function header(found: RefusalAnswer, name: string): string | undefined {
  const at = found.headers.findIndex((text, index) => index % 2 === 0 && text.toLowerCase() === name)
  return found.headers[at + 1]
}

describe('the answer to a refused request', () => {
  test('is a problem document (RFC 9457) with the request id', () => {
    const found = answer(DENIAL)
    assert.equal(found.status, 403)
    assert.equal(header(found, 'content-type'), 'application/problem+json')
    assert.deepEqual(JSON.parse(found.body), {
      type: 'urn:postern:refusal:deny',
      title: 'Request refused',
      status: 403,
      detail: 'This request looks like an <attack> & was stopped.',
      instance: 'urn:postern:request:01234567890123456789',
    })
    assert.equal(header(found, 'x-request-id'), '01234567890123456789')
    assert.equal(header(found, 'content-length'), String(Buffer.byteLength(found.body)))
    assert.equal(header(found, 'cache-control'), 'no-store')
  })

  test('keeps rule, evidence and exception from the caller', () => {
    for (const accept of [undefined, 'text/html']) {
      const told = JSON.stringify(answer(DENIAL, accept))
      for (const hidden of ['inspect', 'sqli', 'query.id', "1' OR", 'score', 'except:'])
        assert.ok(!told.includes(hidden), hidden)
    }
  })

  for (const [accept, isHtml] of [
    ['text/html,application/xhtml+xml,*/*;q=0.8', true],
    ['text/html', true],
    ['application/json, text/html', false],
    ['text/html, application/json', true],
    ['application/problem+json', false],
    ['*/*', false],
    [undefined, false],
  ] as const) {
    test(`is ${isHtml ? 'a page' : 'JSON'} for whoever accepts ${accept ?? 'nothing in particular'}`, () => {
      const type = header(answer(DENIAL, accept), 'content-type')
      assert.equal(type, isHtml ? 'text/html; charset=utf-8' : 'application/problem+json')
    })
  }

  test('is a page in which no word of a rule is markup', () => {
    const { body } = answer(DENIAL, 'text/html')
    assert.ok(!body.includes('<attack>'))
    assert.match(body, /an &#60;attack&#62; &#38; was stopped/)
    assert.match(body, /01234567890123456789/)
  })

  test('says when to come back', () => {
    const found = answer({ ...DENIAL, effect: 'throttle', status: 429, retryAfter: 12 })
    assert.equal(header(found, 'retry-after'), '12')
    assert.equal(JSON.parse(found.body).retryAfter, 12)
    assert.equal(JSON.parse(found.body).title, 'Too many requests')
  })

  test('does not blame the caller for what is broken here', () => {
    assert.equal(JSON.parse(answer({ ...DENIAL, status: 503 }).body).title, 'Not available right now')
  })

  test('carries the headers of the refusal and of the guards before it', () => {
    const exchange = exchangeOf()
    exchange.reply('RateLimit', '"a";r=0;t=5')
    const found = refusalAnswer({ ...DENIAL, close: true, headers: ['Allow', 'GET'] }, exchange)
    assert.equal(header(found, 'ratelimit'), '"a";r=0;t=5')
    assert.equal(header(found, 'allow'), 'GET')
    assert.equal(header(found, 'connection'), 'close')
  })
})
