import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { visitDecodings } from '../src/canonicalise/decodings.ts'
import { CleanValues } from '../src/clearance/clean-values.ts'
import { Clearance } from '../src/clearance/clearance.ts'
import { OpaqueValues, REVIEWED } from '../src/clearance/opaque-value.ts'
import { isOtherAddress } from '../src/headers/sorted-headers.ts'
import { inspect, ownRuleSet } from '../src/inspect.ts'
import { RuleSet } from '../src/matching/rule-set.ts'
import { scanFeatures, seen } from '../src/value/features.ts'

const opaque = new OpaqueValues(ownRuleSet)

function isOpaque(text: string, values: OpaqueValues = opaque): boolean {
  scanFeatures(text, 0, text.length)
  return values.has(text, seen.chars, seen.words)
}

/** Every rule that hits any reading of a text, wherever it stands but in a file name. */
function hits(text: string): string[] {
  const found = new Set<string>()
  for (const place of ['path', 'query', 'header', 'cookie', 'body', 'name'] as const) {
    const done = visitDecodings(text, place, 'user-agent', reading => {
      ownRuleSet.run(reading, hit => found.add(hit.rule.id))
      return false
    })
    if (!done) found.add('bounds/encodings')
  }
  return [...found]
}

/** Pieces of what rules look for, and of what stands between them. */
const PIECES = [
  ...[
    '/',
    '//',
    ':',
    '+',
    ' ',
    '@',
    '.',
    '..',
    '-',
    '_',
    '%',
    '%25',
    '%2f',
    '%2F',
    '%3a',
    '%2b',
    '%20',
    '%00',
    '%0a',
    '%2e',
  ],
  ...['~', '?', '=', '0x2e', '0x', '0X5C', '[', '$', '\t', '%c0%af', '%u002f', '%2', '5c', '252f'],
  ...[
    'javascript',
    'java',
    'script',
    'j',
    'a',
    'v',
    's',
    'c',
    'r',
    'i',
    'p',
    't',
    'vb',
    'live',
    'data',
    'text',
    'html',
    'base64',
  ],
  ...[
    'jndi',
    'ldap',
    'http',
    'https',
    'get',
    'post',
    'localhost',
    '127.0.0.1',
    '10.0.0.1',
    '169.254.169.254',
    'adw-',
    'ad4-',
    '+ADw-',
  ],
  ...[
    'rO0ABQ',
    'KztAAU',
    'H4sIAAAAAAAAAB',
    'gASW',
    'BAh7',
    'AAEAAAD/////',
    'aced0005',
    'node-serialize',
    'PHNjcmlwdD4',
    'JyBvciAxPTE',
  ],
  ...[
    'etc',
    'passwd',
    'bin',
    'cat',
    'or',
    'and',
    'select',
    'union',
    'id',
    'sort',
    'account',
    'orders',
    'AbCdEfGhIjKlMn',
    '2026-11-24T10',
    '00',
    '12',
  ],
  ...[
    'php',
    'memory_limit',
    'extension',
    'this',
    'db',
    'com',
    'shop.example',
    'x',
    'z',
    'constructor',
    '__proto__',
    'config',
    'env',
    'git',
  ],
]

