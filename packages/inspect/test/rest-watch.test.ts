import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Refusal } from '@postern/core'
import { restReader } from '../src/body/rest-reader.ts'
import { DEFAULT_BOUNDS } from '../src/bounds.ts'
import { ownRuleSet } from '../src/inspect.ts'
import { RestWatch } from '../src/rest-watch.ts'

const FORM = 'application/x-www-form-urlencoded'
const JSON_TYPE = 'application/json'
const MULTIPART = 'multipart/form-data; boundary=bb'

function part(disposition: string, content: string): string {
  return `--bb\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n${content}\r\n`
}

/** How many bytes behind the start had gone by when the rest was refused; undefined: all of it passed. */
function cutAt(type: string, body: string | Buffer, limit: number, pieces: number): number | undefined {
  const bytes = Buffer.from(body)
  const reader = restReader(bytes.subarray(0, limit), type, 200)
  assert.ok(reader !== undefined)
  const watch = new RestWatch({
    reader,
    inspection: {
      rules: ownRuleSet,
      level: 1,
      bounds: DEFAULT_BOUNDS,
      except: [],
      types: undefined,
      ownPort: undefined,
      cpu: undefined,
      method: 'POST',
      route: () => 'POST /',
    },
    judge: found => (found.verdict === 'pass' ? undefined : REFUSAL),
  })
  for (let start = limit; start < bytes.length; start += pieces) {
    if (watch.take(bytes.subarray(start, start + pieces)) !== undefined) return start + pieces - limit
  }
  return undefined
}

const REFUSAL: Refusal = {
  effect: 'deny',
  guard: 'inspect',
  status: 403,
  reasons: [{ rule: 'inspect/test', message: 'No.' }],
}
const PADDING = 'Oak chair, set of two. '.repeat(30)
const ATTACK = '<script>alert(1)</script>'

const BODIES: Readonly<Record<string, readonly [type: string, make: (text: string) => string]>> = {
  JSON: [
    JSON_TYPE,
    text => JSON.stringify({ items: [PADDING, PADDING], note: text, z: [1, { a: PADDING }] }),
  ],
  'a form': [FORM, text => `a=${encodeURIComponent(PADDING)}&note=${encodeURIComponent(text)}&z=1`],
  text: ['text/plain', text => `${PADDING}\n${text}\n${PADDING}`],
  'a field behind a file': [
    MULTIPART,
    text =>
      `${part('name="f"; filename="a.png"', PADDING)}${part('name="note"', text)}${part('name="g"; filename="b.png"', PADDING)}--bb--\r\n`,
  ],
  'JSON lines': [
    'application/x-ndjson',
    text => `{"a":"${PADDING}"}\n${JSON.stringify({ note: text })}\n{"b":1}\n`,
  ],
}

describe('the rest of a body', () => {
  for (const [what, [type, make]] of Object.entries(BODIES)) {
    test(`${what}: an attack is cut off with the piece that completes it, however the pieces fall`, () => {
      const body = make(ATTACK)
      const at = body.indexOf(type === FORM ? encodeURIComponent('</script>') : '</script>')
      for (const pieces of [1, 7, 64, 100_000]) {
        const passed = cutAt(type, body, 400, pieces)
        assert.ok(passed !== undefined, `pieces of ${pieces}`)
        assert.ok(passed - pieces <= at + 24 - 400, `pieces of ${pieces}: ${passed}`)
      }
    })

    test(`${what}: honest values pass`, () => {
      const body = make("it's O'Brien & Sons; 5 < 6 (or more)")
      for (const pieces of [7, 1_000]) assert.equal(cutAt(type, body, 400, pieces), undefined)
    })
  }

  test('files in a multipart body may hold what they like', () => {
    const body = `${part('name="f"; filename="notes.txt"', PADDING + ATTACK + PADDING)}--bb--\r\n`
    for (const pieces of [7, 1_000]) assert.equal(cutAt(MULTIPART, body, 500, pieces), undefined)
  })

  test('a file in base64 inside JSON passes', () => {
    let state = 7
    const bytes = Buffer.alloc(200_000)
    for (let i = 0; i < bytes.length; i++) {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
      bytes[i] = state >>> 16
    }
    const body = JSON.stringify({ name: 'a.bin', data: bytes.toString('base64') })
    for (const pieces of [1_460, 65_536]) assert.equal(cutAt(JSON_TYPE, body, 2_000, pieces), undefined)
  })

  test('the name of a value goes on with it', () => {
    const body = (name: string): string => JSON.stringify({ a: PADDING, [name]: '$(id)' })
    assert.ok(cutAt(JSON_TYPE, body('id'), 400, 50) !== undefined)
    assert.equal(cutAt(JSON_TYPE, body('password'), 400, 50), undefined)
  })

  test('bytes that are no text are not read', () => {
    assert.equal(
      restReader(Buffer.from([0, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3]), 'application/x-thing', 200),
      undefined,
    )
  })
})
