import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, it } from 'node:test'
import type { ConfigError } from '@postern/core'
import { connectPostgres } from '@postern/store'
import { LocalKeys, openVault } from '@postern/vault'
import { freshDatabase } from '../../../test/services.ts'
import { inProcess } from './in-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-vault-commands-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const run = (...args: readonly string[]) => inProcess(args, folder)
const json = (name: string) =>
  JSON.parse(readFileSync(join(folder, name), 'utf8')) as Readonly<
    Record<string, Readonly<Record<string, { readonly fingerprint: string }>>>
  >
const plain = 'a'.repeat(43)
/** As one in 64 of earlier releases is. */
const hyphened = `-${'b'.repeat(42)}`

describe('the configuration of a holder', () => {
  it('that is cut short, empty or away is an error that names it, for every command', async () => {
    for (const [file, text] of [
      ['cut.json', '{ "id": 1,'],
      ['empty.json', ''],
      ['away.json', undefined],
    ] as const) {
      if (text !== undefined) writeFileSync(join(folder, file), text)
      for (const args of [
        ['fingerprint', file],
        ['ask', file, 'status'],
        ['replace', file, '2'],
        ['restore', file, 'backup.db'],
        ['run', file, '--key-file', 'holder.key'],
      ]) {
        const { code, stderr } = await run('holder', ...args)
        assert.equal(code, 2, `${args.join(' ')}: ${stderr}`)
        assert.match(
          stderr,
          new RegExp(`${file.replace('.', '\\.')}: (?:is not JSON|there is no such file|does not exist)`),
        )
      }
    }
  })
})

describe('a fingerprint on a command line', () => {
  it('may begin with a hyphen, as an option or after --', async () => {
    writeFileSync(join(folder, 'holder.json'), '{}')
    writeFileSync(join(folder, 'vault.json'), '{}')
    const given: readonly (readonly string[])[] = [
      [plain],
      [`--fingerprint=${hyphened}`],
      ['--fingerprint', hyphened],
      ['--', hyphened],
    ]
    for (const last of given) {
      const [before, after] = last[0] === '--' ? [['--'], last.slice(1)] : [[], last]
      const expected = last.some(text => text.includes(hyphened)) ? hyphened : plain
      const address = '127.0.0.1:9472'
      for (const args of [
        ['holder', 'add-peer', ...before, 'holder.json', '2', address, ...after],
        ['holder', 'add-service', ...before, 'holder.json', 'shop', ...after],
        ['vault', 'add-holder', ...before, '2', address, ...after],
      ]) {
        const { code, stderr } = await run(...args)
        assert.equal(code, 0, `${args.join(' ')}: ${stderr}`)
      }
      assert.equal(json('holder.json')['peers']?.['2']?.fingerprint, expected)
      assert.equal(json('holder.json')['services']?.['shop']?.fingerprint, expected)
      assert.equal(json('vault.json')['holders']?.['2']?.fingerprint, expected)
    }
  })

  it('that was taken for an option is an error that says how to give it', async () => {
    const { code, stderr } = await run('vault', 'add-holder', '2', '127.0.0.1:9472', hyphened)
    assert.equal(code, 2)
    assert.match(stderr, /--fingerprint=-abc, or after --/)
  })

  for (const [name, args, message] of [
    ['missing', [], /is missing/],
    ['cut short', [plain.slice(1)], /not 43 characters/],
    ['given twice', [plain, `--fingerprint=${hyphened}`], /given twice/],
  ] as const)
    it(`that is ${name} is an error, and nothing is written`, async () => {
      writeFileSync(join(folder, 'holder.json'), '{}')
      const { code, stderr } = await run('holder', 'add-service', 'holder.json', 'shop', ...args)
      assert.equal(code, 2)
      assert.match(stderr, message)
      assert.deepEqual(json('holder.json'), {})
    })
})

