import assert from 'node:assert/strict'
import { test } from 'node:test'
import { standing } from '../page/src/lib/format.ts'
import type { LimitStanding } from '../page/src/lib/types.ts'

const minute = { name: 'address', kind: 'window', limit: 10, window: '1m' } as const
const busy = { name: 'busy', kind: 'concurrency', limit: 200, window: '1m' } as const

const TABLE: readonly (readonly [LimitStanding, string])[] = [
  [{ ...minute, remaining: 9.5, retryAfter: 0 }, '9 of 10 left in 1m'],
  [{ ...minute, remaining: 0, retryAfter: 6_000 }, '0 of 10 left in 1m, again in 6s'],
  [{ ...minute, remaining: 0, retryAfter: 90_000 }, '0 of 10 left in 1m, again in 1m 30s'],
  [{ ...busy, remaining: 199, retryAfter: 0 }, '199 of 200 left at once'],
]

for (const [limit, text] of TABLE)
  test(`the page of an actor says of a limit: ${text}`, () => assert.equal(standing(limit), text))
