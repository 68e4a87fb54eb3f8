import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import pg from 'pg'
import { hasPostgres, startPostgres } from '../test/postgres-server.ts'
import { root } from './workspace.ts'

/** The examples of the page by their file names, and what each prints. */
const page = readFileSync(join(root, 'docs/vault-orms.md'), 'utf8')
const files = new Map(
  [...page.matchAll(/^```\w+ (\S+)\n(.*?)^```$/gms)].map(([, name = '', text = '']) => [name, text]),
)
/** What all print; and the last line of the one that seals what is written by itself. */
const [printed = '', ofPrisma = ''] = [...page.matchAll(/^```text\n(.*?)^```$/gms)].map(
  ([, text = '']) => text,
)
const create = /psql .* -c '(.*)'/.exec(page)?.[1] ?? ''

/**
 * The examples of docs/vault-orms.md on PostgreSQL with the packages that a folder has installed, where
 * PostgreSQL and the libraries are at hand: Prisma is among what the end-to-end tests install.
 * @returns what is missing for the rest
 * @throws Error with what was printed
 */
export async function tryOrms(
  project: string,
  env: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  if (!hasPostgres()) return ['PostgreSQL']
  const server = await startPostgres()
  const database = new pg.Client({ connectionString: server.url })
  try {
    await database.connect()
    await database.query(create)
    const folder = join(project, 'orms')
    mkdirSync(folder)
    const withDatabase = { ...env, DATABASE_URL: server.url }
    run(folder, join(project, 'node_modules/postern/dist/bin.js'), withDatabase, 'vault', 'init')
    write(folder, 'vault.json')
    for (const name of ['pg', 'kysely', 'drizzle-orm'])
      link(join(root, 'node_modules', name), join(project, 'node_modules', name))
    link(join(root, 'packages/access/node_modules/typeorm'), join(project, 'node_modules/typeorm'))
    const tryPage = async (file: string, expected: string): Promise<void> => {
      await database.query('TRUNCATE customers')
      write(folder, file)
      const output = run(folder, file, withDatabase)
      if (output !== expected) throw new Error(`${file} of docs/vault-orms.md printed:\n${output}`)
    }
    for (const file of ['kysely.ts', 'drizzle.ts', 'typeorm.ts']) await tryPage(file, printed)
    const installed = join(root, 'e2e/node_modules')
    if (!existsSync(join(installed, 'prisma'))) return ['Prisma']
    link(join(installed, 'prisma'), join(project, 'node_modules/prisma'))
    for (const name of readdirSync(join(installed, '@prisma')))
      link(join(installed, '@prisma', name), join(project, 'node_modules/@prisma', name))
    for (const file of ['schema.prisma', 'prisma.config.ts']) write(folder, file)
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
    await tryPage(
      'prisma.ts',
      printed.replace(/^refused: .*\n/m, () => ofPrisma),
    )
    return []
  } finally {
    await database.end()
    await server.stop()
  }
}

function write(folder: string, name: string): void {
  const text = files.get(name)
  if (text === undefined) throw new Error(`docs/vault-orms.md has no ${name}`)
  writeFileSync(join(folder, name), text)
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
