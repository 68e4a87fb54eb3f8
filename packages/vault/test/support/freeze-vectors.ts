// Writes vectors/record-v1.json. Was run once, when the format was frozen; the file is never written again.
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { HmacKey } from '../../src/primitive/hmac-key.ts'
import { encodeContext, type RecordContext } from '../../src/record/record-context.ts'
import type { Mode } from '../../src/record/record-format.ts'
import { recordPrf } from '../../src/record/record-keys.ts'
import { sealRecord } from '../../src/record/seal-record.ts'

const bytes = (label: string, length: number): Buffer =>
  createHash('shake256', { outputLength: length }).update(label).digest()
const cases: readonly [Mode, number, RecordContext, Buffer][] = [
  ['local', 0, { tenant: '', table: 'note', column: 'body', row: ['7'], version: 0 }, Buffer.alloc(0)],
  [
    'local',
    255,
    { tenant: 't1', table: 'note', column: 'body', row: ['7'], version: 1 },
    Buffer.from('hello'),
  ],
  [
    'split',
    1,
    { tenant: 'é', table: 'customers', column: 'email', row: ['a', 'b'], version: 2 },
    Buffer.from('a@b.c'),
  ],
  [
    'held',
    3,
    { tenant: '', table: 'n', column: 'c', row: ['0'.repeat(36)], version: 2 ** 40 },
    bytes('long', 1_000),
  ],
]
const vectors = cases.map(([mode, epoch, context, plaintext], index) => {
  const key = bytes(`key ${index}`, 32)
  const salt = bytes(`salt ${index}`, 16)
  const encoded = encodeContext(context)
  const recordKey = recordPrf(new HmacKey('sha256', key), encoded, salt)
  const record = sealRecord({ recordKey, salt, mode, epoch, context: encoded, plaintext })
  const hex = { key, salt, recordKey, plaintext, record }
  return {
    mode,
    epoch,
    context,
    ...Object.fromEntries(Object.entries(hex).map(([name, value]) => [name, value.toString('hex')])),
  }
})
writeFileSync(
  new URL('../vectors/record-v1.json', import.meta.url),
  `${JSON.stringify(vectors, undefined, 2)}\n`,
  {
    flag: 'wx',
  },
)
