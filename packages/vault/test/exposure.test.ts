import assert from 'node:assert/strict'
import { createCipheriv, randomBytes } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { measureExposure, type StolenValue } from '../src/exposure/exposure.ts'
import { LocalKeys } from '../src/local/local-keys.ts'
import { seal } from '../src/local/local-record.ts'
import { generateSigningKey, seedOf } from '../src/primitive/ed25519.ts'
import { HmacKey } from '../src/primitive/hmac-key.ts'
import { encodeContext, type RecordContext } from '../src/record/record-context.ts'
import { recordPrf } from '../src/record/record-keys.ts'
import { sealRecord } from '../src/record/seal-record.ts'
import type { HolderId } from '../src/split/part.ts'
import { SplitKeys } from '../src/split/split-keys.ts'
import { HolderProcesses } from './support/holder-processes.ts'

const BUDGET = 12
/** What the service opens for people, together. */
const SERVED = 8
const RECORDS = 40

const context = (row: number, column: string): RecordContext => ({
  tenant: '',
  table: 'customers',
  column,
  row: [`${row}`],
  version: 0,
})
const rows = Array.from({ length: RECORDS }, (_, row) => row)
const text = (row: number): Buffer => Buffer.from(`customer ${row} <customer${row}@example.com>`)

const enroller = generateSigningKey()
let holders: HolderProcesses
let split: readonly StolenValue[]
const disk = mkdtempSync(join(tmpdir(), 'exposure-disk-'))

before(async () => {
  holders = await HolderProcesses.start({
    budgets: { service: BUDGET, served: SERVED },
    enrollers: [enroller.publicKey.toString('base64url')],
  })
  const keys = new SplitKeys({ links: await holders.links() })
  const contexts = rows.map(row => context(row, 'email'))
  const made = await keys.seal(contexts)
  split = contexts.map((place, index) => {
    const { recordKey, salt, epoch } = made[index] as (typeof made)[number]
    const value = sealRecord({
      recordKey,
      salt,
      epoch,
      mode: 'split',
      context: encodeContext(place),
      plaintext: text(index),
    })
    return { context: place, value }
  })
  keys.close()
  // The application's disk has all that the application has: its TLS identity, and where the holders are.
  writeFileSync(join(disk, 'app.pem'), holders.app.privateKey + holders.app.certificate)
  writeFileSync(
    join(disk, 'vault.json'),
    JSON.stringify([1, 2, 3].map(id => holders.address(id as HolderId))),
  )
})
after(async () => {
  await holders.stop()
  for (const folder of [holders.folder, disk]) rmSync(folder, { recursive: true })
})

/** A whole holder as a thief carries it off: its file and the key file beside it. */
function steal(...ids: readonly HolderId[]): string {
  const loot = join(disk, '..', `exposure-holder-${ids.join('')}-${process.pid}`)
  rmSync(loot, { recursive: true, force: true })
  mkdirSync(loot)
  for (const id of ids) {
    for (const suffix of ['', '-wal', '-shm'])
      if (existsSync(holders.data(id) + suffix))
        copyFileSync(holders.data(id) + suffix, join(loot, `holder-${id}.db${suffix}`))
    copyFileSync(join(holders.folder, `key-${id}`), join(loot, `key-${id}`))
  }
  return loot
}

const environment = { DATABASE_URL: 'postgres://app:hunter22@db/shop', NODE_ENV: 'production' }

