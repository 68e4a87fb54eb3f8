import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { LocalKeys } from '../src/local/local-keys.ts'
import { open, seal } from '../src/local/local-record.ts'
import { HmacKey } from '../src/primitive/hmac-key.ts'
import { ContextEncoder } from '../src/record/context-encoder.ts'
import { openRecord } from '../src/record/open-record.ts'
import { encodeContext, type RecordContext } from '../src/record/record-context.ts'
import { looksSealed, type Mode, parseRecord, RECORD_OVERHEAD } from '../src/record/record-format.ts'
import { recordPrf } from '../src/record/record-keys.ts'
import { sealRecord } from '../src/record/seal-record.ts'

const INTEGRITY = { code: 'POSTERN_INTEGRITY' }

interface Vector {
  readonly mode: Mode
  readonly epoch: number
  readonly context: RecordContext
  readonly key: string
  readonly salt: string
  readonly recordKey: string
  readonly plaintext: string
  readonly record: string
}

const vectors = JSON.parse(
  readFileSync(new URL('vectors/record-v1.json', import.meta.url), 'utf8'),
) as readonly Vector[]

const hex = (text: string): Buffer => Buffer.from(text, 'hex')

/** Places of which some share parts, or run together where lengths are not written down. */
function everyPlace(): readonly RecordContext[] {
  const tenants = ['', 'a', 'ab']
  const rows = [['1'], ['1', '2'], ['12'], ['2', '1']]
  return tenants.flatMap(tenant =>
    ['t', 'bt'].flatMap(table =>
      ['c', 'tc'].flatMap(column =>
        rows.flatMap(row => [0, 1].map(version => ({ tenant, table, column, row, version }))),
      ),
    ),
  )
}

