import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { Clearance } from '../src/clearance/clearance.ts'
import { HeadersInPlace } from '../src/clearance/headers-in-place.ts'
import { inspect, ownRuleSet } from '../src/inspect.ts'
import { RuleSet } from '../src/matching/rule-set.ts'

const any = (): boolean => true

/** Names that are looked at in ways of their own, and values that say something under some of them. */
const NAMES = ['Host', 'Connection', 'User-Agent', 'X-File-Name', 'Proxy', 'Cookie', 'X-Note', 'Referer']
const VALUES = [
  '',
  'keep-alive',
  'close, x-forwarded-for',
  'shop.example',
  "1' OR 1=1--",
  '../../etc/passwd',
  'shell.php',
  'shell.png',
  'a=1; b=2',
  "a=1' OR 1=1--",
  '${jndi:ldap://x.example/a}',
  'http://x.example/admin',
  'text/html,application/xhtml+xml;q=0.9',
]

describe('HeadersInPlace', () => {
  test('says only of the same name and value at the same place what was said there', () => {
    const known = new HeadersInPlace()
    for (let times = 0; times < 2; times++) known.note(4, 'Accept', 'text/html', 'acting', any)
    assert.equal(known.of(4, 'Accept', 'text/html'), 'acting')
    assert.equal(known.of(6, 'Accept', 'text/html'), undefined)
    assert.equal(known.of(4, 'accept', 'text/html'), undefined)
    assert.equal(known.of(4, 'X-Note', 'text/html'), undefined)
    assert.equal(known.of(4, 'Accept', 'text/htm|'), undefined)
  })

  test('keeps nothing that comes once, is too long, or stands too far behind', () => {
    const known = new HeadersInPlace()
    known.note(0, 'A', 'once', 'inert', any)
    assert.equal(known.of(0, 'A', 'once'), undefined)
    const long = 'a'.repeat(513)
    for (let times = 0; times < 3; times++) {
      known.note(0, 'A', long, 'inert', any)
      known.note(0, long, 'a', 'inert', any)
      known.note(64, 'A', 'far', 'inert', any)
    }
    assert.equal(known.of(0, 'A', long), undefined)
    assert.equal(known.of(0, long, 'a'), undefined)
    assert.equal(known.of(64, 'A', 'far'), undefined)
  })

  test('asks whether a header may be kept, and keeps none that may not', () => {
    const known = new HeadersInPlace()
    for (let times = 0; times < 3; times++) known.note(0, 'Key', 'value', 'inert', () => false)
    assert.equal(known.of(0, 'Key', 'value'), undefined)
  })
})

describe('headers that came before', () => {
  test('are judged as they were the first time, in whatever order and company they come', () => {
    const header = fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom(...VALUES))
    const request = fc.array(header, { minLength: 1, maxLength: 5 })
    const warm = new RuleSet(ownRuleSet.rules)
    fc.assert(
      fc.property(fc.array(request, { minLength: 1, maxLength: 6 }), requests => {
        const asked = requests.map(headers => ({ method: 'GET', target: '/', headers: headers.flat() }))
        const fresh = asked.map(one => inspect(one, { rules: new RuleSet(ownRuleSet.rules) }))
        for (let times = 0; times < 3; times++)
          for (const [at, one] of asked.entries()) assert.deepEqual(inspect(one, { rules: warm }), fresh[at])
      }),
      { numRuns: 15 },
    )
  })

  test('that may be secrets are not kept as they are', () => {
    const rules = new RuleSet(ownRuleSet.rules)
    const token = `eyJhbGciOiJIUzI1NiJ9.${Buffer.from('{"sub":"17"}').toString('base64url')}.c2ln`
    const secrets = [
      ['Authorization', 'Basic dXNlcjpzZWNyZXQ'],
      ['Cookie', 'session=0123456789abcdef'],
      ['X-Api-Key', '0123456789abcdef'],
      ['X-File-Name', 'holiday.png'],
      ['X-Note', token],
    ] as const
    const headers = [...secrets.flat(), 'Accept', 'text/html']
    for (let times = 0; times < 4; times++) inspect({ method: 'GET', target: '/', headers }, { rules })
    const { inPlace } = Clearance.of(rules)
    for (const [place, [name, value]] of secrets.entries())
      assert.equal(inPlace.of(place * 2, name, value), undefined, name)
    assert.equal(inPlace.of(secrets.length * 2, 'Accept', 'text/html'), 'inert')
  })
})