describe('clearing a value without running a rule', () => {
  test('no rule finds anything in any reading of a value that is called opaque', () => {
    let called = 0
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 9 }), pieces => {
        const text = pieces.join('')
        if (!isOpaque(text)) return
        called++
        assert.deepEqual(hits(text), [], text)
      }),
      { numRuns: 20_000, seed: 20_261_124 },
    )
    assert.ok(called > 500, `only ${called} were opaque: nothing was shown`)
  })

  test('the same where each character is drawn by itself', () => {
    const letters = fc.constantFrom(...'/:+%@.-_ 0123456789abcdefghijklmnopqrstuvwxyzABCDEFJOR')
    fc.assert(
      fc.property(fc.array(letters, { minLength: 1, maxLength: 40 }), characters => {
        const text = characters.join('')
        if (isOpaque(text)) assert.deepEqual(hits(text), [], text)
      }),
      { numRuns: 10_000, seed: 20_261_124 },
    )
  })

  test('no rule finds anything in any cookie of a header whose cookies are all called clear', () => {
    const text = fc.array(fc.constantFrom(...PIECES), { maxLength: 4 }).map(pieces => pieces.join(''))
    const clearance = Clearance.of(ownRuleSet)
    let called = 0
    fc.assert(
      fc.property(text, text, (name, value) => {
        const header = `a=b; ${name}=${value};theme`
        if (clearance.clearedCookies(header) === undefined) return
        called++
        for (const pair of header.split(';')) {
          const equals = pair.indexOf('=')
          for (const part of equals < 0 ? [pair] : [pair.slice(0, equals), pair.slice(equals + 1)])
            assert.deepEqual(hits(part.trim()), [], header)
        }
      }),
      { numRuns: 4_000, seed: 20_261_126 },
    )
    assert.ok(called > 300, `only ${called} were clear: nothing was shown`)
  })

  test('an attack in any of many cookies is found, after the session was seen before', () => {
    const session = 'session=0123456789abcdef; theme=dark'
    for (let i = 0; i < 3; i++)
      assert.equal(inspect({ method: 'GET', target: '/', headers: ['Cookie', session] }).verdict, 'pass')
    for (const others of [0, 1, 63, 64, 200]) {
      const header = `${'x=y; '.repeat(others)}${session}; id=1' OR 1=1--`
      assert.equal(
        inspect({ method: 'GET', target: '/', headers: ['Cookie', header] }).verdict,
        'block',
        `after ${others} others`,
      )
    }
  })

  test('nothing that a rule must find is called opaque, plain or encoded', () => {
    for (const rule of ownRuleSet.rules) {
      if (rule.id.startsWith('upload/')) continue
      for (const attack of rule.attacks) {
        const inOneReading = hits(attack).length > 0
        for (const sent of [
          attack,
          encodeURIComponent(attack),
          encodeURIComponent(encodeURIComponent(attack)),
        ])
          assert.ok(!inOneReading || !isOpaque(sent), `${rule.id}: ${sent}`)
      }
    }
  })

  test('paths, times, addresses and signed session cookies are opaque, encoded or not', () => {
    for (const text of [
      '/products/12',
      '%2Faccount%2Forders%2F12',
      '2026-11-24T10:00:00Z',
      '2026-11-24T10%3A00%3A00Z',
      'blue%20shoes',
      's%3A8hYzq0aBcDeFgHiJkLmNoPq.n3J%2BQw9ZxCvBnMaSdFgHjKlQwErTyUiOp',
    ])
      assert.ok(isOpaque(text), text)
  })

  test('every rule that a sign opens was reviewed: else nothing would be opaque', () => {
    assert.ok(isOpaque('/a/b'))
    const ids = new Set(ownRuleSet.rules.map(({ id }) => id))
    for (const id of Object.keys(REVIEWED)) assert.ok(ids.has(id), `${id} is not a rule any more`)
  })

  test('a rule of others switches it off, also one that takes the name of ours', () => {
    const [ours] = ownRuleSet.rules.filter(({ id }) => id === 'rce/glob')
    if (ours === undefined) throw new Error('rce/glob is gone')
    const taken = { ...ours, find: () => ({ start: 0, end: 1 }) }
    for (const rule of [taken, { ...taken, id: 'rce/mine', chars: 0 }])
      assert.ok(!isOpaque('/a/b', new OpaqueValues(new RuleSet([...ownRuleSet.rules, rule]))))
  })
})

describe('values known to be clean', () => {
  test('are kept from the second time on, each under its own name', () => {
    const known = new CleanValues('few')
    known.add('Accept', 'text/html')
    assert.ok(!known.has('Accept', 'text/html'))
    known.add('Accept', 'text/html')
    assert.ok(known.has('Accept', 'text/html'))
    assert.ok(!known.has('Referer', 'text/html'))
    assert.ok(!known.has('accept', 'text/html'))
  })

  test('are compared in full, however alike two of them are', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, maxLength: 60 }),
        fc.nat(59),
        fc.string({ minLength: 1, maxLength: 1 }),
        (value, at, other) => {
          const known = new CleanValues('few')
          known.add('A', value)
          known.add('A', value)
          assert.equal(known.has('A', value), true)
          const changed = value.slice(0, at) + other + value.slice(at + 1)
          assert.equal(known.has('A', changed), changed === value)
        },
      ),
      { numRuns: 2_000 },
    )
  })

  test('words under the names of a list are all kept, though the names differ in one digit', () => {
    const known = new CleanValues('many')
    const names = Array.from({ length: 12 }, (_, i) =>
      ['searchable', 'orderable'].map(part => `columns[${i}][${part}]`),
    )
    for (let i = 0; i < 2; i++) for (const name of names.flat()) known.add(name, 'true')
    for (const name of names.flat()) {
      assert.ok(known.has(name, 'true'), name)
      assert.ok(!known.has(name, 'tree'), name)
      assert.ok(!known.has(`${name}x`, 'true'), name)
    }
    // As a query has them, each is looked at no more.
    const query = `/?${names
      .flat()
      .map(name => `${encodeURIComponent(name)}=true`)
      .join('&')}`
    for (let i = 0; i < 3; i++) inspect({ method: 'GET', target: query, headers: [] })
    const parameters = Clearance.of(ownRuleSet).parameters
    assert.deepEqual(
      names.flat().filter(name => !parameters.has(name, 'true')),
      [],
    )
  })

  test('a flood of others pushes them out, and a look brings them back', () => {
    const known = new CleanValues('few')
    const keep = (value: string): void => {
      known.add('A', value)
      known.add('A', value)
    }
    keep('mine')
    for (let i = 0; i < 50_000; i++) keep(`other ${i * 7_919}`)
    assert.ok(!known.has('A', 'mine'))
    keep('mine')
    assert.ok(known.has('A', 'mine'))
  })

  test('a long value and an empty one are never kept', () => {
    const known = new CleanValues('few')
    for (const value of ['', 'a'.repeat(513)]) {
      known.add('A', value)
      known.add('A', value)
      assert.ok(!known.has('A', value))
    }
  })
})

