import type { TableSchemas } from '@postern/vault'

const sealed = { mode: 'split', state: 'strict', storage: 'text' } as const

/** What the shop has about people, sealed under keys of three holders; found by e-mail address. */
export const vaultTables: TableSchemas = {
  customer: {
    key: ['id'],
    columns: {
      email: { ...sealed, search: { equals: { column: 'email_term', bits: 128 }, normalise: 'caseless' } },
      phone: sealed,
      street: sealed,
      city: sealed,
      born: sealed,
      card: sealed,
    },
  },
}
