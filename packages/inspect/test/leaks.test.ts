import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { findLeaks, isCardNumber, LeakScanner } from '../src/leaks/find-leaks.ts'

const kinds = (text: string): string[] => findLeaks(text).map(leak => leak.kind)

describe('signs of a leak in an answer', () => {
  test('stack traces, private keys, database errors and cloud keys are found', () => {
    assert.deepEqual(kinds('Error: no\n    at Object.run (/srv/app/index.js:10:5)\n'), ['stack-trace'])
    assert.deepEqual(kinds('Traceback (most recent call last)\n File "x.py"'), ['stack-trace'])
    assert.deepEqual(kinds('-----BEGIN RSA PRIVATE KEY-----\nMII'), ['private-key'])
    assert.deepEqual(kinds('You have an error in your SQL syntax; check'), ['database-error'])
    assert.deepEqual(kinds(`key ${'AKIA'}${'ABCDEFGH12345678'}`), ['cloud-key'])
  })

  test('a card number counts when its check digit is right, and is masked', () => {
    assert.deepEqual(kinds('card 4111 1111 1111 1111 ok'), ['card-number'])
    assert.deepEqual(kinds('order 4111 1111 1111 1112 ok'), [])
    assert.equal(findLeaks('4111 1111 1111 1111')[0]?.sign, '4111***************')
    assert.equal(isCardNumber('4111111111111111'), true)
  })

  test('ordinary answers have none', () => {
    for (const text of [
      '{"id":12,"name":"Oak chair"}',
      '<h1>Index of things</h1>',
      'phone 555 0100',
      '2026-11-23 10:00:00',
      'at home (mine)',
    ]) {
      assert.deepEqual(kinds(text), [])
    }
  })

  test('a sign cut by a chunk border is found, once', () => {
    const text = `${'x'.repeat(900)}-----BEGIN PRIVATE KEY-----${'y'.repeat(900)}`
    for (const cut of [890, 905, 915, 927, 940]) {
      const scanner = new LeakScanner()
      scanner.read(text.slice(0, cut))
      scanner.read(text.slice(cut))
      assert.deepEqual(
        scanner.found.map(leak => [leak.kind, leak.offset]),
        [['private-key', 900]],
      )
    }
  })
})
