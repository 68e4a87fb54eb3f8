import { tryOpenRecord } from '../../src/record/open-record.ts'
import { encodeContext, type RecordContext } from '../../src/record/record-context.ts'
import { parseRecord } from '../../src/record/record-format.ts'
import { sealRecord } from '../../src/record/seal-record.ts'
import type { SplitKeys, StoredRecord } from '../../src/split/split-keys.ts'

/** Where the e-mail address of a customer is. */
export const place = (row: number): RecordContext => ({
  tenant: '',
  table: 'customers',
  column: 'email',
  row: [`${row}`],
  version: 0,
})
/** Records of customers, sealed by the holders. */
export async function sealed(keys: SplitKeys, rows: readonly number[]): Promise<StoredRecord[]> {
  const sealKeys = await keys.seal(rows.map(place))
  return rows.map((row, index) => {
    const { recordKey, salt, epoch } = sealKeys[index] as (typeof sealKeys)[number]
    const encoded = encodeContext(place(row))
    const plaintext = Buffer.from(`secret ${row}`)
    return {
      encoded,
      record: parseRecord(sealRecord({ recordKey, salt, epoch, mode: 'split', context: encoded, plaintext })),
    }
  })
}

/** What they open to; undefined for those that do not. */
export async function opened(
  keys: SplitKeys,
  records: readonly StoredRecord[],
): Promise<(string | undefined)[]> {
  const found = await keys.open(records)
  const texts = (): (string | undefined)[] =>
    records.map(({ encoded, record }, index) => {
      for (const { recordKey, against } of found.candidates[index] ?? []) {
        const text = tryOpenRecord(record, recordKey, encoded)?.toString()
        if (text === undefined) continue
        keys.blame(against)
        return text
      }
      return undefined
    })
  const first = texts()
  return first.includes(undefined) && (await found.askThird()) ? texts() : first
}
