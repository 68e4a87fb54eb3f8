import assert from 'node:assert/strict'
import { test } from 'node:test'
import { traceContext, traceparentOf } from '../../src/index.ts'

const ID = '0123456789abcdefghjk'
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const PARENT = '00f067aa0ba902b7'

test("goes on with the caller's trace, and says so to the backend", () => {
  const trace = traceContext(`00-${TRACE}-${PARENT}-01`, ID, 0)
  assert.equal(trace.traceId, TRACE)
  assert.equal(trace.parentId, PARENT)
  assert.equal(trace.sampled, true)
  assert.notEqual(trace.spanId, PARENT)
  assert.equal(traceparentOf(trace), `00-${TRACE}-${trace.spanId}-01`)
  assert.deepEqual(traceContext(`00-${TRACE}-${PARENT}-01`, ID, 0), trace)
  const unsampled = traceContext(`00-${TRACE}-${PARENT}-00`, ID, 1)
  assert.equal(unsampled.sampled, false)
  assert.equal(traceparentOf(unsampled), `00-${TRACE}-${unsampled.spanId}-00`)
})

test('takes later versions with more fields, as the recommendation asks', () => {
  assert.equal(traceContext(`cc-${TRACE}-${PARENT}-01-what-comes`, ID, 1).traceId, TRACE)
})

test('a trace begins here where the header is missing or malformed, and as many are sampled as were asked for', () => {
  for (const header of [
    undefined,
    '',
    `ff-${TRACE}-${PARENT}-01`,
    `00-${'0'.repeat(32)}-${PARENT}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${PARENT}-01`,
    `00-${TRACE}-${PARENT}-01-more`,
    `00-${TRACE}-${PARENT}-1`,
    `00-${TRACE}-${PARENT}-01\r\nx: y`,
  ]) {
    const trace = traceContext(header, ID, 1)
    assert.equal(trace.parentId, undefined, header)
    assert.match(traceparentOf(trace), /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
  }
  const sampled = Array.from({ length: 400 }, (_, i) => traceContext(undefined, `${ID}${i}`, 0.25))
  const share = sampled.filter(trace => trace.sampled).length / 400
  assert.ok(share > 0.15 && share < 0.35, String(share))
  assert.equal(traceContext(undefined, ID, 0).sampled, false)
})
