// Attacks by names, numbers and bytes that look like others, and on what one call leaves behind for the next.
// Each is a test of one sentence of docs/vault-threat-model.md.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { openSqlite } from '@postern/store'
import type { HolderCore } from '../src/holder/holder-core.ts'
import { HolderCore as Core } from '../src/holder/holder-core.ts'
import { HolderStore } from '../src/holder/holder-store.ts'
import { LocalKeys } from '../src/local/local-keys.ts'
import { open, seal } from '../src/local/local-record.ts'
import { sqliteClient } from '../src/sql/sqlite-client.ts'
import { VaultSql } from '../src/sql/vault-sql.ts'
import { Vault } from '../src/table/vault.ts'
import { packed, TestPerson, testHolders } from './support/holders.ts'
import { context, item, named, refusedAs } from './support/requests.ts'

const folder = mkdtempSync(join(tmpdir(), 'vault-names-'))
after(() => rmSync(folder, { recursive: true }))

const coreOf = (holders: ReturnType<typeof testHolders>): HolderCore => holders.cores[0] as HolderCore
const place = (row: string) => ({ tenant: '', table: 'notes', column: 'body', row: [row], version: 0 })
const localVault = (type: 'json' | 'bytes' | 'text' = 'text') =>
  new Vault({
    tables: { notes: { key: ['id'], columns: { body: { mode: 'local', type } } } },
    local: LocalKeys.generate(),
  })

describe('who chooses names', () => {
  it('calls a table __proto__: its records are counted like others, also over a restart', () => {
    const holders = testHolders()
    const path = join(folder, 'holder.db')
    const options = holders.options[0]
    assert.ok(options)
    const request = { op: 'open', items: packed([item(1, '__proto__'), item(2, 'constructor')]) }
    for (const life of [1, 2]) {
      const store = HolderStore.open(path)
      const core = new Core({ ...options, journal: store })
      if (life === 1) assert.equal(refusedAs(core.answer('app', request)), undefined)
      assert.deepEqual(
        ['all', 'table __proto__', 'table constructor'].map(scope => core.used(scope)),
        [2, 1, 1],
      )
      store.close()
    }
  })

  it('is a service called as what every object has: it is a stranger', () => {
    const core = coreOf(testHolders())
    for (const name of ['__proto__', 'constructor', 'toString', ''])
      assert.equal(refusedAs(core.answer(name, { op: 'ping' })), 'forbidden')
  })

  it('writes a table in other letters, with more behind it, or with a dot moved: no right covers it', () => {
    const services = { app: { seal: [], open: ['customers.*', 'shop.notes.body'], search: [] } }
    const core = coreOf(testHolders({ services }))
    const ask = (table: string, column: string) =>
      refusedAs(core.answer('app', { op: 'open', items: packed([item(1, table, column)]) }))
    assert.equal(ask('customers', 'email'), undefined)
    assert.equal(ask('shop.notes', 'body'), undefined)
    for (const [table, column] of [
      ['Customers', 'email'],
      ['customers_old', 'email'],
      ['customers.email', 'x'],
      ['customers ', 'email'],
      ['shop', 'notes.body'],
    ] as const)
      assert.equal(ask(table, column), 'forbidden', `${table} ${column}`)
  })

  it('names the column * in a capability: it names no column', () => {
    const holders = testHolders()
    const anne = new TestPerson('anne', holders.enroller, holders.clock)
    const all = named(1).map(record => ({ ...record, columns: ['*', 'e*', ''] }))
    const body = { op: 'open', items: packed([item(1)]), capability: anne.capability(all) }
    assert.equal(refusedAs(coreOf(holders).answer('app', body)), 'capability')
  })

  it('composes an accent the other way: it is another row, and the value does not open there', () => {
    const keys = LocalKeys.generate()
    const sealed = seal(keys, place('Ren\u00e9'), Buffer.from('secret'))
    assert.equal(open(keys, place('Ren\u00e9'), sealed).toString(), 'secret')
    assert.throws(() => open(keys, place('Rene\u0301'), sealed), { code: 'POSTERN_INTEGRITY' })
  })

  it('gives a number that stands for two rows as a key: it is refused', async () => {
    const vault = localVault()
    for (const id of [2 ** 53, 1.5, Number.NaN, -0.5, { toString: () => '1' }, ['1'], true])
      await assert.rejects(vault.sealRows('notes', [{ id, body: 'secret' }]), { code: 'POSTERN_CONFIG' })
  })

  it('adds a column to a form whose name is SQL: nothing is written, and the table stands', async () => {
    const database = openSqlite({ path: ':memory:' })
    after(() => database.close())
    database.db.exec('CREATE TABLE notes (id INTEGER PRIMARY KEY, body BLOB)')
    const sql = new VaultSql(sqliteClient(database), localVault())
    const name = 'body") VALUES (1, 1); DROP TABLE notes; --'
    await assert.rejects(sql.insert('notes', [{ id: 1, body: 'secret', [name]: 1 }]), (error: Error) => {
      assert.match(error.message, /is not a plain table or column name/)
      assert.ok(!error.message.includes('secret'))
      return true
    })
    assert.equal(database.db.prepare('SELECT count(*) AS n FROM notes').get()?.['n'], 0)
  })
})

