// What a thief opens with dump, application disk and environment: prisma-field-encryption
// and @47ng/cloak as the baseline, and us.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decryptStringSync, encryptStringSync, generateKey, parseKeySync } from '@47ng/cloak'
import { SplitKeys, Vault } from '@postern/vault'
import { measureExposure, type StolenValue } from '@postern/vault/exposure'
import { HolderProcesses } from '../packages/vault/test/support/holder-processes.ts'
import { report } from './support/harness.ts'

const RECORDS = 200
const BUDGET = 40

/** As much of prisma-field-encryption as is used here: what its extension calls around a query. */
interface FieldEncryption {
  configureKeys(config: { readonly encryptionKey: string }): object
  encryptOnWrite(
    params: object,
    keys: object,
    models: object,
    operation: string,
  ): { readonly args: { readonly data: { readonly email: string } } }
}

const require = createRequire(import.meta.url)
const { configureKeys, encryptOnWrite } =
  require('prisma-field-encryption/dist/encryption.js') as FieldEncryption
const MODELS = {
  Customer: {
    cursor: 'id',
    fields: { email: { encrypt: true, strictDecryption: false, readonly: false } },
    connections: {},
  },
}

const place = (row: number) => ({
  tenant: '',
  table: 'customers',
  column: 'email',
  row: [`${row}`],
  version: 0,
})
const email = (row: number): string => `customer${row}@example.com`
const rows = Array.from({ length: RECORDS }, (_, row) => row)

/** Opens cloak's format with any key in the loot, as anyone with the package can. */
function cloakOpener(value: StolenValue, secrets: { readonly texts: readonly string[] }): string | undefined {
  if (typeof value.value !== 'string') return undefined
  for (const text of secrets.texts) {
    if (!text.startsWith('k1.aesgcm256.')) continue
    try {
      return decryptStringSync(value.value, parseKeySync(text))
    } catch {
      // Not this key.
    }
  }
  return undefined
}

const disk = mkdtempSync(join(tmpdir(), 'bench-exposure-'))
const holders = await HolderProcesses.start({ budgets: { service: BUDGET } })
const figures: Record<string, number> = { records: RECORDS, budget: BUDGET }
try {
  writeFileSync(join(disk, 'app.pem'), holders.app.privateKey + holders.app.certificate)
  const key = generateKey()
  const environment = { NODE_ENV: 'production', CLOAK_MASTER_KEY: key, PRISMA_FIELD_ENCRYPTION_KEY: key }
  const parsed = parseKeySync(key)
  const prismaKeys = configureKeys({ encryptionKey: key })
  const links = await holders.links()
  const vault = new Vault({
    tables: { customers: { key: ['id'], columns: { email: { mode: 'split' } } } },
    split: new SplitKeys({ links }),
  })
  const sealed = await vault.sealRows(
    'customers',
    rows.map(row => ({ id: row, email: email(row) })),
  )
  const variants: Readonly<Record<string, readonly StolenValue[]>> = {
    '@47ng/cloak': rows.map(row => ({ context: place(row), value: encryptStringSync(email(row), parsed) })),
    'prisma-field-encryption': rows.map(row => {
      const params = { model: 'Customer', action: 'create', args: { data: { email: email(row) } } }
      return {
        context: place(row),
        value: encryptOnWrite(params, prismaKeys, MODELS, 'Customer.create').args.data.email,
      }
    }),
    'vault, split, out of reach': sealed.map((row, index) => ({
      context: place(index),
      value: row['email'] as Uint8Array,
    })),
  }
  for (const [name, values] of Object.entries(variants)) {
    const exposure = await measureExposure({ values, folders: [disk], environment, openers: [cloakOpener] })
    figures[`${name}.opened`] = exposure.opened
  }
  const inReach = await measureExposure({
    values: variants['vault, split, out of reach'] ?? [],
    folders: [disk],
    environment,
    openers: [cloakOpener],
    holders: links,
  })
  figures['vault, split, in reach for an hour.opened'] = inReach.opened
  for (const link of links) link.close()
} finally {
  await holders.stop()
  for (const folder of [disk, holders.folder]) rmSync(folder, { recursive: true })
}

report({
  bench: 'vault-exposure',
  ratios: {
    'share opened, @47ng/cloak': (figures['@47ng/cloak.opened'] ?? 0) / RECORDS,
    'share opened, prisma-field-encryption': (figures['prisma-field-encryption.opened'] ?? 0) / RECORDS,
    'share opened, vault out of reach': (figures['vault, split, out of reach.opened'] ?? 0) / RECORDS,
  },
  figures,
  unequal: [
    'the peers keep one key in the environment, as their documentation says; a KMS in front of it would not change what a live thief opens.',
    'prisma-field-encryption is called as its client extension calls it, without a Prisma client and a database.',
    'in reach: the thief asks the live holders with the stolen identity until they refuse.',
  ],
})