describe('postern vault rotate', () => {
  it('does not go beside another rotation, whose key would be lost, nor into a file of somebody else', async () => {
    rmSync(join(folder, 'vault.json'), { force: true })
    assert.equal((await run('vault', 'init')).code, 0)
    const file = JSON.parse(readFileSync(join(folder, 'vault.json'), 'utf8')) as object
    writeFileSync(join(folder, 'vault.json'), JSON.stringify({ ...file, database: 'rows.db' }))
    const keys = join(folder, 'vault.keys')
    const before = readFileSync(keys, 'utf8')
    writeFileSync(`${keys}.new`, 'of somebody else', { mode: 0o644 })
    const refused = await run('vault', 'rotate')
    assert.equal(refused.code, 2)
    assert.match(refused.stderr, /vault\.keys\.new: already exists/)
    assert.equal(readFileSync(`${keys}.new`, 'utf8'), 'of somebody else')
    assert.equal(readFileSync(keys, 'utf8'), before)
    rmSync(`${keys}.new`)
    assert.equal((await run('vault', 'rotate')).code, 0)
    assert.deepEqual([existsSync(`${keys}.new`), statSync(keys).mode & 0o777], [false, 0o600])
  })

  it('that was interrupted is finished by the next one, with the key that it had made', async () => {
    const keys = join(folder, 'vault.keys')
    const made = LocalKeys.read(keys).rotated()
    writeFileSync(`${keys}.new`, made.format(), { mode: 0o600 })
    assert.equal((await run('vault', 'rotate')).code, 0)
    assert.ok(LocalKeys.read(keys).equals(made))
    // Half of it, or one of other keys, is not such a file.
    for (const text of ['', made.rotated().format().slice(0, -30), LocalKeys.generate().rotated().format()]) {
      writeFileSync(`${keys}.new`, text, { mode: 0o600 })
      assert.match((await run('vault', 'rotate')).stderr, /already exists/)
      rmSync(`${keys}.new`)
    }
    assert.ok(LocalKeys.read(keys).equals(made))
  })

  it('leaves nothing behind where the key file cannot be read', async () => {
    const keys = join(folder, 'vault.keys')
    chmodSync(keys, 0o644)
    assert.match((await run('vault', 'rotate')).stderr, /can be read by other users/)
    chmodSync(keys, 0o600)
    assert.equal(existsSync(`${keys}.new`), false)
  })

  it('replaces the file behind a link, and leaves it to the account that had it', async () => {
    const keys = join(folder, 'vault.keys')
    const elsewhere = join(folder, 'elsewhere.keys')
    renameSync(keys, elsewhere)
    symlinkSync(elsewhere, keys)
    // Only root can give a file away: elsewhere it stays with whoever runs the test.
    const owner = process.getuid?.() === 0 ? 65_534 : statSync(elsewhere).uid
    chownSync(elsewhere, owner, statSync(elsewhere).gid)
    assert.equal((await run('vault', 'rotate')).code, 0)
    assert.ok(lstatSync(keys).isSymbolicLink())
    assert.deepEqual([statSync(keys).uid, statSync(keys).mode & 0o777], [owner, 0o600])
    rmSync(keys)
    renameSync(elsewhere, keys)
  })
})

