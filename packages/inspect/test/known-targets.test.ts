import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Engine, type KnownTarget } from '@postern/core'
import fc from 'fast-check'
import { Clearance } from '../src/clearance/clearance.ts'
import { beginInspection, inspect, ownRuleSet } from '../src/inspect.ts'
import type { InspectedRequest } from '../src/request/inspected-request.ts'
import { ownRules } from '../src/rules/own-rules.ts'
import { couldAct } from '../src/sinks/could-act.ts'
import { requestValues } from '../src/sinks/request-values.ts'

const engine = new Engine()

/** What an engine keeps of a target; that of one that never came before is its own. */
function knownOf(target: string): KnownTarget {
  return engine.open({
    ...{ method: 'GET', target, headers: [], peer: undefined, secure: false, httpVersion: '1.1' },
    ...{ body: undefined, native: undefined },
  }).knownTarget
}

const asking = (known: KnownTarget, target: string, headers: readonly string[] = []): InspectedRequest => ({
  method: 'GET',
  target,
  headers,
  known,
})

function lookedAt(request: InspectedRequest): { verdict: string; mayAct: boolean; isFree: boolean } {
  const ongoing = beginInspection(request)
  const { verdict } = ongoing.finish()
  return { verdict, mayAct: ongoing.mayAct, isFree: ongoing.spent === 0 }
}

/** Targets with words and signs that open rules, in which no rule finds anything. */
const ORDINARY = [
  '/login',
  '/user/profile',
  '/order/17?from=2024-05-01&limit=20',
  '/images/cat.png',
  '/feed.xml',
  '/search?q=shoes%20and%20socks',
  '/p?redirect=%2Fhome',
  '/socket.io/?EIO=4&transport=polling&t=Ok3xQ&sid=abcDEF123',
  '/find?where=here',
]

describe('a target that came before', () => {
  for (const target of ORDINARY)
    test(`is not taken apart again: ${target}`, () => {
      const known = knownOf(target)
      assert.equal(lookedAt(asking(known, target)).verdict, 'pass')
      assert.ok(lookedAt(asking(known, target)).isFree)
    })

  test('is refused each time it comes with an attack, and acts each time it comes with what could act', () => {
    const attack = fc.constantFrom(...ownRules.flatMap(rule => rule.attacks))
    const place = fc.constantFrom<(text: string) => string>(
      text => `/s?q=${text}`,
      text => `/s?${text}=1`,
      text => `/s?${text}`,
      text => `/s/${text}/x`,
      text => `/${text}`,
    )
    let refused = 0
    fc.assert(
      fc.property(attack, place, (text, put) => {
        const target = put(encodeURIComponent(text))
        const first = lookedAt({ method: 'GET', target, headers: [] })
        if (first.verdict !== 'pass') refused++
        const known = knownOf(target)
        for (let time = 0; time < 3; time++) {
          const { verdict, mayAct } = lookedAt(asking(known, target))
          assert.deepEqual({ verdict, mayAct }, { verdict: first.verdict, mayAct: first.mayAct }, target)
        }
        if (first.mayAct) return
        for (const { text: value } of requestValues(asking(known, target)))
          assert.equal(couldAct(value), false, `${target}: ${value}`)
      }),
      { numRuns: 1_000, seed: 20_261_127 },
    )
    assert.ok(refused > 150, `only ${refused} were attacks: nothing was shown`)
  })

  test('hands over a session all the same when another site links to it', () => {
    const target = '/login?PHPSESSID=0123456789abcdef'
    const known = knownOf(target)
    for (let time = 0; time < 3; time++) assert.equal(inspect(asking(known, target)).verdict, 'pass')
    const from = (site: string): string[] => ['Host', 'shop.example', 'Referer', `https://${site}/page`]
    assert.equal(inspect(asking(known, target, from('shop.example'))).verdict, 'pass')
    assert.equal(inspect(asking(known, target, from('evil.example'))).verdict, 'block')
  })

  test('is looked at again with other rules', () => {
    const target = '/user/profile'
    const known = knownOf(target)
    known.spotlessFor = {}
    known.clearFor = {}
    assert.equal(lookedAt(asking(known, target)).isFree, false)
  })
})

describe('cookies of a session', () => {
  for (const name of ['session', 'sessionid', 'connect.sid', 'user', 'token', 'login', 'order'])
    test(`are cleared by one scan, once the name ${name} came twice`, () => {
      const header = (client: number): string =>
        `${name}=${client.toString(16).padStart(32, '0123456789abcdef')}; theme=dark`
      for (let client = 0; client < 3; client++)
        assert.equal(
          inspect({ method: 'GET', target: '/', headers: ['Cookie', header(client)] }).verdict,
          'pass',
        )
      assert.equal(Clearance.of(ownRuleSet).clearedCookies(header(4)), 'inert')
    })
})

test('a word of SQL that stands alone acts nowhere, and does with anything else beside it', () => {
  for (const word of ['order', 'limit', 'null', 'a-or-b']) assert.equal(couldAct(word), false, word)
  for (const text of ['a.order', 'or 1', "or'", '1/*', '(select']) assert.equal(couldAct(text), true, text)
})
