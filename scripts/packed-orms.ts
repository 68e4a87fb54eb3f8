import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { hasPostgres, startPostgres } from '../test/postgres-server.ts'
import { root } from './workspace.ts'

/** An entity of TypeORM: written sealed, opened, found by its term; a plain value is an error. */
const TYPEORM = `
import { LocalKeys, Vault } from '@postern/vault'
import { sealedColumn } from '@postern/vault/orm'
import typeorm from 'typeorm'

const vault = new Vault({
  tables: { people: { key: ['id'], columns: { email: { mode: 'local', search: { equals: { column: 'term' } } } } } },
  local: LocalKeys.generate(),
  searchKey: new Uint8Array(32).fill(7),
})
const People = new typeorm.EntitySchema({
  name: 'Person',
  tableName: 'people',
  columns: {
    id: { type: 'int', primary: true },
    email: { type: 'bytea', nullable: true, transformer: sealedColumn('people.email') },
    term: { type: 'bytea', nullable: true },
  },
})
const source = new typeorm.DataSource({ type: 'postgres', url: process.env.DATABASE_URL, entities: [People] })
await source.initialize()
await source.synchronize()
const people = source.getRepository(People)
await people.save(await vault.sealRows('people', [{ id: 1, email: 'tom@example.com' }, { id: 2, email: null }]))
const [{ email }] = await source.query('SELECT email FROM people WHERE id = 1')
console.log('typeorm', 'stored', email[0])
const { term } = await vault.equals('people', 'email', 'tom@example.com')
const found = await vault.openRows('people', await people.findBy({ term: Buffer.from(term) }))
console.log('typeorm', found.map(row => row.email).join())
await people.insert({ id: 3, email: 'plain@example.com' }).catch(error => console.log('typeorm', error.code))
await people.findBy({ email: 'tom@example.com' }).catch(error => console.log('typeorm', error.code))
await source.query('DROP TABLE people')
await source.destroy()
`

const PRISMA_SCHEMA = `
generator client {
  provider            = "prisma-client"
  output              = "./generated"
  moduleFormat        = "esm"
  importFileExtension = "ts"
}
datasource db {
  provider = "postgresql"
}
model Person {
  id    Int    @id
  email Bytes?
  term  Bytes?
  @@map("people")
}
`

/** A client of Prisma with the extension. */
const PRISMA = `
import { PrismaPg } from '@prisma/adapter-pg'
import { LocalKeys, Vault } from '@postern/vault'
import { prismaVault } from '@postern/vault/orm'
import { PrismaClient } from './generated/client.ts'

const vault = new Vault({
  tables: { people: { key: ['id'], columns: { email: { mode: 'local', search: { equals: { column: 'term' } } } } } },
  local: LocalKeys.generate(),
  searchKey: new Uint8Array(32).fill(7),
})
const adapter = new PrismaPg({ connectionString: process.env.DATABASE_URL })
const bare = new PrismaClient({ adapter })
await bare.$executeRawUnsafe('CREATE TABLE people (id int PRIMARY KEY, email bytea, term bytea)')
const prisma = bare.$extends(prismaVault(vault, { Person: 'people' }).extension)
await prisma.person.create({ data: { id: 1, email: 'pia@example.com' } })
const { email } = await bare.person.findUnique({ where: { id: 1 } })
console.log('prisma', 'stored', email[0])
const { term } = await vault.equals('people', 'email', 'pia@example.com')
console.log('prisma', (await prisma.person.findFirst({ where: { term } })).email)
await prisma.person.findMany({ where: { email: Buffer.from('pia') } }).catch(error => console.log('prisma', error.code))
await bare.$disconnect()
`

const PRINTED = {
  typeorm: ['stored 183', 'tom@example.com', 'POSTERN_CONFIG', 'POSTERN_CONFIG'],
  prisma: ['stored 183', 'pia@example.com', 'POSTERN_CONFIG'],
} as const

/**
 * TypeORM and Prisma on PostgreSQL with the packages that a folder has installed, where PostgreSQL and they
 * are at hand: Prisma is among what the end-to-end tests install.
 * @returns what is missing for the rest
 * @throws Error with what was printed
 */
export async function tryOrms(
  project: string,
  env: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  if (!hasPostgres()) return ['PostgreSQL']
  const server = await startPostgres()
  try {
    const folder = join(project, 'orms')
    mkdirSync(folder)
    const withDatabase = { ...env, DATABASE_URL: server.url }
    link(join(root, 'packages/access/node_modules/typeorm'), join(project, 'node_modules/typeorm'))
    writeFileSync(join(folder, 'typeorm.mjs'), TYPEORM)
    check('typeorm', run(folder, 'typeorm.mjs', withDatabase))
    const installed = join(root, 'e2e/node_modules')
    if (!existsSync(join(installed, 'prisma'))) return ['Prisma']
    link(join(installed, 'prisma'), join(project, 'node_modules/prisma'))
    for (const name of readdirSync(join(installed, '@prisma')))
      link(join(installed, '@prisma', name), join(project, 'node_modules/@prisma', name))
    writeFileSync(join(folder, 'schema.prisma'), PRISMA_SCHEMA)
    writeFileSync(join(folder, 'prisma.config.ts'), "export default { schema: 'schema.prisma' }")
    writeFileSync(join(folder, 'prisma.ts'), PRISMA)
    // It would download its schema engine, which it does not use here: another program stands in its place.
    run(
      folder,
      createRequire(join(installed, 'x.js')).resolve('prisma/build/index.js'),
      {
        ...withDatabase,
        PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
        PRISMA_HIDE_UPDATE_MESSAGE: '1',
        CHECKPOINT_DISABLE: '1',
      },
      'generate',
    )
    check('prisma', run(folder, 'prisma.ts', withDatabase))
    return []
  } finally {
    await server.stop()
  }
}

function link(target: string, path: string): void {
  mkdirSync(join(path, '..'), { recursive: true })
  if (!existsSync(path)) symlinkSync(target, path)
}

function run(
  cwd: string,
  file: string,
  env: Readonly<Record<string, string>>,
  ...args: readonly string[]
): string {
  return execFileSync(process.execPath, [file, ...args], {
    cwd,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 120_000,
  })
}

function check(name: keyof typeof PRINTED, printed: string): void {
  const expected = PRINTED[name].map(line => `${name} ${line}\n`).join('')
  if (printed !== expected) throw new Error(`${name} on packed packages printed:\n${printed}`)
}