describe('attack: two servers with copies of one key file and one PostgreSQL', () => {
  const servers: string[] = []
  after(() => {
    for (const server of servers) rmSync(server, { recursive: true, force: true })
  })
  const at = (server: number, name = ''): string => join(servers[server] ?? '', name)
  const on = (server: number, ...args: readonly string[]) => inProcess(args, at(server))
  const keysOf = (server: number): LocalKeys => LocalKeys.read(at(server, 'vault.keys'))

  const bothSay = async (server: number, fault: RegExp): Promise<void> => {
    for (const command of [['vault', 'status'], ['doctor']]) {
      const said = await on(server, ...command)
      assert.notEqual(said.code, 0)
      assert.match(said.stdout + said.stderr, fault, command.join(' '))
    }
  }

  it('rotate each for itself: the second is refused, and asked for the key file of the first', async t => {
    const database = await freshDatabase(t)
    for (let i = 0; i < 2; i++) servers.push(mkdtempSync(join(tmpdir(), 'postern-vault-server-')))
    assert.equal((await on(0, 'vault', 'init')).code, 0)
    const file = JSON.parse(readFileSync(at(0, 'vault.json'), 'utf8')) as object
    const columns = { email: { mode: 'local', state: 'dual', storage: 'text' } }
    const tables = { customers: { key: ['id'], columns } }
    writeFileSync(at(0, 'vault.json'), JSON.stringify({ ...file, database, tables }))
    cpSync(at(0), at(1), { recursive: true })

    assert.equal((await on(0, 'vault', 'rotate')).code, 0)
    const refused = await on(1, 'vault', 'rotate')
    assert.equal(refused.code, 2)
    assert.match(refused.stderr, /key 1 is another one than the database knows.*\n.*copy the key file/)
    assert.equal(keysOf(1).current, 0)
    await bothSay(1, /key 1 is missing: another server has made it/)
    // An application opens what it can until the key file is copied, and warns.
    const behind: ConfigError[] = []
    const vaultFile = at(1, 'vault.json')
    ;(await openVault(vaultFile, { onMissingKey: fault => behind.push(fault) })).close()
    assert.equal(behind.length, 1)
    const stale = await on(1, 'vault', 'rewrap', 'customers')
    assert.match(stale.stderr, /key 1 is missing: another server has made it/)
    const next = `${at(1, 'vault.keys')}.new`
    assert.equal(existsSync(next), false)

    cpSync(at(0, 'vault.keys'), at(1, 'vault.keys'))
    const both = await Promise.all([on(0, 'vault', 'rotate'), on(1, 'vault', 'rotate')])
    assert.deepEqual(both.map(({ code }) => code).sort(), [0, 2])
    const winner = both.findIndex(({ code }) => code === 0)
    assert.deepEqual([keysOf(winner).current, keysOf(1 - winner).current], [2, 1])
    // Who rotated before there was a database to ask is found when rows are rewritten.
    writeFileSync(
      at(1 - winner, 'vault.keys'),
      keysOf(1 - winner)
        .rotated()
        .format(),
    )
    const forked = await on(1 - winner, 'vault', 'migrate', 'customers')
    assert.match(forked.stderr, /key 2 is another one than the database knows/)
    await bothSay(1 - winner, /key 2 is another one/)
    // An application says so when it opens the vault, and not when the first record does not open.
    const file2 = at(1 - winner, 'vault.json')
    await assert.rejects(openVault(file2), /key 2 is another one/)
    // The other server's opens; so does one whose database does not answer, or has no vault in it.
    ;(await openVault(at(winner, 'vault.json'))).close()
    for (const elsewhere of ['postgres://127.0.0.1:1/none', await freshDatabase(t), 'none.db']) {
      writeFileSync(file2, JSON.stringify({ ...file, database: elsewhere, tables }))
      ;(await openVault(file2)).close()
    }
    assert.equal(existsSync(at(1 - winner, 'none.db')), false, 'nothing is made')
  })

  it('a SQLite file knows them, too', async () => {
    const server = mkdtempSync(join(tmpdir(), 'postern-vault-server-'))
    servers.push(server)
    assert.equal((await inProcess(['vault', 'init'], server)).code, 0)
    const path = join(server, 'vault.json')
    const file = JSON.parse(readFileSync(path, 'utf8')) as object
    writeFileSync(path, JSON.stringify({ ...file, database: 'rows.db' }))
    ;(await openVault(path)).close()
    assert.equal((await inProcess(['vault', 'rotate'], server)).code, 0)
    ;(await openVault(path)).close()
    writeFileSync(join(server, 'vault.keys'), LocalKeys.generate().rotated().format())
    await assert.rejects(openVault(path), /key \d is another one than the database knows/)
  })
})

function vacuumIn(stderr: string): string {
  return /may still hold the plain values: run (.*?),/.exec(stderr)?.[1] ?? ''
}

describe('postern vault migrate', () => {
  it('says how many values were written plain behind it', async () => {
    rmSync(join(folder, 'vault.json'), { force: true })
    for (const name of ['vault.keys', 'vault.search', 'vault.identity'])
      rmSync(join(folder, name), { force: true })
    assert.equal((await run('vault', 'init')).code, 0)
    const file = JSON.parse(readFileSync(join(folder, 'vault.json'), 'utf8')) as object
    const columns = { email: { mode: 'local', state: 'dual', storage: 'text' } }
    writeFileSync(
      join(folder, 'vault.json'),
      JSON.stringify({ ...file, database: 'late.db', tables: { customers: { key: ['id'], columns } } }),
    )
    const database = new DatabaseSync(join(folder, 'late.db'))
    // A program without the vault, which writes a row for each that the job has passed.
    database.exec(`
      CREATE TABLE customers (id INTEGER PRIMARY KEY, email TEXT);
      INSERT INTO customers VALUES (5, 'anne@example.com');
      CREATE TRIGGER copied AFTER UPDATE ON customers WHEN new.id = 5
        BEGIN INSERT INTO customers VALUES (1, 'copy@example.com'); END;
    `)
    const { code, stdout, stderr } = await run('vault', 'migrate', 'customers')
    assert.equal(code, 0, stderr)
    assert.match(stdout, /^1 row looked at, 2 values rewritten$/m)
    assert.match(
      stderr,
      /1 of them was written in the old form while the job ran\. Find out what still writes so/,
    )
    const stored = database.prepare('SELECT email FROM customers').all()
    assert.ok(stored.every(({ email }) => String(email).startsWith('pv1.')))
    database.close()
    assert.match((await run('vault', 'migrate', 'customers')).stdout, /2 rows looked at, 0 values rewritten/)
  })

  it('prints how SQLite forgets the plain values', async () => {
    const file = JSON.parse(readFileSync(join(folder, 'vault.json'), 'utf8')) as object
    writeFileSync(join(folder, 'vault.json'), JSON.stringify({ ...file, database: 'many.db' }))
    const database = new DatabaseSync(join(folder, 'many.db'))
    database.exec(`
      CREATE TABLE customers (id INTEGER PRIMARY KEY, email TEXT);
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
        INSERT INTO customers SELECT i, 'anne' || i || '@example.com' FROM n;
    `)
    const { stderr } = await run('vault', 'migrate', 'customers')
    const holdsPlain = (): boolean => readFileSync(join(folder, 'many.db')).includes('@example.com')
    assert.ok(holdsPlain())
    database.exec(vacuumIn(stderr))
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    assert.ok(!holdsPlain())
    database.close()
  })

  it('prints how PostgreSQL forgets the plain values, for a table in capitals too', async t => {
    const url = await freshDatabase(t)
    const file = JSON.parse(readFileSync(join(folder, 'vault.json'), 'utf8')) as object
    const columns = { email: { mode: 'local', state: 'dual', storage: 'text' } }
    writeFileSync(
      join(folder, 'vault.json'),
      JSON.stringify({ ...file, database: url, tables: { Order: { key: ['id'], columns } } }),
    )
    const database = connectPostgres({ url })
    await database.query('CREATE TABLE "Order" (id int PRIMARY KEY, email text)', [])
    await database.query(`INSERT INTO "Order" VALUES (5, 'anne@example.com')`, [])
    const { code, stderr } = await run('vault', 'migrate', 'Order')
    assert.equal(code, 0, stderr)
    assert.equal(vacuumIn(stderr), 'VACUUM FULL "Order"')
    await database.query(vacuumIn(stderr), [])
    await database.close()
  })
})