describe('what a thief opens with dump, application disk, environment and one whole holder', () => {
  it('0 from split while the holders are out of reach', async () => {
    for (const id of [1, 2, 3] as const) {
      const loot = steal(id)
      const exposure = await measureExposure({ values: split, folders: [disk, loot], environment })
      rmSync(loot, { recursive: true })
      assert.deepEqual(exposure, { total: RECORDS, opened: 0, ways: {}, refused: 0 })
    }
  })

  it('the same, file by file, as in the folder that they lie in', async () => {
    const loot = steal(1, 2)
    const folders = readdirSync(loot).map(name => join(loot, name))
    const exposure = await measureExposure({ values: split, folders, environment: {} })
    const whole = await measureExposure({ values: split, folders: [loot], environment: {} })
    rmSync(loot, { recursive: true })
    assert.deepEqual([exposure.opened, exposure], [RECORDS, whole])
  })

  it(`at most 1.5 B an hour from split with the holders in reach (B is ${BUDGET})`, async () => {
    const loot = steal(1)
    const links = await holders.links()
    const exposure = await measureExposure({
      values: split,
      folders: [disk, loot],
      environment,
      holders: links,
    })
    for (const link of links) link.close()
    rmSync(loot, { recursive: true })
    assert.equal(exposure.opened, 1.5 * BUDGET)
    assert.deepEqual(exposure.ways, { 'live holders': 18 })
    assert.ok(exposure.refused > 0)
  })

  it(`with the enroller's key too: 1.5 times both budgets, however many people it invents`, async () => {
    const loot = steal(1)
    writeFileSync(join(loot, 'enroller'), seedOf(enroller).toString('base64url'))
    const links = await holders.links()
    const { opened, ways } = await measureExposure({
      values: split,
      folders: [disk, loot],
      environment,
      holders: links,
    })
    for (const link of links) link.close()
    rmSync(loot, { recursive: true })
    // What was counted a moment ago is open to the service for the rest of the hour.
    assert.equal(ways['live holders'], 1.5 * BUDGET)
    assert.equal(opened, 1.5 * (BUDGET + SERVED))
  })

  it('0 from held', async () => {
    const space = new HmacKey('sha256', randomBytes(32))
    const values = rows.map(row => {
      const place = context(row, 'note')
      const encoded = encodeContext(place)
      const salt = randomBytes(16)
      return {
        context: place,
        value: sealRecord({
          recordKey: recordPrf(space, encoded, salt),
          salt,
          epoch: 0,
          mode: 'held',
          context: encoded,
          plaintext: text(row),
        }),
      }
    })
    const loot = steal(2)
    const exposure = await measureExposure({ values, folders: [disk, loot], environment })
    rmSync(loot, { recursive: true })
    assert.equal(exposure.opened, 0)
  })
})

describe('the same thief', () => {
  it('opens everything with two whole holders', async () => {
    const loot = steal(1, 3)
    const exposure = await measureExposure({ values: split, folders: [loot], environment: {} })
    rmSync(loot, { recursive: true })
    assert.deepEqual(exposure, {
      total: RECORDS,
      opened: RECORDS,
      ways: { 'stolen holders': RECORDS },
      refused: 0,
    })
  })

  it('opens everything in mode local, whose key file is on the disk', async () => {
    const path = join(disk, 'local.keys')
    const keys = LocalKeys.create(path)
    const values = rows.map(row => ({
      context: context(row, 'city'),
      value: seal(keys, context(row, 'city'), text(row)),
    }))
    const exposure = await measureExposure({ values, folders: [disk], environment })
    rmSync(path)
    assert.equal(exposure.opened, RECORDS)
  })

  it('opens everything where one key for the column is in the environment', async () => {
    const key = randomBytes(32)
    const values = rows.map(row => {
      const nonce = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', key, nonce)
      const sealed = Buffer.concat([nonce, cipher.update(text(row)), cipher.final(), cipher.getAuthTag()])
      return { context: context(row, 'email'), value: sealed.toString('base64') }
    })
    const exposure = await measureExposure({
      values,
      folders: [disk],
      environment: { ...environment, COLUMN_KEY: key.toString('hex') },
    })
    assert.deepEqual(exposure, {
      total: RECORDS,
      opened: RECORDS,
      ways: { 'key in the loot': RECORDS },
      refused: 0,
    })
  })
})
