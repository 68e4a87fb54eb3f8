import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, it } from 'node:test'
import { systemRandom } from '@postern/core'
import { HolderCore, type HolderCoreOptions } from '../src/holder/holder-core.ts'
import { HolderStore } from '../src/holder/holder-store.ts'
import { restoreHolder } from '../src/holder/restore-holder.ts'
import { unlockKey } from '../src/holder/unlock.ts'
import { packed, testHolders } from './support/holders.ts'
import { item, refusedAs } from './support/requests.ts'

const folder = mkdtempSync(join(tmpdir(), 'vault-backup-'))
after(() => rmSync(folder, { recursive: true }))
const INTEGRITY = { code: 'POSTERN_INTEGRITY' }
const UNLOCK = { kind: 'passphrase', passphrase: 'correct horse' } as const

/** A backup as an honest holder made it, and then changed. */
async function forged(name: string, sql: string): Promise<string> {
  const [data, backup] = [join(folder, `${name}.db`), join(folder, `${name}.backup`)]
  const store = HolderStore.open(data)
  store.setSettings({ id: Uint8Array.of(1) })
  const kek = await unlockKey(store, UNLOCK, systemRandom)
  store.addPart(0, 'b', systemRandom.bytes(32), kek)
  await store.backup(backup)
  store.close()
  const file = new DatabaseSync(backup)
  file.exec(sql)
  file.close()
  return backup
}

/** What opens with a file that was put in place by hand, or undefined when the holder does not start. */
function openedWith(backup: string): number {
  const data = `${backup}.in-place`
  copyFileSync(backup, data)
  const holders = testHolders({ budgets: { person: 4, service: 4, served: 4, table: 4, all: 4 } })
  const option = holders.options[0] as HolderCoreOptions
  let opened = 0
  for (let life = 0; life < 5; life++) {
    const journal = HolderStore.open(data)
    try {
      const closedUntil = journal.closedUntil(holders.clock.now(), holders.policy.window)
      const core = new HolderCore({ ...option, journal, closedUntil })
      for (let row = 0; row < 4; row++) {
        const answer = core.answer('app', { op: 'open', items: packed([item(life * 10 + row)]) })
        if (refusedAs(answer) === undefined) opened++
      }
    } finally {
      journal.close()
    }
  }
  return opened
}

describe('who can change the backup of a holder before it is restored', () => {
  const attacks: Readonly<Record<string, string>> = {
    'takes the mark that it is a copy away with a trigger':
      "CREATE TRIGGER t AFTER INSERT ON setting WHEN NEW.name = 'closed.until' BEGIN UPDATE setting SET value = '0' WHERE name = 'closed.until'; END",
    'has a trigger delete every budget as it is counted':
      "DELETE FROM setting WHERE name = 'copy'; CREATE TRIGGER t AFTER INSERT ON opened BEGIN DELETE FROM opened; END",
    'has a trigger delete capabilities as they are used':
      'CREATE TRIGGER t AFTER INSERT ON used BEGIN DELETE FROM used; END',
    'puts a view in place of a table': 'DROP TABLE canary; CREATE VIEW canary AS SELECT 1 AS record',
    'adds a table': 'CREATE TABLE own (a TEXT)',
    'declares a table in another way':
      'DROP TABLE frozen; CREATE TABLE frozen (actor TEXT PRIMARY KEY ON CONFLICT IGNORE, reason TEXT, time REAL)',
    'adds an index': 'CREATE UNIQUE INDEX one_only ON opened (service)',
  }
  for (const [name, sql] of Object.entries(attacks))
    it(`${name}: the file is refused`, async () => {
      const backup = await forged(name.replaceAll(' ', '-'), sql)
      assert.throws(() => openedWith(backup), INTEGRITY)
      const data = join(folder, 'restored.db')
      assert.throws(() => restoreHolder(backup, data, 1), INTEGRITY)
    })

  it('takes away what unlocks it: nothing is written over, and the key that unlocked it is not replaced', async () => {
    for (const names of ["'unlock'", "'unlock.kind'", "'unlock', 'unlock.kind'"]) {
      const name = `unlock-${names.replaceAll(/\W/g, '')}`
      const store = HolderStore.open(await forged(name, `DELETE FROM setting WHERE name IN (${names})`))
      const before = store.setting('unlock')
      await assert.rejects(unlockKey(store, UNLOCK, systemRandom), INTEGRITY)
      assert.deepEqual(store.setting('unlock'), before)
      store.close()
    }
  })
})
