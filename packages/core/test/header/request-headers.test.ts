import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { headerCount, headerValue } from '../../src/header/request-headers.ts'

describe('headers as they arrived', () => {
  test('are found in any spelling, and only under their own name', () => {
    const letters = fc.constantFrom(...'abkszABKSZ_-^`0[@{:')
    const name = fc.string({ unit: letters, minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(fc.array(fc.tuple(name, fc.string()), { maxLength: 6 }), name, (sent, asked) => {
        const lower = asked.toLowerCase()
        const values = sent.filter(([arrived]) => arrived.toLowerCase() === lower).map(([, value]) => value)
        assert.equal(headerCount(sent.flat(), lower), values.length)
        assert.equal(headerValue(sent.flat(), lower), values.length === 0 ? undefined : values.join(', '))
      }),
    )
  })

  test('are found by every letter in capitals, and by no character beside the letters', () => {
    for (let code = 33; code < 127; code++) {
      const arrived = String.fromCharCode(code)
      for (let other = 33; other < 127; other++) {
        const asked = String.fromCharCode(other)
        if (asked !== asked.toLowerCase()) continue
        const isSame = arrived.toLowerCase() === asked
        assert.equal(headerCount([arrived, 'x'], asked), isSame ? 1 : 0, `${arrived} and ${asked}`)
      }
    }
  })

  test('several cookies are one, as a list of cookies is written', () => {
    assert.equal(headerValue(['Cookie', 'a=1', 'COOKIE', 'b=2'], 'cookie'), 'a=1; b=2')
  })

  test('a name with a letter that only Unicode calls an upper-case k is another name', () => {
    assert.equal(headerValue(['Coo\u212aie', 'a=1'], 'cookie'), undefined)
  })
})