describe('postern vault canary', () => {
  it('names no place that holders are never asked for', async () => {
    const file = {
      tables: {
        customers: {
          key: ['id'],
          columns: { email: { mode: 'split' }, note: { mode: 'held' }, city: { mode: 'local' } },
        },
        orders: { key: ['region', 'id'], tenant: 'shop', columns: { address: { mode: 'split' } } },
      },
    }
    writeFileSync(join(folder, 'vault.json'), JSON.stringify(file))
    for (const [args, message] of [
      [['customers', 'emial', '666'], /customers\.columns\.emial: is not declared/],
      [['customer', 'email', '666'], /is not declared/],
      [['constructor', 'name', '666'], /is not declared/],
      [['customers', 'note', '666'], /is of mode held/],
      [['customers', 'city', '666'], /is of mode local/],
      [['customers', 'email', '6', '66'], /has 1 values, and 2 were given/],
      [['customers', 'email', '666', '--tenant', 'acme'], /without tenants/],
      [['orders', 'address', 'eu', '666'], /with tenants/],
      [['orders', 'address', '666', '--tenant', 'acme'], /has 2 values, and 1 were given/],
    ] as const) {
      const { code, stderr } = await run('vault', 'canary', ...args)
      assert.equal(code, 2, args.join(' '))
      assert.match(stderr, message)
    }
    const { code, stdout } = await run(
      'vault',
      'canary',
      'orders',
      'address',
      'eu',
      '666',
      '--tenant',
      'acme',
    )
    assert.equal(code, 0)
    assert.match(stdout, /"tenant":"acme","table":"orders","column":"address","row":\["eu","666"\]/)
  })

  it('names the row as the table stores it, and none that is not there', async t => {
    const database = await freshDatabase(t)
    const postgres = connectPostgres({ url: database })
    const id = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'
    try {
      await postgres.query('CREATE TABLE orders (id UUID, shop TEXT, address BYTEA, PRIMARY KEY (id))')
      await postgres.query('INSERT INTO orders VALUES ($1, $2)', [id, 'acme'])
    } finally {
      await postgres.close()
    }
    const tables = { orders: { key: ['id'], tenant: 'shop', columns: { address: { mode: 'split' } } } }
    writeFileSync(join(folder, 'vault.json'), JSON.stringify({ tables, database }))
    const canary = (key: string, shop: string) =>
      run('vault', 'canary', 'orders', 'address', key, '--tenant', shop)
    const found = await canary(id.toUpperCase(), 'acme')
    assert.equal(found.code, 0, found.stderr)
    assert.match(found.stdout, new RegExp(`"row":\\["${id}"\\]`))
    assert.match((await canary(id.replace('a', 'b'), 'acme')).stderr, /orders: has no row/)
    assert.match((await canary(id, 'other')).stderr, /in another tenant/)
  })
})
