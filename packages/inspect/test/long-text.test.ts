import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { visitLooseParts } from '../src/body/loose-parts.ts'
import { codedFiles, longCodedFiles } from '../src/canonicalise/coded-file.ts'
import { textIn } from '../src/canonicalise/text-runs.ts'
import { beginInspection, inspect } from '../src/inspect.ts'
import { readLongText } from '../src/text/long-text.ts'
import { THRESHOLDS } from '../src/value/thresholds.ts'

/** Bytes that look like chance, and are the same each time. */
function chance(count: number): Buffer {
  const parts = Array.from({ length: Math.ceil(count / 32) }, (_, i) =>
    createHash('sha256').update(`${i}`).digest(),
  )
  return Buffer.concat(parts).subarray(0, count)
}

/** What is read of a text, and in how many steps where each is followed by a pause. */
function readInSteps(text: string): { readonly read: string | undefined; readonly pauses: number } {
  const steps = readLongText(text, 'body', { isPaused: true, work: () => undefined })
  for (let pauses = 0; ; pauses++) {
    const step = steps.next()
    if (step.done === true) return { read: step.value, pauses }
  }
}

/** What is to be read of the text of a file, decoded at once. */
function edgesOf(bytes: Buffer): string | undefined {
  const text = textIn(bytes)
  if (text === undefined || text.length <= THRESHOLDS.file) return text
  return `${text.slice(0, THRESHOLDS.window)}\n${text.slice(-THRESHOLDS.window)}`
}

const FILES: Readonly<Record<string, Buffer>> = {
  'a text': Buffer.from('it is a fine day for a walk\n'.repeat(20_000)),
  'a text in two alphabets': Buffer.from('it is a fine day: прекрасный день 🌤\n'.repeat(12_000)),
  'a text in Latin-1': Buffer.from('un été à la plage\n'.repeat(30_000), 'latin1'),
  'a text with stray control characters': Buffer.from(
    `${'so many words here, '.repeat(12)}\u0001`.repeat(2_000),
  ),
  JSON: Buffer.from(JSON.stringify(Array.from({ length: 20_000 }, (_, id) => ({ id, name: `Ann ${id}` })))),
  'bytes behind the start of a text': Buffer.concat([
    Buffer.from('%PDF-1.7 and so on, for as many characters as a start has'),
    chance(400_000),
  ]),
  'UTF-16': Buffer.from('it is a fine day for a walk\n'.repeat(10_000), 'utf16le'),
}

describe('a file in base64 is read in steps', () => {
  for (const [kind, bytes] of Object.entries(FILES)) {
    test(`of ${kind} what decoding it at once gives`, () => {
      for (const cut of [0, 1, 2]) {
        const file = bytes.subarray(0, bytes.length - cut)
        const coded = file.toString('base64')
        assert.ok(readInSteps(coded).read === edgesOf(file))
        assert.ok(readInSteps(`data:application/pdf;base64,${coded}`).read === edgesOf(file))
        assert.ok(readInSteps(file.toString('base64url')).read === edgesOf(file))
      }
    })
  }

  test('none of which goes over more than a part of it', () => {
    for (const kind of ['a text', 'a text in two alphabets', 'a text in Latin-1', 'JSON']) {
      const coded = (FILES[kind] as Buffer).toString('base64')
      const lines = coded.replace(/.{76}/g, '$&\r\n')
      assert.ok(readInSteps(coded).pauses >= 5, kind)
      assert.ok(readInSteps(`data:text/plain;base64,${coded}`).pauses >= 5, kind)
      assert.ok(readInSteps(lines).pauses >= 10, kind)
      assert.ok(readInSteps(lines).read === readInSteps(coded).read)
    }
  })

  test('and of gzip what it begins with', () => {
    const words = Array.from({ length: 60_000 }, (_, i) => `w${(i * 7_919) % 10_007}`).join(' ')
    const coded = gzipSync(words).toString('base64')
    assert.ok(words.startsWith(readInSteps(coded).read?.slice(0, 8_192) ?? 'nothing'))
  })

  test('whatever the clock says, the verdict is the same, and what is clean costs the same', () => {
    const attack = '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>'
    for (const text of [`${attack}${'<p>a b c</p>\n'.repeat(30_000)}`, 'a b c\n'.repeat(60_000)]) {
      const body = Buffer.from(JSON.stringify({ file: Buffer.from(text).toString('base64') }))
      const request = { method: 'POST', target: '/', headers: ['content-type', 'application/json'], body }
      let clock = 0
      const now = (): number => (clock += 5)
      const ongoing = beginInspection(request, {}, { milliseconds: 4, now })
      while (!ongoing.advance(4, now));
      const found = ongoing.finish()
      assert.equal(found.verdict, inspect(request).verdict)
      if (found.verdict !== 'pass') continue
      const atOnce = beginInspection(request)
      atOnce.finish()
      assert.equal(ongoing.spent, atOnce.spent)
    }
  })
})

describe('the bytes of a long value', () => {
  const driver = { isPaused: false, work: () => undefined }
  const file = chance(200_003)
  const coded = file.toString('base64')
  const values: Readonly<Record<string, string>> = {
    base64: coded,
    base64url: file.toString('base64url'),
    lines: coded.replace(/.{76}/g, '$&\r\n'),
    'foreign signs': coded.replace(/.{1000}/g, '$&!*'),
    'spaces for plus signs': coded.replaceAll('+', ' '),
    'padding within': `${coded.slice(0, 100_000)}==${coded.slice(100_000)}`,
    'a name before it': `report.bin:${coded}`,
    words: 'as many words as there may be in a text '.repeat(9_000),
    letters: 'x y '.repeat(90_000),
  }
  for (const [kind, value] of Object.entries(values))
    test(`of ${kind} are the same in steps as at once`, () => {
      const inSteps = [...longCodedFiles(value, driver)].filter(bytes => bytes !== undefined)
      const atOnce = codedFiles(value)
      assert.equal(inSteps.length, atOnce.length)
      for (const [i, bytes] of atOnce.entries()) assert.ok(bytes.equals(inSteps[i] ?? Buffer.alloc(0)))
    })
})

describe('heads of parts in a long field', () => {
  const head = 'Content-Disposition: form-data; name="q"\r\n\r\n'
  test('are found wherever what is searched at once ends', () => {
    for (let before = 65_480; before < 65_600; before += 3) {
      const values: string[] = []
      const visitor = {
        isPaused: false,
        work: () => undefined,
        tooBig: () => undefined,
        value: (text: string) => values.push(text) > 0,
      }
      const content = `${'x'.repeat(before)}\r\n${head}first\r\n${head}second`
      for (const _ of visitLooseParts(Buffer.from(content), visitor));
      assert.deepEqual(
        values.filter(value => value !== 'q'),
        ['first\r\n', 'second'],
      )
    }
  })

  test('are visited in steps, and what stands behind one is visited once', () => {
    const told: number[] = []
    const visitor = {
      isPaused: true,
      work: () => undefined,
      tooBig: () => undefined,
      value: (text: string) => told.push(text.length) > 0,
    }
    const steps = visitLooseParts(Buffer.from(head + 'x y '.repeat(250_000)), visitor)
    let pauses = 0
    while (steps.next().done !== true) pauses++
    assert.ok(pauses > 15, `${pauses} pauses`)
    assert.deepEqual(told, [1, 1_000_000])
  })
})
