import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { root } from './workspace.ts'

/** Pages that are followed. */
const PAGES = ['docs/vault.md', 'docs/vault-holders.md']
/** What leads to a running application with three holders. */
const SET_UP = ['Encrypt one column with a key file', 'Encrypt existing data', 'Run three holders']
/** What is followed after it, with the holders that run. */
const AFTER = ['Plant canaries', 'Replace a lost holder', 'See what a thief could open']
const BLOCK = /^```(sh|ts|json vault\.json)\n(.*?)^```$/gms
/** Ports of the page are `947` and the number of the holder. */
const PAGE_PORT = /\b947(?=\$n|\$peer|2\b)/g
const PATIENCE_MS = 240_000

/** The same program for a column in mode split, with a row of its own, and with the row of the canary. */
const SPLIT = `
sed 's/"mode": "local"/"mode": "split"/' vault.json > split.json
sed -e 's/vault.json/split.json/' -e 's/id: 3/id: 4/' -e 's/id = 3/id = 4/' -e 's/carol/dan/' use.ts > split.ts
node split.ts
sed -e 's/id: 4/id: 666/' -e 's/id = 4/id = 666/' -e 's/dan/mallory/' split.ts > canary.ts
node canary.ts
`
/** Reads what was written before one of the holders was replaced. */
const AGAIN = `
sed -e '/sql.insert/d' -e 's/console.log(/console.log("again", /' split.ts > again.ts
node again.ts
`

/** Erases a person, whose rows are of a table with a subject. */
const ERASE = `
cat > erase.json <<'END'
{
  "tables": {
    "orders": {
      "key": ["id"],
      "subject": "customer",
      "columns": {
        "address": { "mode": "local", "storage": "text", "search": { "equals": { "column": "address_term" } } }
      }
    }
  },
  "keys": "vault.keys",
  "searchKey": "vault.search",
  "subjects": "subjects.db",
  "database": "shop.db"
}
END
cat > erase.ts <<'END'
import { openVault, VaultSql } from '@postern/vault'
import { openVaultDatabase } from '@postern/vault/setup'

const opened = await openVault('erase.json')
const database = await openVaultDatabase(opened.file)
const sql = new VaultSql(database.client, opened.vault)
if (process.argv[2] === 'write') await sql.insert('orders', [{ id: 1, customer: '4711', address: 'Oak Road 1' }])
const rows = await sql.query('orders', 'SELECT * FROM orders')
console.log(JSON.stringify(rows.map(({ address, address_term }) => [address, address_term === null])))
await database.close()
opened.close()
END
node erase.ts write
postern vault erase 4711 --yes --vault erase.json
node erase.ts read
`

/** Kysely and Drizzle with the adapters, as the page names them. */
const ORMS = `
cat > orms.ts <<'END'
import { DatabaseSync } from 'node:sqlite'
import { LocalKeys, Vault } from '@postern/vault'
import { kyselyVault, sealedColumn } from '@postern/vault/orm'
import { drizzle } from 'drizzle-orm/sqlite-proxy'
import { customType, integer, sqliteTable } from 'drizzle-orm/sqlite-core'
import { Kysely, SqliteDialect } from 'kysely'

const vault = new Vault({
  tables: { people: { key: ['id'], columns: { email: { mode: 'local' } } } },
  local: LocalKeys.generate(),
})
const file = new DatabaseSync(':memory:')
file.exec('CREATE TABLE people (id INTEGER PRIMARY KEY, email BLOB)')
const dialect = new SqliteDialect({
  database: {
    close: () => {},
    prepare: text => {
      const statement = file.prepare(text)
      return {
        reader: /^select/i.test(text),
        all: values => statement.all(...values),
        run: values => statement.run(...values),
        iterate: values => statement.iterate(...values),
      }
    },
  },
})
const db = new Kysely({ dialect, plugins: [kyselyVault(vault, ['people'])] })
await db.insertInto('people').values(await vault.sealRows('people', [{ id: 1, email: 'kay@example.com' }])).execute()
console.log('kysely', (await db.selectFrom('people').selectAll().execute())[0].email)
await db.insertInto('people').values([{ id: 2, email: 'plain@example.com' }]).execute().catch(error => console.log('kysely', error.code))

const people = sqliteTable('people', {
  id: integer('id').primaryKey(),
  email: customType(sealedColumn('people.email'))('email'),
})
const drizzled = drizzle(async (text, values, method) => {
  const statement = file.prepare(text)
  if (method === 'run') return { rows: [], ...statement.run(...values) }
  return { rows: statement.all(...values).map(row => Object.values(row)) }
})
await drizzled.insert(people).values(await vault.sealRows('people', [{ id: 3, email: 'dee@example.com' }]))
const rows = await drizzled.select().from(people)
console.log('drizzle', (await vault.openRows('people', rows)).at(-1).email)
await drizzled.insert(people).values({ id: 4, email: 'plain@example.com' }).catch(error => console.log('drizzle', error.code ?? error.cause?.code))
console.log('rows', file.prepare('SELECT count(*) AS count FROM people').get().count)
END
node orms.ts
`

