import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { decodeBytes, decodeLongBytes } from '../src/canonicalise/text.ts'
import { inspect } from '../src/inspect.ts'
import { finishSteps } from '../src/value/steps.ts'
import { inEachPlace } from './in-each-place.ts'

/** Wide letters, which a program that folds them turns into markup. */
const ATTACK = '＜script＞alert(1)＜/script＞'

const TYPES: Readonly<Record<string, (before: string) => readonly [start: string, end: string]>> = {
  'application/json': before => [`{"a":"${before}`, `","x":"${ATTACK}"}`],
  'text/plain': before => [before, ATTACK],
  'application/xml': before => [`<a><b>${before}`, `</b><c>${ATTACK}</c></a>`],
  'application/x-www-form-urlencoded': before => [`a=${before}`, `&x=${ATTACK}`],
  'multipart/form-data; boundary=X': before => [
    `--X\r\nContent-Disposition: form-data; name="a"\r\n\r\n${before}`,
    `${ATTACK}\r\n--X--\r\n`,
  ],
}

describe('a byte that is not UTF-8 hides nothing', () => {
  for (const [type, parts] of Object.entries(TYPES))
    test(`in ${type}, and no replacement character does`, () => {
      const [start, end] = parts('a')
      for (const between of [[], [0xff], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0xaf], [0xef, 0xbf, 0xbd]]) {
        const body = Buffer.concat([Buffer.from(start), Buffer.from(between), Buffer.from(end)])
        const { verdict } = inspect({ method: 'POST', target: '/a', headers: ['content-type', type], body })
        assert.equal(verdict, 'block', `bytes ${between.join(' ')}`)
      }
    })

  test('in a header, a cookie or a query that is sent as bytes', () => {
    const bytes = Buffer.from(ATTACK).toString('latin1')
    for (const request of [
      { method: 'GET', target: '/a', headers: ['cookie', `a=${bytes}`] },
      { method: 'GET', target: '/a', headers: ['x-name', bytes] },
      { method: 'GET', target: `/a?x=${bytes}`, headers: [] },
    ])
      assert.equal(inspect(request).verdict, 'block', JSON.stringify(request))
  })

  test('and words of other languages pass in every encoding', () => {
    for (const word of ['Größe', 'café «noir»', '日本語「引用」', 'naïve – “quoted”', '¼ or ½ cup'])
      for (const text of [word, Buffer.from(word).toString('latin1')])
        for (const [place, request] of Object.entries(inEachPlace(text)))
          assert.equal(inspect(request).verdict, 'pass', `${place}: ${text}`)
  })
})

test('bytes are read as UTF-8, and byte by byte where they are not', () => {
  const cases: readonly (readonly [readonly number[], string])[] = [
    [[0x61, 0xe9, 0x62], 'aéb'],
    [[0xff, 0xc3, 0xa9], 'ÿé'],
    [[0xc3, 0xff, 0xe2, 0x82, 0xac], 'Ãÿ€'],
    [[0xe0, 0x80, 0xaf], 'à\u0080¯'],
    [[0xed, 0xa0, 0x80, 0x61], 'í\u00a0\u0080a'],
    [[0xf5, 0x80, 0x80, 0x80], 'õ\u0080\u0080\u0080'],
    [[0xf0, 0x9f, 0x98, 0x80, 0xf0], '😀ð'],
    [[0xef, 0xbf, 0xbd, 0xc3, 0xa9], '\ufffdé'],
  ]
  for (const [bytes, text] of cases) assert.equal(decodeBytes(Uint8Array.from(bytes)), text)
})

test('many bytes are read part by part as they are at once, wherever a part ends', () => {
  let parts = 0
  const driver = { isPaused: true, work: () => void parts++ }
  const patterns = [
    [0xe9],
    [0xf0],
    [0xff],
    [0x80],
    [0x61, 0xe2, 0x82, 0xac, 0xff],
    [0xf0, 0x9f, 0x98, 0x80, 0xc3],
  ]
  // A mark of the order of bytes is a character where it does not begin the text.
  patterns.push([0xef, 0xbb, 0xbf, 0xff])
  for (const pattern of patterns)
    for (let ahead = 0; ahead < 5; ahead++) {
      const bytes = Buffer.concat([Buffer.alloc(ahead, 'a'), Buffer.alloc(300_000, Uint8Array.from(pattern))])
      parts = 0
      const steps = decodeLongBytes(bytes, driver)
      assert.equal(steps.next().done, false)
      assert.ok(finishSteps(steps) === decodeBytes(bytes), `${pattern.join(' ')} behind ${ahead}`)
      assert.equal(parts, 3)
    }
})