describe('record format v1', () => {
  for (const [index, vector] of vectors.entries()) {
    it(`is frozen: vector ${index} seals and opens byte for byte`, () => {
      const context = encodeContext(vector.context)
      const recordKey = recordPrf(new HmacKey('sha256', hex(vector.key)), context, hex(vector.salt))
      assert.equal(recordKey.toString('hex'), vector.recordKey)
      const { mode, epoch } = vector
      const plaintext = hex(vector.plaintext)
      const record = sealRecord({ recordKey, salt: hex(vector.salt), mode, epoch, context, plaintext })
      assert.equal(record.toString('hex'), vector.record)
      const parsed = parseRecord(hex(vector.record))
      assert.equal(parsed.mode, mode)
      assert.equal(parsed.epoch, epoch)
      assert.deepEqual(openRecord(parsed, recordKey, context), plaintext)
    })
  }

  it('adds 52 bytes', () => {
    assert.equal(RECORD_OVERHEAD, 52)
    const keys = LocalKeys.generate()
    const context = { tenant: '', table: 't', column: 'c', row: ['1'], version: 0 }
    for (const size of [0, 1, 100, 65_536])
      assert.equal(seal(keys, context, Buffer.alloc(size)).length, size + 52)
  })

  it('opens in no other place: every pair of tenant, table, column, row and version is refused', () => {
    const keys = LocalKeys.generate()
    const contexts = everyPlace()
    const sealed = contexts.map(context => seal(keys, context, Buffer.from('secret')))
    for (const [i, record] of sealed.entries()) {
      for (const [j, context] of contexts.entries()) {
        if (i === j) assert.equal(open(keys, context, record).toString(), 'secret')
        else assert.throws(() => open(keys, context, record), INTEGRITY)
      }
    }
  })

  it('no two contexts share an encoding', () => {
    const text = fc.string({ minLength: 1, maxLength: 4, unit: fc.constantFrom('a', '\0', 'é', '1') })
    const context = fc.record({
      tenant: fc.oneof(fc.constant(''), text),
      table: text,
      column: text,
      row: fc.array(text, { minLength: 1, maxLength: 3 }),
      version: fc.nat(3),
    })
    fc.assert(
      fc.property(context, context, (a, b) => {
        const same = JSON.stringify(a) === JSON.stringify(b)
        assert.equal(encodeContext(a).equals(encodeContext(b)), same)
      }),
      { numRuns: 2_000 },
    )
  })

  it('encodes many rows of a column as it encodes one, whatever came before', () => {
    const encoder = new ContextEncoder()
    const keys = [['1'], ['ü'], ['1', '2'], ['x'.repeat(64)], ['x'.repeat(65)], ['\u0000'], ['12']]
    const rows = keys.map(row => ({ tenant: '', table: 't', column: 'c', row, version: 0 }))
    const versions = [1, 0, 255, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER].map(
      version => ({ tenant: '', table: 't', column: 'c', row: ['1'], version }),
    )
    for (const context of [...everyPlace(), ...rows, ...versions, ...everyPlace().toReversed()])
      assert.deepEqual(encoder.encode(context), encodeContext(context))
    for (const version of [-1, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY])
      assert.throws(() => encoder.encode({ tenant: '', table: 't', column: 'c', row: ['1'], version }), {
        code: 'POSTERN_CONFIG',
      })
    for (const row of [[''], [], ['\ud800']])
      assert.throws(() => encoder.encode({ tenant: '', table: 't', column: 'c', row, version: 0 }), {
        code: 'POSTERN_CONFIG',
      })
    for (const names of [{ table: '' }, { column: '' }, { tenant: '\ud800' }])
      assert.throws(
        () => encoder.encode({ tenant: '', table: 't', column: 'c', row: ['1'], version: 0, ...names }),
        { code: 'POSTERN_CONFIG' },
      )
  })

  it('refuses a context with a hole in it, without repeating its values', () => {
    const good: RecordContext = { tenant: '', table: 't', column: 'c', row: ['1'], version: 0 }
    const bad: readonly Partial<RecordContext>[] = [
      { row: [] },
      { row: [''] },
      { row: ['s3cret\ud800'] },
      { row: ['s3cret'.repeat(1_000)] },
      { version: -1 },
      { version: 0.5 },
      { table: '' },
      { column: '' },
    ]
    for (const change of bad) {
      assert.throws(
        () => encodeContext({ ...good, ...change }),
        (error: Error) =>
          !error.message.includes('s3cret') && error.message.startsWith('vault record context'),
      )
    }
  })

  it('every changed bit, cut and addition is an error', () => {
    const keys = LocalKeys.generate()
    const context = { tenant: 't', table: 'a', column: 'b', row: ['1'], version: 0 }
    const record = seal(keys, context, Buffer.from('hello'))
    for (let bit = 0; bit < record.length * 8; bit++) {
      const changed = Buffer.from(record)
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      assert.throws(() => open(keys, context, changed), INTEGRITY, `bit ${bit}`)
    }
    for (let length = 0; length < record.length; length++)
      assert.throws(() => open(keys, context, record.subarray(0, length)), INTEGRITY)
    assert.throws(() => open(keys, context, Buffer.concat([record, Buffer.alloc(1)])), INTEGRITY)
  })

  it('a record commits to its key: no second key opens it', () => {
    const keys = LocalKeys.generate()
    const context = encodeContext({ tenant: '', table: 'a', column: 'b', row: ['1'], version: 0 })
    const salt = Buffer.alloc(16, 1)
    const recordKey = recordPrf(keys.prf(0), context, salt)
    const record = parseRecord(
      sealRecord({ recordKey, salt, mode: 'local', epoch: 0, context, plaintext: Buffer.from('x') }),
    )
    const other = Buffer.from(recordKey)
    other[31] = (other[31] ?? 0) ^ 1
    assert.throws(() => openRecord(record, other, context), INTEGRITY)
  })

  it('text is never taken for a record', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 52, maxLength: 80 }), text => {
        assert.equal(looksSealed(Buffer.from(text)), false)
      }),
    )
  })

  it('a record opened with the wrong key file is an error that says so, never other data', () => {
    const context = { tenant: '', table: 'a', column: 'b', row: ['1'], version: 0 }
    const record = seal(LocalKeys.generate(), context, Buffer.from('x'))
    assert.throws(() => open(LocalKeys.generate(), context, record), INTEGRITY)
  })

  it('a value sealed twice never has the same bytes', () => {
    const keys = LocalKeys.generate()
    const context = { tenant: '', table: 'a', column: 'b', row: ['1'], version: 0 }
    const seen = new Set<string>()
    for (let i = 0; i < 1_000; i++) seen.add(seal(keys, context, Buffer.from('x')).toString('hex', 4, 20))
    assert.equal(seen.size, 1_000)
  })
})
