/** `@postern/vault/orm`: adapters for query builders and ORMs. None of them is imported here. */
export { type KyselyVault, kyselyVault } from './orm/kysely-vault.ts'
export { type PrismaVault, prismaVault } from './orm/prisma-vault.ts'
export { type SealedColumn, sealedColumn } from './orm/sealed-column.ts'
