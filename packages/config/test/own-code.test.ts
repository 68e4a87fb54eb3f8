import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { ConfigError, type Exchange } from '@postern/core'
import { window } from '@postern/throttle'
import { compileKey, mergeLimits } from '../src/limit/compile-limits.ts'
import type { LimitKey, Plan } from '../src/limit/named-limit.ts'

const exchange = {} as Exchange
const TWO = window(2, '1m')

function keyOf(given: unknown): (asked: Exchange) => string | undefined | Promise<string | undefined> {
  return compileKey(given as LimitKey).of
}

/** What this process is warned of by Postern while something happens. */
async function warningsOf(act: () => void): Promise<readonly string[]> {
  const warnings: string[] = []
  const take = (warning: Error & { readonly code?: string }): void => {
    if (warning.code?.startsWith('POSTERN_') === true) warnings.push(warning.message)
  }
  process.on('warning', take)
  act()
  for (let i = 0; i < 5; i++) await setImmediate()
  process.off('warning', take)
  return warnings
}

describe('a function as the key of a limit', () => {
  test('gives ids that are numbers as their text, at once or later', async () => {
    assert.equal(keyOf(() => 42)(exchange), '42')
    assert.equal(keyOf(() => 42n)(exchange), '42')
    assert.equal(await keyOf(async () => 42)(exchange), '42')
    assert.equal(keyOf(() => 'ann')(exchange), 'ann')
    for (const nothing of [undefined, null]) assert.equal(keyOf(() => nothing)(exchange), undefined)
  })

  test('is named where it fails or gives what is not a text', async () => {
    const wrong: ReadonlyArray<readonly [given: unknown, message: RegExp]> = [
      [() => ({ id: 1 }), /key of a limit, \(\) => \(\{ id: 1 \}\): gave an object/],
      [() => true, /gave a boolean/],
      [() => Number.NaN, /gave NaN, not a text/],
      [(asked: { user: { id: string } }) => asked.user.id, /asked\.user\.id: failed: .*it gets an exchange/s],
    ]
    for (const [given, message] of wrong)
      assert.throws(
        () => keyOf(given)(exchange),
        (error: unknown) => error instanceof ConfigError && message.test(error.message),
      )
    const late = async (): Promise<string> => Promise.reject(new Error('away'))
    await assert.rejects(
      async () => keyOf(late)(exchange),
      (error: unknown) =>
        error instanceof ConfigError &&
        error.message.includes('failed: away') &&
        error.cause instanceof Error,
    )
  })

  test('is reported once where it never gave a key', async () => {
    const never = keyOf((request: { ip?: string }) => request.ip)
    const warnings = await warningsOf(() => {
      for (let i = 0; i < 300; i++) never(exchange)
    })
    assert.equal(warnings.length, 1)
    assert.match(warnings[0] ?? '', /request\.ip: gave nothing for the first 100 requests/)
    let asked = 0
    const once = keyOf(() => (asked++ === 5 ? 'ann' : undefined))
    assert.deepEqual(
      await warningsOf(() => {
        for (let i = 0; i < 300; i++) once(exchange)
      }),
      [],
    )
  })
})

describe('a plan', () => {
  test('that fails, or gives what is not a rule, is reported, and the rule of everybody holds', async () => {
    const wrong: ReadonlyArray<readonly [plan: unknown, message: RegExp]> = [
      [async () => 5, /limits\.api\.plan failed.*is a number/],
      [async () => ({ max: 5 }), /is an object that is not a rule/],
      [async () => '5 per minute', /"5 per minute" is not a limit/],
      [async () => Promise.reject(new Error('database away')), /database away/],
    ]
    for (const [plan, message] of wrong) {
      const limits = mergeLimits({ api: { limit: TWO, plan: plan as Plan } })
      const own = limits.find(({ name }) => name === 'api')?.own
      const warnings = await warningsOf(() => {
        own?.('ann')
        own?.('bob')
      })
      assert.equal(warnings.length, 1)
      assert.match(warnings[0] ?? '', message)
      assert.equal(own?.('ann').limit, 2)
    }
  })
})
