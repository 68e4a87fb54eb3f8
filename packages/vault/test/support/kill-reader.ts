// An application that opens records until it is killed: reads a JSON file of
// addresses and records, prints what it opened.
import { readFileSync } from 'node:fs'
import type { TlsIdentity } from '../../src/primitive/certificate.ts'
import { tryOpenRecord } from '../../src/record/open-record.ts'
import { encodeContext, type RecordContext } from '../../src/record/record-context.ts'
import { parseRecord } from '../../src/record/record-format.ts'
import { SocketLink } from '../../src/split/holder-link.ts'
import type { HolderId } from '../../src/split/part.ts'
import { SplitKeys } from '../../src/split/split-keys.ts'

const given = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as {
  readonly app: TlsIdentity
  readonly addresses: Readonly<Record<HolderId, { host: string; port: number; fingerprint: string }>>
  readonly records: readonly { readonly context: RecordContext; readonly record: string }[]
}
const links = ([1, 2, 3] as const).map(id => new SocketLink(id, given.addresses[id], { identity: given.app }))
const keys = new SplitKeys({ links })
for (;;) {
  const index = Math.floor(Math.random() * given.records.length)
  const { context, record: text } = given.records[index] as (typeof given.records)[number]
  const record = parseRecord(Buffer.from(text, 'base64url'))
  try {
    const { candidates: found } = await keys.open([{ encoded: encodeContext(context), record }])
    const [candidates] = found
    const isOpen = candidates?.some(
      ({ recordKey }) => tryOpenRecord(record, recordKey, encodeContext(context)) !== undefined,
    )
    process.stdout.write(`${isOpen === true ? 'opened' : 'wrong'} ${index}\n`)
  } catch {
    await new Promise(resolve => setTimeout(resolve, 2))
  }
}
