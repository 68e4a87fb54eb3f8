import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { SOURCE_FLAGS } from '../../../../test/source-flags.ts'
import { openAuditLog, readAuditLog, verifyDirectory } from '../../src/index.ts'
import { collect, freshDirectory } from './events.ts'

const child = fileURLToPath(new URL('./kill-child.ts', import.meta.url))
/** Kills that one directory lives through. */
const LIVES = 20

export interface KillTotals {
  kills: number
  acknowledged: number
  checkpoints: number
}

/**
 * Kills a process that appends under load, again and again, and then checks: no acknowledged event lost, no
 * index given out twice, no checkpoint contradicted, the whole log sound.
 */
export async function killSuite(
  runs: number,
  random: () => number,
  onProgress: (done: number) => void = () => {},
): Promise<KillTotals> {
  const totals: KillTotals = { kills: 0, acknowledged: 0, checkpoints: 0 }
  while (totals.kills < runs) {
    const lives = Math.min(LIVES, runs - totals.kills)
    await killDirectory(lives, random, totals)
    onProgress(totals.kills)
  }
  return totals
}

async function killDirectory(lives: number, random: () => number, totals: KillTotals): Promise<void> {
  const directory = freshDirectory()
  const acknowledged = new Map<number, string>()
  const checkpoints = new Map<bigint, string>()
  for (let life = 0; life < lives; life++) {
    const before = Math.max(-1, ...acknowledged.keys())
    const opened = await killOne(directory, life, random, acknowledged)
    assert.ok(
      opened === undefined || opened > before,
      `opened with ${opened} entries after entry ${before} was acknowledged`,
    )
    totals.kills++
    const reader = readAuditLog(directory)
    if ((await reader.store.checkpoint()) !== undefined) {
      const { size, root } = await reader.head()
      const text = Buffer.from(root).toString('hex')
      assert.equal(checkpoints.get(size) ?? text, text, `two checkpoints of size ${size}`)
      checkpoints.set(size, text)
    }
    reader.close()
  }
  await (await openAuditLog({ directory, origin: 'kill.example/audit' })).close()
  const report = await verifyDirectory(directory)
  assert.deepEqual(report.problems, [])
  const reader = readAuditLog(directory)
  const ids = (await collect(reader.entries(0n))).map(({ event }) => event.data?.['id'])
  for (const [index, id] of acknowledged) assert.equal(ids[index], id, `acknowledged entry ${index}`)
  for (const [size, root] of checkpoints) {
    if (size > 0n)
      assert.equal(Buffer.from(await reader.root(size)).toString('hex'), root, `checkpoint ${size}`)
  }
  reader.close()
  totals.acknowledged += acknowledged.size
  totals.checkpoints += checkpoints.size
  rmSync(dirname(directory), { recursive: true, force: true })
}

/**
 * Starts the child, kills it some time after it opened the log (or while it opens
 * it), and reads what it had acknowledged.
 */
async function killOne(
  directory: string,
  life: number,
  random: () => number,
  acknowledged: Map<number, string>,
): Promise<number | undefined> {
  const acknowledgements = `${directory}.acknowledged`
  writeFileSync(acknowledgements, '')
  const appender = spawn(
    process.execPath,
    [...SOURCE_FLAGS, child, directory, String(life), acknowledgements],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const ended = new Promise<NodeJS.Signals | null>(resolve =>
    appender.on('close', (_code, signal) => resolve(signal)),
  )
  let text = ''
  appender.stdout.setEncoding('utf8')
  const opening = new Promise<void>(resolve => {
    appender.stdout.on('data', (chunk: string) => {
      text += chunk
      if (text.startsWith('open')) resolve()
    })
  })
  // The first life opens in peace: it makes the directory.
  if (life > 0 && random() < 0.1) await pause(50 + random() * 200)
  else await Promise.race([opening, ended])
  await pause(random() * 60)
  appender.kill('SIGKILL')
  assert.equal(await ended, 'SIGKILL', 'the appender ended by itself')
  // The last line may be cut off.
  for (const line of readFileSync(acknowledgements, 'utf8').split('\n').slice(0, -1)) {
    const [index = '', id = ''] = line.split(' ')
    assert.equal(acknowledged.has(Number(index)), false, `index ${index} was given out twice`)
    acknowledged.set(Number(index), id)
  }
  const opened = /^open (\d+)\n/.exec(text)
  return opened === null ? undefined : Number(opened[1])
}
