// An application that has opened some of its rows, and waits to have its memory read. Arguments: a JSON file
// with either `keys`, the text of a key file, or `app` and `addresses`; and `rows`.
import { readFileSync, rmSync } from 'node:fs'
import { LocalKeys } from '../../src/local/local-keys.ts'
import type { TlsIdentity } from '../../src/primitive/certificate.ts'
import { type HolderAddress, SocketLink } from '../../src/split/holder-link.ts'
import { HOLDERS, type HolderId } from '../../src/split/part.ts'
import { SplitKeys } from '../../src/split/split-keys.ts'
import { Vault } from '../../src/table/vault.ts'

interface Setting {
  readonly keys?: string
  readonly app: TlsIdentity
  readonly addresses: Readonly<Record<HolderId, HolderAddress>>
  readonly rows: readonly { readonly id: number; readonly email: string }[]
}

const path = process.argv[2] ?? ''
const { keys, app, addresses, rows } = JSON.parse(readFileSync(path, 'utf8')) as Setting
rmSync(path)
const links =
  keys === undefined ? HOLDERS.map(id => new SocketLink(id, addresses[id], { identity: app })) : []
while (links.some(({ isUp }) => !isUp)) await new Promise(resolve => setTimeout(resolve, 10))
const vault = new Vault({
  tables: {
    customers: {
      key: ['id'],
      columns: { email: { mode: keys === undefined ? 'split' : 'local', storage: 'text' } },
    },
  },
  ...(keys === undefined ? { split: new SplitKeys({ links }) } : { local: LocalKeys.parse(keys, 'keys') }),
})
const opened = await vault.openRows('customers', rows)
process.stdout.write(`opened ${opened.length}\n`)
// Until its parent goes away.
process.stdin.resume()
