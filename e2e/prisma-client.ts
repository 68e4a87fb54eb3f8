// `prisma generate` would download its schema engine, which it does not use here; a variable names another
// program in its place.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Scope } from '../test/fresh.ts'

const require = createRequire(import.meta.url)
const HEAD = `
generator client {
  provider            = "prisma-client"
  output              = "./generated"
  moduleFormat        = "esm"
  importFileExtension = "ts"
}
datasource db {
  provider = "postgresql"
}
`

/** The client that Prisma generates for these models, and its adapter for PostgreSQL. */
export async function generatePrisma<Client>(
  scope: Scope,
  models: string,
): Promise<{
  readonly PrismaClient: new (options: object) => Client
  readonly PrismaPg: new (pool: object) => object
}> {
  const folder = mkdtempSync(join(tmpdir(), 'prisma-client-'))
  scope.after(async () => rmSync(folder, { recursive: true }))
  symlinkSync(new URL('node_modules', import.meta.url), join(folder, 'node_modules'))
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  writeFileSync(join(folder, 'schema.prisma'), HEAD + models)
  writeFileSync(join(folder, 'prisma.config.ts'), "export default { schema: 'schema.prisma' }")
  execFileSync(process.execPath, [require.resolve('prisma/build/index.js'), 'generate'], {
    cwd: folder,
    stdio: 'pipe',
    timeout: 120_000,
    env: {
      ...process.env,
      PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
      PRISMA_HIDE_UPDATE_MESSAGE: '1',
      CHECKPOINT_DISABLE: '1',
    },
  })
  const generated = (await import(pathToFileURL(join(folder, 'generated/client.ts')).href)) as {
    PrismaClient: new (options: object) => Client
  }
  const { PrismaPg } = (await import('@prisma/adapter-pg')) as { PrismaPg: new (pool: object) => object }
  return { PrismaClient: generated.PrismaClient, PrismaPg }
}
