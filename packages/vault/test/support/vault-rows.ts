import { LocalKeys } from '../../src/local/local-keys.ts'
import type { TableSchemas } from '../../src/table/table-schema.ts'
import { Vault, type VaultOptions } from '../../src/table/vault.ts'
import { type TestHolders, testHolders } from './holders.ts'

/** The value that must not be seen anywhere. */
export const SECRET = 'anne@example.com'

/** A table with columns of every mode. */
export const tables: TableSchemas = {
  customers: {
    key: ['shop', 'id'],
    tenant: 'tenant',
    version: 'revision',
    columns: {
      email: {
        mode: 'split',
        search: { equals: { column: 'email_term' }, prefixes: { 3: 'email_p3' }, normalise: 'caseless' },
      },
      phone: { mode: 'split', storage: 'text' },
      age: {
        mode: 'split',
        type: 'number',
        search: { buckets: { column: 'age_bucket', bounds: [18, 30, 65] } },
      },
      note: { mode: 'local', type: 'json' },
      diary: { mode: 'held', type: 'bytes' },
    },
  },
}

/** A vault of these tables, with holders of this process. */
export function setting(options: Partial<VaultOptions> = {}): {
  readonly holders: TestHolders
  readonly local: LocalKeys
  readonly options: VaultOptions & { readonly local: LocalKeys }
  readonly vault: Vault
} {
  const holders = testHolders()
  const local = LocalKeys.generate()
  const searchKey = new Uint8Array(32).fill(5)
  const made = { tables, local, split: holders.keys, searchKey, ...options }
  return { holders, local, options: made, vault: new Vault(made) }
}

interface CustomerRow {
  readonly [column: string]: unknown
  readonly tenant: string
  readonly shop: string
  readonly id: number
  readonly revision: number
  readonly email: string
  readonly phone: string
  readonly age: number
  readonly note: { readonly vip: boolean }
  readonly city: string
}

/** A row of customers. */
export const row = (id: number, change: object = {}): CustomerRow => ({
  tenant: 't1',
  shop: 'north',
  id,
  revision: 1,
  email: SECRET,
  phone: '+353 1 234',
  age: 41,
  note: { vip: true },
  city: 'Cork',
  ...change,
})

/** The first of the rows. */
export const only = (rows: readonly Record<string, unknown>[]): Record<string, unknown> => rows[0] ?? {}
