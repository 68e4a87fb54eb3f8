import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { test } from 'node:test'
import { loadConfig } from '@postern/config'
import { connectPostgres } from '@postern/store'
import { freshDatabase } from '../../../test/fresh.ts'
import { findBinary } from '../../../test/local-server.ts'
import { SOURCE_FLAGS } from '../../../test/source-flags.ts'

const root = join(import.meta.dirname, '..', '..', '..')

interface Block {
  readonly language: string
  readonly file: string
  readonly text: string
}

/** What runs a file of a page that no command of the page runs. */
const PROGRAMS: Readonly<Record<string, string>> = {
  'errors.ts': 'node errors.ts',
  'pool.ts': `node -e "import('./pool.ts').then(({ layer, pool }) => pool.end().then(() => layer.close()))"`,
  'migrate.ts': 'node migrate.ts',
}

/** What the settings name of the environment. */
const ENVIRONMENT = {
  APP_OWNER_URL: 'postgres://owner@127.0.0.1/shop',
  CLAIM_KEY: `1:${Buffer.alloc(32, 1).toString('base64')}`,
}

function blocksOf(page: string): readonly Block[] {
  return [...page.matchAll(/^```(\w+) ?(\S*)\n(.*?)^```$/gms)].map(
    ([, language = '', file = '', text = '']) => ({
      language,
      file,
      text,
    }),
  )
}

/** The page on PostgreSQL first: it writes the configuration that later pages go on from. */
const PAGES = ['budgets-postgres', 'budgets-reads', 'budgets', 'budgets-sqlite', 'budgets-mysql']

const PRINTED = PAGES.flatMap(page => blocksOf(readFileSync(join(root, 'docs', `${page}.md`), 'utf8')))
/** What sets the variables of a reader. */
const EXPORTS = PRINTED.map(({ text }) => text)
  .filter(text => text.startsWith('export '))
  .join('')
const BLOCKS = PRINTED.filter(({ text }) => !/^(?:export|npm) /.test(text))

/** The keys that a page exports; addresses of databases are those of the test. */
function keysOf(variables: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...variables.matchAll(/^(\w+_KEY)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]),
  )
}

test('settings of the pages about row budgets are read', async t => {
  const settings = BLOCKS.filter(({ language, file }) => language === 'yaml' && file === '')
  assert.equal(settings.length, 3)
  for (const { text } of settings) {
    const folder = mkdtempSync(join(tmpdir(), 'postern-budgets-settings-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    writeFileSync(join(folder, 'postern.config.yaml'), text)
    const { config } = await loadConfig({ folder, environment: ENVIRONMENT })
    assert.deepEqual(config.budgetDatabase?.exempt ?? [], text.includes('exempt:') ? ['shop_owner'] : [])
  }
})

test('everything on the pages about row budgets works as it is printed', { timeout: 300_000 }, async t => {
  const url = await freshDatabase(t)
  const folder = mkdtempSync(join(tmpdir(), 'postern-budgets-page-'))
  t.after(async () => rmSync(folder, { recursive: true, force: true }))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  mkdirSync(join(folder, 'bin'))
  const shim = join(folder, 'bin', 'postern')
  writeFileSync(shim, `#!/bin/sh\nexec node ${join(root, 'scripts', 'postern.ts')} "$@"\n`)
  chmodSync(shim, 0o755)

  // The role of the page is one for the whole server: it has a name of its own here.
  const role = `shop_${randomBytes(6).toString('hex')}`
  const shop = new URL(url)
  shop.username = role
  shop.password = 'shop'
  const psql = findBinary('psql')
  assert.ok(psql !== undefined)
  const environment = {
    ...process.env,
    PATH: [join(folder, 'bin'), dirname(process.execPath), dirname(psql), process.env['PATH']].join(
      delimiter,
    ),
    NODE_OPTIONS: SOURCE_FLAGS.join(' '),
    OWNER_URL: url,
    SHOP_URL: shop.href,
  }
  const sh = (script: string): string => {
    const run = spawnSync('sh', ['-e', '-c', script], { cwd: folder, env: environment, encoding: 'utf8' })
    assert.equal(run.status, 0, `${script}\n${run.stdout}\n${run.stderr}`)
    return run.stdout
  }

  Object.assign(environment, keysOf(sh(`${EXPORTS}env`)))
  let output = ''
  let checked = 0
  for (const { language, file, text } of BLOCKS) {
    const own = text.replaceAll(/\bshop( LOGIN|;)/g, `${role}$1`)
    if (file !== '') writeFileSync(join(folder, file), file.endsWith('.sql') ? own : text)
    const program = file === '' ? undefined : PROGRAMS[file]
    if (program !== undefined) sh(program)
    if (file !== '') continue
    if (language === 'sh') output = sh(text)
    else if (language === 'text') {
      assert.equal(output, text)
      checked++
    } else if (language === 'ts') {
      writeFileSync(join(folder, 'alone.ts'), text)
      sh('node alone.ts')
    }
  }
  assert.equal(checked, 6)

  const admin = connectPostgres({ url })
  const { rows } = await admin.query(
    `SELECT (SELECT count(*) FROM orders)::int AS orders, (SELECT count(*) FROM items)::int AS items`,
  )
  assert.deepEqual(rows, [{ orders: 950, items: 2_850 }])
  await admin.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
  await admin.close()
})
