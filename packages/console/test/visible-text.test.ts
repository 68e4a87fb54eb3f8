import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clockTime, decoded, visible } from '../page/src/lib/format.ts'

test('characters that hide or turn a text are written out, others stay', () => {
  assert.equal(visible('invoice\u202egnp.exe'), 'invoice\\u202egnp.exe')
  assert.equal(visible('a\u0000b\u200bc\u2066d\ufeff'), 'a\\u0000b\\u200bc\\u2066d\\ufeff')
  assert.equal(visible('a\u3164b\u2800c\ufe0fd\u{e0041}'), 'a\\u3164b\\u2800c\\ufe0fd\\u{e0041}')
  assert.equal(visible(`e${'\u0301'.repeat(5)}`), `e${'\u0301'.repeat(4)}\\u0301`, 'marks that pile up')
  assert.equal(visible('مرحبا, שלום, naïve, 木'), 'مرحبا, שלום, naïve, 木')
  assert.equal(visible('a\tb\nc'), 'a\tb\nc')
})

test('a path is decoded once, and shown as sent where it is not percent-encoding', () => {
  assert.equal(decoded('/a%20b+c'), '/a b c')
  assert.equal(decoded('/%E2%80%AEgnp'), '/\\u202egnp')
  assert.equal(decoded('/%zz\u202e'), '/%zz\\u202e')
})

test('a time of day has hours, minutes, seconds and milliseconds', () => {
  assert.equal(clockTime(new Date(2026, 10, 26, 4, 3, 9, 7).getTime()), '04:03:09.007')
})
