import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { preferredLanguage } from '../../src/index.ts'

describe('the language of a page', () => {
  for (const [accepted, language] of [
    [undefined, 'en'],
    ['', 'en'],
    ['de', 'de'],
    ['DE-at', 'de'],
    ['fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7', 'fr'],
    ['en;q=0.5, ja;q=0.8', 'ja'],
    ['en ; q=0.5 , es ; q=0.6', 'es'],
    ['ar, de', 'ar'],
    ['de;q=0.4, ar;q=0.4', 'de'],
    ['nl, sv;q=0.9', 'en'],
    ['nl, es;q=0.1', 'es'],
    ['de;q=0', 'en'],
    ['de;q=none', 'en'],
    ['*', 'en'],
    ['constructor', 'en'],
  ] as const)
    test(`is ${language} for ${accepted ?? 'nobody in particular'}`, () => {
      assert.equal(preferredLanguage(accepted), language)
    })

  test('is looked for in the first 500 characters', () => {
    const known = `${'nl,'.repeat(166)}de`
    assert.equal(known.length, 500)
    assert.equal(preferredLanguage(known), 'de')
    assert.equal(preferredLanguage(`nl,${known}`), 'en')
  })
})
