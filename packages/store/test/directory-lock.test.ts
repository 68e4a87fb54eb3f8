import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, type TestContext, test } from 'node:test'
import { StoreError } from '@postern/core'
import { SOURCE_FLAGS } from '../../../test/source-flags.ts'
import { awaitDirectoryLock, lockDirectory } from '../src/index.ts'
import { scratch } from './scratch.ts'

/** Another process that has the right until it has to give it back. */
async function holderOf(t: TestContext, directory: string): Promise<ChildProcess> {
  const child = spawn(
    process.execPath,
    [
      ...SOURCE_FLAGS,
      '--input-type=module',
      '--eval',
      `import { lockDirectory } from ${JSON.stringify(import.meta.resolve('../src/index.ts'))}
       const lock = lockDirectory(${JSON.stringify(directory)}, { name: 'audit-log' })
       process.on('message', () => { lock.release(); process.disconnect() })
       process.send('taken')`,
    ],
    { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
  )
  t.after(() => child.kill('SIGKILL'))
  await once(child, 'message')
  return child
}

const isInUse = (error: unknown): boolean => error instanceof StoreError && /is in use by/.test(error.message)
const isOwn = (error: unknown): boolean =>
  error instanceof StoreError && /is in use by another Postern of this process/.test(error.message)

describe('the right to a directory that another process has', { timeout: 60_000 }, () => {
  test('is waited for, after a sentence that says who has it, while timers go on', async t => {
    const directory = scratch(t)
    const old = await holderOf(t, directory)
    const sentences: string[] = []
    const taken = awaitDirectoryLock(directory, {
      name: 'audit-log',
      wait: '60s',
      onWait: sentence => {
        sentences.push(sentence)
        // A timer: where the wait blocked, the old process would never get the message.
        setTimeout(() => old.send('give it back'), 1)
      },
    })
    const lock = await taken
    assert.equal(sentences.length, 1)
    assert.match(sentences[0] ?? '', new RegExp(`process ${old.pid}\\): waiting up to 1m`))
    assert.throws(() => lockDirectory(directory, { name: 'audit-log' }), isOwn)
    lock.release()
  })

  test('is given to who waits when the other is killed', async t => {
    const directory = scratch(t)
    const old = await holderOf(t, directory)
    const lock = await awaitDirectoryLock(directory, {
      name: 'audit-log',
      wait: '60s',
      onWait: () => void old.kill('SIGKILL'),
    })
    assert.equal(old.killed, true)
    assert.throws(() => lockDirectory(directory, { name: 'audit-log' }), isOwn)
    lock.release()
  })

  test('is an error after the wait, and at once without one', async t => {
    const directory = scratch(t)
    await holderOf(t, directory)
    let waits = 0
    const onWait = (): void => void waits++
    await assert.rejects(awaitDirectoryLock(directory, { name: 'audit-log', wait: '300ms', onWait }), isInUse)
    assert.equal(waits, 1)
    await assert.rejects(awaitDirectoryLock(directory, { name: 'audit-log', onWait }), isInUse)
    assert.equal(waits, 1)
  })

  test('is not waited for by the process that has it itself', async t => {
    const directory = scratch(t)
    const lock = lockDirectory(directory, { name: 'audit-log' })
    const onWait = (): void => assert.fail('it would wait for itself')
    await assert.rejects(awaitDirectoryLock(directory, { name: 'audit-log', wait: '60s', onWait }), isOwn)
    lock.release()
    const again = await awaitDirectoryLock(directory, { name: 'audit-log', wait: '60s', onWait })
    again.release()
  })
})
