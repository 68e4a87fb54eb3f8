import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { SOURCE_FLAGS } from '../../../test/source-flags.ts'
import { measureExposure } from '../src/exposure/exposure.ts'
import { LocalKeys } from '../src/local/local-keys.ts'
import { SplitKeys } from '../src/split/split-keys.ts'
import { Vault } from '../src/table/vault.ts'
import { HolderProcesses } from './support/holder-processes.ts'
import { memoryImage } from './support/memory-image.ts'
import { place } from './support/split-records.ts'

const RECORDS = 40
/** Rows that the application opens before its memory is read. */
const OPENED = 10
const PROGRAM = fileURLToPath(new URL('support/memory-program.ts', import.meta.url))

const folder = mkdtempSync(join(tmpdir(), 'exposure-memory-'))
after(() => rmSync(folder, { recursive: true }))

/** What the memory of an application that has opened some rows gives, with the holders out of reach. */
async function stolenMemory(test: TestContext, vault: Vault, setting: object): Promise<number | undefined> {
  const loot = mkdtempSync(join(folder, 'loot-'))
  const rows = (await vault.sealRows(
    'customers',
    Array.from({ length: RECORDS }, (_, id) => ({ id, email: `customer${id}@example.com` })),
  )) as { id: number; email: string }[]
  const file = join(folder, 'setting.json')
  writeFileSync(file, JSON.stringify({ ...setting, rows: rows.slice(0, OPENED) }), { mode: 0o600 })
  const child: ChildProcess = spawn(process.execPath, [...SOURCE_FLAGS, PROGRAM, file], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  try {
    const [said] = (await once(child.stdout as NonNullable<typeof child.stdout>, 'data')) as [Buffer]
    assert.equal(said.toString(), `opened ${OPENED}\n`)
    if (memoryImage(child.pid ?? 0, join(loot, 'core')) === undefined) {
      test.skip('this system does not let a parent read the memory of its child')
      return undefined
    }
  } finally {
    child.kill('SIGKILL')
  }
  const { opened, ways } = await measureExposure({
    values: rows.map(({ id, email }) => ({ context: place(id), value: email })),
    folders: [loot],
    environment: {},
  })
  assert.deepEqual(
    Object.keys(ways).filter(way => way !== 'key in the loot'),
    [],
  )
  return opened
}

const tables = (mode: 'local' | 'split') =>
  ({
    customers: { key: ['id'], columns: { email: { mode, storage: 'text' } } },
  }) as const

describe('the memory of an application, holders out of reach', () => {
  it('opens every record in mode local: the one key is in it', async test => {
    const local = LocalKeys.generate()
    const vault = new Vault({ tables: tables('local'), local })
    const opened = await stolenMemory(test, vault, { keys: local.format() })
    if (opened !== undefined) assert.equal(opened, RECORDS)
  })

  it('opens no record in mode split but those that it had opened itself', async test => {
    const holders = await HolderProcesses.start()
    try {
      const split = new SplitKeys({ links: await holders.links() })
      const opened = await stolenMemory(test, new Vault({ tables: tables('split'), split }), {
        app: holders.app,
        addresses: { 1: holders.address(1), 2: holders.address(2), 3: holders.address(3) },
      })
      split.close()
      if (opened !== undefined) assert.ok(opened <= OPENED, `${opened} records opened`)
      test.diagnostic(`${opened} of the ${OPENED} records that were opened still had their key in memory`)
    } finally {
      await holders.stop()
      rmSync(holders.folder, { recursive: true })
    }
  })
})