describe('who writes the same thing in another way', () => {
  it('sets the bits of base64url that carry nothing: it is the same record, counted once', () => {
    const core = coreOf(testHolders())
    // A batch whose length is not a multiple of three leaves bits over in its last character.
    const batch = [1, 2, 3].map(row => packed([{ ...item(row), context: context('9'.repeat(row)) }]))
    const items = batch.find(text => text.length % 4 !== 0) ?? ''
    assert.notEqual(items, '')
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const last = alphabet[alphabet.indexOf(items.at(-1) ?? '') ^ 1] ?? ''
    const variant = items.slice(0, -1) + last
    assert.ok(Buffer.from(items, 'base64url').equals(Buffer.from(variant, 'base64url')))
    const answers = [items, variant].map(text => core.answer('app', { op: 'open', items: text }))
    assert.deepEqual(answers[0], answers[1])
    assert.equal(core.used('service app'), 1)
  })

  it('has himself enrolled with another key after he was frozen: he is who he is', () => {
    const holders = testHolders()
    const core = coreOf(holders)
    core.freeze('person anne', 'test')
    for (const row of [1, 2]) {
      const capability = new TestPerson('anne', holders.enroller, holders.clock).capability(named(row))
      assert.equal(
        refusedAs(core.answer('app', { op: 'open', items: packed([item(row)]), capability })),
        'frozen',
      )
    }
  })

  it('asks for a search term over the bytes of a record: no output of one is an output of the other', () => {
    const core = coreOf(testHolders())
    const salt = Buffer.alloc(16, 3)
    const record = { context: { ...place('*'), table: 'customers', column: 'email' }, epoch: 0 }
    const opened = core.answer('app', {
      op: 'open',
      items: packed([{ ...record, salt: salt.toString('base64url') }]),
    })
    const searched = core.answer('app', {
      op: 'term',
      tenant: '',
      table: 'customers',
      column: 'email',
      epoch: 0,
      purpose: 'search',
      digests: [Buffer.concat([salt, Buffer.alloc(16)]).toString('base64url')],
    })
    const outputs = [opened, searched].flatMap(answer =>
      'parts' in answer ? Object.values(answer.parts) : [],
    )
    assert.equal(outputs.length, 4)
    assert.equal(new Set(outputs).size, 4)
  })

  it('blinds a password with no group element, or with the identity: it costs a guess and gives nothing', () => {
    const core = coreOf(testHolders({ guesses: 4 }))
    const ask = (blinded: Buffer) =>
      refusedAs(
        core.answer('app', { op: 'harden', user: 'anne', epoch: 0, blinded: blinded.toString('base64url') }),
      )
    assert.equal(ask(Buffer.alloc(32)), 'malformed')
    assert.equal(ask(Buffer.alloc(32, 0xff)), 'malformed')
    assert.equal(ask(Buffer.concat([Buffer.from([1]), Buffer.alloc(31)])), 'malformed')
    assert.equal(ask(Buffer.alloc(32)), 'budget')
  })
})

describe('who looks at what a call leaves behind', () => {
  it('keeps what he was given and changes it: records and values of others are not in the same memory', () => {
    const keys = LocalKeys.generate()
    const records = [1, 2, 3].map(row => seal(keys, place(`${row}`), Buffer.from(`secret ${row}`)))
    const values = records.map((record, index) => open(keys, place(`${index + 1}`), record))
    assert.deepEqual(values.map(String), ['secret 1', 'secret 2', 'secret 3'])
    assert.equal(new Set([...records, ...values].map(({ buffer }) => buffer)).size, 6)
    values[0]?.fill(0)
    records[1]?.fill(0)
    assert.equal(String(open(keys, place('3'), records[2] ?? Buffer.alloc(0))), 'secret 3')
    assert.equal(String(values[2]), 'secret 3')
  })

  it('changes one byte after the other: every refusal is the same sentence, wherever the byte was', () => {
    const keys = LocalKeys.generate()
    const sealed = seal(keys, place('1'), Buffer.from('secret'))
    const sentences = new Set<string>()
    // Salt, commitment, ciphertext and tag; the four bytes before them are refused as no record.
    for (let at = 4; at < sealed.length; at++) {
      const changed = Buffer.from(sealed)
      changed[at] = (changed[at] ?? 0) ^ 1
      assert.throws(
        () => open(keys, place('1'), changed),
        (error: Error) => {
          sentences.add(error.message)
          return true
        },
      )
    }
    assert.equal(sentences.size, 1)
  })

  it('seals JSON that names __proto__: it comes back as a value and changes no other object', async () => {
    const vault = localVault('json')
    const body = JSON.parse('{"__proto__":{"isAdmin":true}}') as object
    const [row] = await vault.openRows('notes', await vault.sealRows('notes', [{ id: 1, body }]))
    assert.equal(JSON.stringify(row?.['body']), '{"__proto__":{"isAdmin":true}}')
    assert.equal((row?.['body'] as { isAdmin?: boolean } | undefined)?.isAdmin, undefined)
    assert.equal(({} as { isAdmin?: boolean }).isAdmin, undefined)
  })
})