describe('teaching clean values', () => {
  const verdict = (...headers: string[]): string => inspect({ method: 'GET', target: '/', headers }).verdict

  test('what was clean as one header is still looked at as the name of a file', () => {
    for (let i = 0; i < 3; i++) assert.equal(verdict('X-Note', 'shell.php'), 'pass')
    assert.equal(verdict('X-File-Name', 'shell.php'), 'block')
  })

  test('what was clean as one header is still taken apart as a referer', () => {
    const referer = 'https://elsewhere.example/?q=cat%20/etc/passwd'
    const plain = inspect({ method: 'GET', target: '/', headers: ['Referer', referer] }).matches
    for (let i = 0; i < 3; i++) verdict('X-Note', referer)
    assert.deepEqual(inspect({ method: 'GET', target: '/', headers: ['Referer', referer] }).matches, plain)
  })

  test('what was clean as one header is still taken apart as a cookie', () => {
    const cookie = 'theme=dark; next=%2e%2e%2f%2e%2e%2fetc%2fpasswd'
    for (let i = 0; i < 3; i++) verdict('X-Note', cookie)
    assert.equal(verdict('Cookie', cookie), 'block')
  })

  test('what a header of a secret holds is not kept, and an ordinary one is', () => {
    const value = '0123456789abcdef0123456789abcdef'
    const { headers } = Clearance.of(ownRuleSet)
    for (const name of ['X-Api-Key', 'X-Auth-Token', 'Cookie', 'Authorization', 'X-Session', 'X-Note']) {
      for (let i = 0; i < 3; i++) assert.equal(verdict(name, value), 'pass')
      assert.equal(headers.has(name, value), name === 'X-Note', name)
    }
  })

  test('an attack is found the third time as the first', () => {
    for (let i = 0; i < 3; i++) {
      assert.equal(verdict('X-Note', '<script>alert(1)</script>'), 'block')
      assert.equal(inspect({ method: 'GET', target: "/?id=1'%20or%201=1--", headers: [] }).verdict, 'block')
    }
  })
})

describe('the address of a client', () => {
  const octet = fc.oneof(
    fc.constantFrom(0, 10, 100, 127, 168, 169, 172, 192, 200, 254, 255),
    fc.integer({ min: 0, max: 255 }),
  )
  const address = fc.tuple(octet, octet, octet, octet).map(octets => octets.join('.'))

  test('is passed over only where no rule would hit it', () => {
    fc.assert(
      fc.property(address, text => {
        if (isOtherAddress(text)) assert.deepEqual(hits(text), [])
      }),
      { numRuns: 500 },
    )
  })

  test('is passed over for its other numbers, not for its first', () => {
    assert.ok(isOtherAddress('10.1.127.169'))
    assert.ok(isOtherAddress('203.0.113.192'))
    for (const text of ['127.0.0.1', '169.254.169.254', '100.100.100.200', '192.0.0.192', '0.0.0.0'])
      assert.ok(!isOtherAddress(text), text)
    for (const text of ['10.1.127.9, 169.254.169.254', '10.1.127.9:80', '010.1.127.9', '10.127', '::127'])
      assert.ok(!isOtherAddress(text), text)
  })

  test('of a metadata service is found in a header of any name', () => {
    const headers = ['X-Forwarded-For', '169.254.169.254']
    assert.equal(inspect({ method: 'GET', target: '/', headers }).matches[0]?.rule, 'ssrf/metadata')
  })
})
