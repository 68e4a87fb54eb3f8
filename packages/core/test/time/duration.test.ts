import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { ConfigError, formatDuration, parseByteSize, parseDuration } from '../../src/index.ts'

describe('a duration', () => {
  for (const [text, ms] of [
    ['250ms', 250],
    ['10s', 10_000],
    ['1.5s', 1_500],
    ['10m', 600_000],
    ['1h', 3_600_000],
    ['1h30m', 5_400_000],
    ['1d', 86_400_000],
    ['2w', 1_209_600_000],
    ['1m500ms', 60_500],
    ['0s', 0],
    [1_234, 1_234],
    [0.5, 0.5],
    [0, 0],
  ] as const) {
    test(`of ${text} is ${ms} milliseconds`, () => assert.equal(parseDuration(text), ms))
  }

  for (const wrong of [
    '',
    '10',
    'ten seconds',
    '-1s',
    '1s ',
    ' 1s',
    '1 s',
    '1y',
    '1S',
    's',
    '1s!',
    '1.s',
    '.5s',
    '1e3s',
    '1s-',
    Number.NaN,
    Number.POSITIVE_INFINITY,
    -1,
  ]) {
    test(`is refused as ${JSON.stringify(wrong)}`, () => {
      assert.throws(() => parseDuration(wrong, 'limits.login.window'), {
        name: 'ConfigError',
        code: 'POSTERN_CONFIG',
        message: /^limits\.login\.window: /,
      })
    })
  }

  for (const [said, meant] of [
    ['1 min', '1m'],
    ['1 minute', '1m'],
    ['2 Weeks', '2w'],
    ['90 secs', '90s'],
    ['1,5s', '1.5s'],
    ['1 hour 30 minutes', '1h30m'],
    ['1 hour, 30 min', '1h30m'],
    ['an hour', '1h'],
    ['1S', '1s'],
    ['PT1H30M', '1h30m'],
    ['P7D', '7d'],
    ['90', '90s", "90m" or "90ms'],
  ] as const)
    test(`${said} is refused with the spelling that is read: ${meant}`, () =>
      assert.throws(
        () => parseDuration(said),
        (error: unknown) =>
          error instanceof ConfigError && error.issues[0]?.hint?.endsWith(`"${meant}"`) === true,
      ))

  for (const unclear of ['3 months', 'P1M', 'P', '1 min ago', '1 fortnight', '-1 min', '1 1'])
    test(`nothing is guessed for ${unclear}`, () =>
      assert.throws(
        () => parseDuration(unclear),
        (error: unknown) =>
          error instanceof ConfigError && /a number and a unit/.test(error.issues[0]?.hint ?? ''),
      ))

  test('is the sum of its parts', () => {
    const units = [
      ['ms', 1],
      ['s', 1_000],
      ['m', 60_000],
      ['h', 3_600_000],
      ['d', 86_400_000],
      ['w', 604_800_000],
    ] as const
    const part = fc.tuple(fc.nat(1_000), fc.constantFrom(...units))
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), parts => {
        const text = parts.map(([count, [unit]]) => `${count}${unit}`).join('')
        assert.equal(
          parseDuration(text),
          parts.reduce((sum, [count, [, ms]]) => sum + count * ms, 0),
        )
      }),
    )
  })

  for (const [ms, text] of [
    [0, '0ms'],
    [999, '999ms'],
    [999.7, '1s'],
    [1_000, '1s'],
    [90_000, '1m 30s'],
    [3_600_000, '1h'],
    [90_061_000, '1d 1h'],
    [86_399_999, '1d'],
  ] as const) {
    test(`of ${ms} milliseconds is written as ${text}`, () => assert.equal(formatDuration(ms), text))
  }

  test('for people can be read back', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000_000), ms => {
        const told = parseDuration(formatDuration(ms).replaceAll(' ', ''))
        assert.ok(Math.abs(told - ms) <= Math.max(500, ms / 24))
      }),
    )
  })
})

describe('a size', () => {
  for (const [text, bytes] of [
    ['512', 512],
    ['512b', 512],
    ['64kb', 65_536],
    ['64KiB', 65_536],
    ['1mb', 1_048_576],
    ['2 GiB', 2_147_483_648],
    ['1k', 1_024],
    [0, 0],
    [77, 77],
  ] as const) {
    test(`of ${text} is ${bytes} bytes`, () => assert.equal(parseByteSize(text), bytes))
  }

  for (const wrong of ['', 'big', '-1', '1.5mb', '1tb', '1kbb', '9999999999gb', -1, 1.5, Number.NaN]) {
    test(`is refused as ${JSON.stringify(wrong)}`, () => {
      assert.throws(
        () => parseByteSize(wrong, 'maxBody'),
        error => error instanceof ConfigError && error.message.startsWith('maxBody: '),
      )
    })
  }
})
