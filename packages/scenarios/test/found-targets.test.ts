import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Event } from '@postern/core'
import { FoundTargets } from '../src/found-targets.ts'
import { hashOf } from '../src/target-hash.ts'

function answer(path: string, status: number, address = '192.0.2.7', decision?: 'deny', time = 0): Event {
  return {
    type: 'http',
    time,
    actor: { address },
    request: { id: '1', method: 'GET', host: 'h', path, query: '' },
    outcome: { status, duration: 1, bytes: 1, aborted: false },
    ...(decision !== undefined && { decision }),
  }
}

/** Whether the client of an answer is excused; before there was a bound on that the answer was a boolean. */
function isExcused(targets: FoundTargets, event: Event): boolean {
  return [true, 'enough'].includes(targets.of(event))
}

/** How many of so many missing pages came from a client that finds enough. */
function excused(found: number, missed: number, foundPath: (n: number) => string): number {
  const targets = new FoundTargets(7)
  let count = 0
  for (let n = 0; n < Math.max(found, missed); n++) {
    if (n < found) targets.of(answer(foundPath(n), 200))
    if (n < missed && isExcused(targets, answer(`/missing-${n}`, 404))) count++
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
    const targets = new FoundTargets(7)
    for (let n = 0; n < 30; n++) {
      targets.of(answer(`/a${n}`, 200, '192.0.2.8'))
      targets.of(answer(`/b${n}`, 403, '192.0.2.7', 'deny'))
      targets.of(answer(`/c${n}`, 503))
      targets.of(answer(`/d${n}`, 429))
    }
    assert.equal(isExcused(targets, answer('/missing', 404)), false)
    assert.equal(isExcused(targets, answer('/missing', 404, '192.0.2.8')), true)
  })

  test('does not by a few known pages, asked for again and again between guesses', () =>
    assert.ok(excused(2_000, 2_000, n => `/page-${n % 12}`) <= 60))

  test('is not excused endlessly, however many known pages it has', () =>
    assert.ok(excused(5_000, 5_000, n => `/page-${n}`) <= 400))

  test('is excused again in the next ten minutes, if it found enough then', () => {
    const targets = new FoundTargets(7)
    const during = (minute: number): number => {
      let count = 0
      for (let n = 0; n < 60; n++) {
        targets.of(answer(`/page-${minute}-${n}`, 200, undefined, undefined, minute * 60_000))
        const missing = answer(`/missing-${minute}-${n}`, 404, undefined, undefined, minute * 60_000)
        if (isExcused(targets, missing)) count++
      }
      return count
    }
    for (const minute of [0, 10, 20, 50]) assert.ok(during(minute) >= 58)
  })

  test('gains nothing by guesses that a known table counts as one', () => {
    // The bit of a path in the table as it was, without a seed.
    const bitOf = (path: string): number => hashOf(path, 0) & 31
    const targets = new FoundTargets(7)
    let found = 0
    let asked = 0
    targets.of(answer('/', 200))
    for (let n = 0; asked < 300; n++) {
      if (bitOf(`/guess-${n}`) !== 7) continue
      asked++
      if (isExcused(targets, answer(`/guess-${n}`, 404))) found++
    }
    assert.ok(found <= 20, `${found} of 300 are excused`)
  })
})
