import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Event } from '@postern/core'
import { FoundTargets } from '../src/found-targets.ts'

function answer(path: string, status: number, address = '192.0.2.7', decision?: 'deny'): Event {
  return {
    type: 'http',
    time: 0,
    actor: { address },
    request: { id: '1', method: 'GET', host: 'h', path, query: '' },
    outcome: { status, duration: 1, bytes: 1, aborted: false },
    ...(decision !== undefined && { decision }),
  }
}

/** How many of so many missing pages came from a client that finds enough. */
function excused(found: number, missed: number, foundPath: (n: number) => string): number {
  const targets = new FoundTargets()
  let count = 0
  for (let n = 0; n < Math.max(found, missed); n++) {
    if (n < found) targets.of(answer(foundPath(n), 200))
    if (n < missed && targets.of(answer(`/missing-${n}`, 404))) count++
  }
  return count
}

describe('a client that misses pages', () => {
  test('finds enough with one page found for each that is missing', () =>
    assert.ok(excused(100, 100, n => `/page-${n}`) >= 98))

  test('does not by asking for the front page again and again', () =>
    assert.ok(excused(200, 200, () => '/') <= 8))

  test('does not by a few pages found long ago', () => assert.ok(excused(4, 200, n => `/page-${n}`) <= 20))

  test('is not helped by what Postern refused, by failures of the backend, or by others', () => {
    const targets = new FoundTargets()
    for (let n = 0; n < 30; n++) {
      targets.of(answer(`/a${n}`, 200, '192.0.2.8'))
      targets.of(answer(`/b${n}`, 403, '192.0.2.7', 'deny'))
      targets.of(answer(`/c${n}`, 503))
      targets.of(answer(`/d${n}`, 429))
    }
    assert.equal(targets.of(answer('/missing', 404)), false)
    assert.equal(targets.of(answer('/missing', 404, '192.0.2.8')), true)
  })
})
