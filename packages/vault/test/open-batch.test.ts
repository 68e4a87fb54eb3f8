import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { encodeContext, type RecordContext } from '../src/record/record-context.ts'
import { packOpenings, unpackOpenings } from '../src/split/open-batch.ts'

const text = (minLength: number) =>
  fc.string({ minLength, maxLength: 12, unit: fc.constantFrom('a', 'é', '￿', '\u0000', '😀', '\ufffd') })
const contexts: fc.Arbitrary<RecordContext> = fc.record({
  tenant: text(0),
  table: text(1),
  column: text(1),
  row: fc.array(text(1), { minLength: 1, maxLength: 16 }),
  version: fc.maxSafeNat(),
})
const salt = Buffer.alloc(16, 7)
const opening = (context: RecordContext) => ({ encoded: encodeContext(context), epoch: 3, salt })
const place = { tenant: 't', table: 'customers', column: 'email', row: ['1'], version: 0 }

describe('records to open, packed', () => {
  it('come out as they went in, and their bytes are those that a record key is made of', () => {
    fc.assert(
      fc.property(fc.array(contexts, { minLength: 1, maxLength: 8 }), list => {
        const batch = unpackOpenings(packOpenings(list.map(opening)), 8)
        assert.ok(batch !== undefined)
        assert.equal(batch.items.length, list.length)
        for (const [index, item] of batch.items.entries()) {
          const { tenant, table, column, row } = list[index] as RecordContext
          assert.deepEqual(
            [item.tenant, item.table, item.column, item.row, item.epoch],
            [tenant, table, column, row, 3],
          )
          assert.deepEqual(
            batch.bytes.subarray(item.start, item.middle),
            encodeContext(list[index] as RecordContext),
          )
          assert.deepEqual(batch.bytes.subarray(item.middle, item.end), salt)
        }
      }),
    )
  })

  it('of one table and column are told apart from those of a name that begins alike', () => {
    const list = [place, { ...place, column: 'email2' }, { ...place, table: 'customersX' }, place]
    const batch = unpackOpenings(packOpenings(list.map(opening)), 4)
    assert.deepEqual(
      batch?.items.map(({ table, column }) => `${table}.${column}`),
      ['customers.email', 'customers.email2', 'customersX.email', 'customers.email'],
    )
  })

  it('are refused when they are too many, cut short, or longer than they say', () => {
    const two = packOpenings([opening(place), opening(place)])
    assert.equal(unpackOpenings(two, 1), undefined)
    assert.equal(unpackOpenings('', 1), undefined)
    const bytes = Buffer.from(two, 'base64url')
    for (let length = 1; length < bytes.length; length++) {
      const cut = unpackOpenings(bytes.subarray(0, length).toString('base64url'), 8)
      assert.equal(cut?.items.length, length === bytes.length / 2 ? 1 : undefined)
    }
    assert.equal(unpackOpenings(`${two} `, 8), undefined)
    assert.equal(unpackOpenings(`!${two}`, 8), undefined)
  })

  it('are refused when a context is not an encoding of one', () => {
    const changed = (change: (context: Buffer) => Uint8Array): string => {
      const encoded = change(Buffer.from(encodeContext(place)))
      return packOpenings([{ encoded, epoch: 0, salt }])
    }
    const tableAt = 3
    const attacks: Readonly<Record<string, (context: Buffer) => Uint8Array>> = {
      'a byte after the version': context => Buffer.concat([context, Buffer.from([0])]),
      'a version above 2^53': context => context.fill(0xff, context.length - 8),
      'a table without a name': context =>
        Buffer.concat([context.subarray(0, tableAt), Buffer.alloc(2), context.subarray(tableAt + 11)]),
      'a name that is not UTF-8': context => context.fill(0xff, tableAt + 2, tableAt + 4),
      'a length beyond the end': context => context.fill(0xff, tableAt, tableAt + 1),
      'a key without columns': context => {
        const at = context.length - 8 - 4
        return Buffer.concat([context.subarray(0, at), Buffer.from([0]), context.subarray(-8)])
      },
    }
    assert.ok(
      unpackOpenings(
        changed(context => context),
        1,
      ) !== undefined,
    )
    for (const [name, attack] of Object.entries(attacks))
      assert.equal(unpackOpenings(changed(attack), 1), undefined, name)
  })

  it('never throw, whatever the text', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
        unpackOpenings(Buffer.from(bytes).toString('base64url'), 10)
      }),
    )
  })
})
