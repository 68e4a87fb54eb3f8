import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import pg from 'pg'
import { freshDatabase } from '../../../test/fresh.ts'
import { inProcess } from './in-process.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const page = readFileSync(join(root, 'docs/vault-orms.md'), 'utf8')
const folder = mkdtempSync(join(tmpdir(), 'vault-orms-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const url = await freshDatabase({ after })

/** Files of the page by name. */
const files = new Map(
  [...page.matchAll(/^```\w+ (\S+)\n(.*?)^```$/gms)].map(([, name = '', text = '']) => [name, text]),
)
const printed = /^```text\n(.*?)^```$/ms.exec(page)?.[1]
const versionOf = (folder: string): string =>
  (JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as { readonly version: string })
    .version
const pgVersion = versionOf('node_modules/pg')
const kyselyVersion = versionOf('node_modules/kysely')
const drizzleVersion = versionOf('node_modules/drizzle-orm')
const typeormVersion = versionOf('packages/access/node_modules/typeorm')
const create = /psql .* -c '(.*)'/.exec(page)?.[1] ?? ''

function install(name: string, from: string): void {
  const path = join(folder, 'node_modules', name)
  mkdirSync(join(path, '..'), { recursive: true })
  if (!existsSync(path)) symlinkSync(from, path)
}

async function run(file: string): Promise<string> {
  writeFileSync(join(folder, file), files.get(file) ?? assert.fail(`${file} is not on the page`))
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--conditions=@postern/source', '--disable-warning=ExperimentalWarning', file],
    { cwd: folder, env: { ...process.env, DATABASE_URL: url }, timeout: 60_000 },
  )
  return stdout
}

/** Prisma generates its client: `npm run e2e -- vault-prisma` and `npm run check` run that example. */
describe('the examples of docs/vault-orms.md print what the page says', { timeout: 120_000 }, () => {
  const database = new pg.Client({ connectionString: url })
  before(async () => {
    await database.connect()
    await database.query(create)
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
    assert.equal((await inProcess(['vault', 'init'], folder)).code, 0)
    writeFileSync(join(folder, 'vault.json'), files.get('vault.json') ?? '')
    for (const name of ['@postern', 'pg', 'kysely', 'drizzle-orm'])
      install(name, join(root, 'node_modules', name))
    install('typeorm', join(root, 'packages/access/node_modules/typeorm'))
  })
  after(() => database.end())

  test('the commands of the page are those that this test does', () => {
    assert.equal(
      /^```sh\n(.*?)^```$/ms.exec(page)?.[1],
      `npm install postern @postern/vault pg@${pgVersion}\nnpx postern vault init\npsql "$DATABASE_URL" -c '${create}'\n`,
    )
    const names = new Map([
      ['kysely', kyselyVersion],
      ['drizzle-orm', drizzleVersion],
      ['typeorm', typeormVersion],
    ])
    for (const [name, version] of names) assert.ok(page.includes(`\`npm install ${name}@${version}\``), name)
  })

  for (const file of ['kysely.ts', 'drizzle.ts', 'typeorm.ts'])
    test(file, async () => {
      await database.query('TRUNCATE customers')
      assert.equal(await run(file), printed)
      const { rows } = await database.query<{ readonly email: Buffer }>('SELECT email FROM customers')
      assert.equal(rows.length, 2)
      assert.ok(rows.every(({ email }) => !email.toString('latin1').includes('example.com')))
    })
})
