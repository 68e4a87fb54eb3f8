// One holder that runs twice on its file: each process would count for itself, and open the budget again.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { StoreError, systemClock, systemRandom } from '@postern/core'
import { parseHolderConfig } from '../src/holder/holder-config.ts'
import { restoreHolder } from '../src/holder/restore-holder.ts'
import { type RunningHolder, startHolder } from '../src/holder/start-holder.ts'
import { EventList } from './support/holders.ts'

const folder = mkdtempSync(join(tmpdir(), 'vault-twice-'))
after(() => rmSync(folder, { recursive: true }))
const key = join(folder, 'key')
writeFileSync(key, Buffer.from(systemRandom.bytes(32)).toString('base64url'), { mode: 0o600 })
const data = join(folder, 'holder.db')

/** Starts the holder of the file. @param name of the operator's socket: a process elsewhere has another */
function start(name: string): Promise<RunningHolder> {
  const config = { id: 1, data, operator: join(folder, name), peers: {}, services: {} }
  return startHolder({
    config: parseHolderConfig(config, 'holder.json'),
    unlock: { kind: 'file', path: key },
    recorder: new EventList(),
    clock: systemClock,
    random: systemRandom,
  })
}

const inUse = (error: unknown): boolean =>
  error instanceof StoreError && /in use by another/.test(error.message)

describe('a holder whose file another process runs', () => {
  it('does not start, under this configuration or another, until that one has ended', async () => {
    const first = await start('first.sock')
    await assert.rejects(start('second.sock'), inUse)
    await assert.rejects(start('first.sock'), inUse)
    await first.close()
    await (await start('second.sock')).close()
  })

  it('is not restored meanwhile', async () => {
    const running = await start('first.sock')
    const backup = join(folder, 'backup.db')
    writeFileSync(backup, '')
    assert.throws(() => restoreHolder(backup, data, 1), inUse)
    await running.close()
  })

  it('gives the right back when it cannot start', async () => {
    await assert.rejects(
      startHolder({
        config: parseHolderConfig(
          { id: 2, data, operator: join(folder, 'wrong.sock'), peers: {}, services: {} },
          'holder.json',
        ),
        unlock: { kind: 'file', path: key },
        recorder: new EventList(),
        clock: systemClock,
        random: systemRandom,
      }),
      /belongs to holder 1/,
    )
    await (await start('first.sock')).close()
  })
})
