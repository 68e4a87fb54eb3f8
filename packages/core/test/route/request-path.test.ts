import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { parseRequestPath } from '../../src/index.ts'

describe('a request path', () => {
  for (const [target, canonical, ambiguity, query = ''] of [
    ['/', '/', undefined],
    ['/orders', '/orders', undefined],
    ['/orders/', '/orders', undefined],
    ['/orders/7?dry=1', '/orders/7', undefined, 'dry=1'],
    ['/orders?a=1?b=2', '/orders', undefined, 'a=1?b=2'],
    ['/?', '/', undefined],
    ['/Orders', '/Orders', undefined],
    ['/a.b/c~d/@e:f+g,h=i$j!k', '/a.b/c~d/@e:f+g,h=i$j!k', undefined],
    ['/.well-known/security.txt', '/.well-known/security.txt', undefined],
    ['/a/...', '/a/...', undefined],
    ['/a/..b', '/a/..b', undefined],
    ['/a%20b', '/a b', undefined],
    ['/caf%C3%A9', '/café', undefined],
    ['/%61dmin', '/admin', undefined],
    ['/100%25', '/100%', undefined],
    ['/file%2etxt', '/file.txt', undefined],
    ['/a%20b/', '/a b', undefined],
    ['*', '*', undefined],
    ['/a/./b', '/a/b', 'dot-segment'],
    ['/a/../b', '/b', 'dot-segment'],
    ['/a/b/..', '/a', 'dot-segment'],
    ['/..', '/', 'dot-segment'],
    ['/../../etc/passwd', '/etc/passwd', 'dot-segment'],
    ['/a/%2e%2e/b', '/b', 'encoded-dot-segment'],
    ['/a/.%2E/b', '/b', 'encoded-dot-segment'],
    ['/a%2fb', '/a/b', 'encoded-slash'],
    ['/a%5Cb', '/a/b', 'encoded-slash'],
    ['/a%2f..%2fb', '/b', 'encoded-slash'],
    ['/a\\b', '/a/b', 'backslash'],
    ['/a\\..\\b', '/b', 'backslash'],
    ['//a', '/a', 'empty-segment'],
    ['/a//b', '/a/b', 'empty-segment'],
    ['/a//', '/a', 'empty-segment'],
    ['/a;v=1/b', '/a/b', 'path-parameter'],
    ['/a/;/b', '/a/b', 'empty-segment'],
    ['//', '/', 'empty-segment'],
    ['/a%3Bv=1', '/a', 'path-parameter'],
    ['/public/..;/admin', '/admin', 'dot-segment'],
    ['/a%00b', '/a\0b', 'control-character'],
    ['/a%0d%0ab', '/a\r\nb', 'control-character'],
    ['/a%7f', '/a\u007f', 'control-character'],
    ['/a%', '/a%', 'bad-percent'],
    ['/a%zz', '/a%zz', 'bad-percent'],
    ['/%c0%af', '/%c0%af', 'bad-percent'],
    ['/%c0%61dmin', '/%c0admin', 'bad-percent'],
    ['/%ff', '/%ff', 'bad-percent'],
    ['/admin#x', '/admin', 'fragment'],
    ['/admin#/../public', '/admin', 'fragment'],
    ['/a?q=1#x', '/a', 'fragment', 'q=1'],
    ['#', '', 'fragment'],
    ['', '', 'not-a-path'],
    ['orders', 'orders', 'not-a-path'],
    ['shop.example:443', 'shop.example:443', 'not-a-path'],
  ] as const) {
    test(`of ${JSON.stringify(target)} is read as ${JSON.stringify(canonical)}${ambiguity === undefined ? '' : `, and is ambiguous: ${ambiguity}`}`, () => {
      const path = parseRequestPath(target)
      assert.equal(path.canonical, canonical)
      assert.equal(path.ambiguity, ambiguity)
      assert.equal(path.query, query)
    })
  }

  /** What an attacker would build paths from. */
  const spiced = fc
    .array(
      fc.oneof(
        fc.constantFrom(
          '/',
          '//',
          '.',
          '..',
          '%2e',
          '%2E%2e',
          '%2f',
          '%5c',
          '\\',
          ';',
          ';x',
          '%',
          '%25',
          '%zz',
          '%00',
          '%c0',
          'a',
          'admin',
          'é',
          ' ',
          '#',
        ),
        fc.string({ maxLength: 3 }),
      ),
      { maxLength: 12 },
    )
    .map(parts => `/${parts.join('')}`)

  test('is canonical once and for all: sending the canonical path gives the same one', () => {
    fc.assert(
      fc.property(spiced, target => {
        const { canonical } = parseRequestPath(target)
        const sent = canonical.replace(/[%?#]/g, char => `%${char.charCodeAt(0).toString(16)}`)
        assert.equal(parseRequestPath(sent).canonical, canonical)
      }),
      { numRuns: 2_000 },
    )
  })

  test('never keeps a segment that a backend could walk up with, nor an empty one', () => {
    fc.assert(
      fc.property(spiced, target => {
        const { canonical } = parseRequestPath(target)
        assert.ok(canonical.startsWith('/'))
        assert.ok(!canonical.includes('\\'))
        if (canonical === '/') return
        for (const segment of canonical.slice(1).split('/')) {
          assert.ok(segment !== '' && segment !== '.' && segment !== '..', JSON.stringify(canonical))
          assert.ok(!segment.includes(';'))
        }
      }),
      { numRuns: 2_000 },
    )
  })

  test('that is unambiguous is what the standard URL parser makes of it', () => {
    fc.assert(
      fc.property(spiced, target => {
        const { canonical, ambiguity } = parseRequestPath(target)
        if (ambiguity !== undefined || /[\u0000-\u0020\ud800-\udfff]/.test(target)) return
        const { pathname } = new URL(target, 'http://shop.example')
        const decoded = decodeURIComponent(pathname)
        assert.equal(decoded.length > 1 && decoded.endsWith('/') ? decoded.slice(0, -1) : decoded, canonical)
      }),
      { numRuns: 2_000 },
    )
  })

  test('is taken apart in a time that grows with its length alone', () => {
    for (const piece of ['/a', 'a', '..', '%2e%2e/', ';', '//', '%', 'a.', '.']) {
      const target = `/${piece.repeat(100_000)}`
      assert.equal(typeof parseRequestPath(target).canonical, 'string')
      assert.equal(typeof parseRequestPath(`${target}\u0001`).canonical, 'string')
    }
  })
})