/** What the commands print, in their order. */
const PRINTED = [
  'carol@example.com',
  '2 values rewritten',
  'holder 3  up',
  'dan@example.com',
  'mallory@example.com',
  'on each holder, with its own configuration',
  'holder 2 has the part it shares with this one, of epochs [0]',
  'values opened',
  'again dan@example.com',
  '[["Oak Road 1",false]]',
  'erased: no record of this subject opens any more',
  '[[null,true]]',
  'kysely kay@example.com',
  'kysely POSTERN_CONFIG',
  'drizzle dee@example.com',
  'drizzle POSTERN_CONFIG',
  'rows 2',
]

/**
 * Follows the pages on the vault, as printed, with the packages that a folder has installed: a table with
 * rows in SQLite, one column with a key file, the rows that are there, three holders, and the column in mode
 * split; a canary, a lost holder, exposure, erasing a person, and Kysely and Drizzle.
 * @throws Error with what was printed, when a command fails or a value stays plain
 */
export async function tryVault(project: string, env: Readonly<Record<string, string>>): Promise<void> {
  const folder = join(project, 'vault')
  mkdirSync(folder)
  const database = new DatabaseSync(join(folder, 'shop.db'))
  database.exec(`
    CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT, address TEXT, address_term BLOB);
    CREATE TABLE customers (id INTEGER PRIMARY KEY, email TEXT);
    INSERT INTO customers VALUES (1, 'anne@example.com'), (2, 'bob@example.com')`)
  database.close()
  for (const name of ['kysely', 'drizzle-orm'])
    symlinkSync(join(root, 'node_modules', name), join(project, 'node_modules', name))
  const pages = PAGES.map(page => readFileSync(join(root, page), 'utf8')).join('\n')
  const ports = await freePorts()
  const scriptOf = (text: string): string => {
    let script = ''
    for (const [, kind = '', block = ''] of text.matchAll(BLOCK)) {
      if (kind === 'sh') script += `${block.replace(PAGE_PORT, ports)}\n`
      else if (kind === 'ts') {
        writeFileSync(join(folder, 'use.ts'), block)
        script += 'node use.ts\n'
      } else script += `cat > vault.json <<'END'\n${block}END\n`
    }
    return script
  }
  const sections = (headings: readonly string[]): readonly string[] =>
    headings.map(heading => scriptOf(sectionOf(pages, heading)))
  const script = ['set -e', ...sections(SET_UP), SPLIT, ...sections(AFTER), AGAIN, ERASE, ORMS]
  const printed = await finished(folder, script.join('\n'), {
    ...env,
    DATABASE_URL: 'shop.db',
    PATH: `${join(project, 'node_modules', '.bin')}:${env['PATH']}`,
  })
  let at = 0
  for (const expected of PRINTED) {
    const found = printed.indexOf(expected, at)
    if (found < 0) throw new Error(`the vault's pages did not print "${expected}" in its place:\n${printed}`)
    at = found + expected.length
  }
  const sealed = new DatabaseSync(join(folder, 'shop.db'))
  const rows = sealed.prepare('SELECT email FROM customers').all()
  sealed.close()
  if (rows.length !== 5 || !rows.every(({ email }) => String(email).startsWith('pv1.')))
    throw new Error(`the vault's pages left ${rows.length} rows, not all of them sealed:\n${printed}`)
}

/** The text below a heading of the pages. */
function sectionOf(pages: string, heading: string): string {
  const [, text] = pages.split(`\n## ${heading}\n`)
  if (text === undefined) throw new Error(`the vault's pages have no section "${heading}"`)
  return text.split('\n## ', 1).join('')
}

/** What a script printed. Whatever it started ends with it. */
async function finished(cwd: string, script: string, env: Readonly<Record<string, string>>): Promise<string> {
  const child = spawn('sh', ['-c', script], { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  let printed = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      printed += chunk.toString()
    })
  const end = (signal: NodeJS.Signals): void => {
    try {
      process.kill(-(child.pid ?? 0), signal)
    } catch {
      // Nothing of the group is left.
    }
  }
  const late = setTimeout(() => end('SIGKILL'), PATIENCE_MS)
  const closed = once(child, 'close')
  const [code] = (await once(child, 'exit')) as [number | null]
  clearTimeout(late)
  end('SIGTERM')
  await closed
  if (code === 0) return printed
  throw new Error(`the vault's pages: a command ended with ${code}:\n${printed}`)
}

/**
 * What replaces `947`, so that the three ports of this run are free. They lie below those that the system
 * gives to outgoing connections.
 */
async function freePorts(): Promise<string> {
  for (let base = 1_100 + (process.pid % 2_000); base < 3_200; base++) {
    const isFree = await Promise.all([1, 2, 3].map(n => canListen(base * 10 + n)))
    if (!isFree.includes(false)) return `${base}`
  }
  throw new Error('no three free ports in a row')
}

function canListen(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
}
