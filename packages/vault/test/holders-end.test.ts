import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { SOURCE_FLAGS } from '../../../test/source-flags.ts'
import { until } from '../../../test/until.ts'

const END_WITH_PARENT = new URL('support/end-with-parent.ts', import.meta.url).href
const PARENT = fileURLToPath(new URL('support/holders-parent.ts', import.meta.url))

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe('holders that a test or a benchmark started', () => {
  for (const signal of ['SIGKILL', 'SIGTERM'] as const)
    it(`end when it is ended by ${signal}, also one that is frozen`, async test => {
      const parent = spawn(process.execPath, [...SOURCE_FLAGS, PARENT], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      test.after(() => parent.kill('SIGKILL'))
      const { pids, folder } = await new Promise<{
        readonly pids: readonly number[]
        readonly folder: string
      }>((resolve, reject) => {
        parent.stdout.once('data', (chunk: Buffer) => resolve(JSON.parse(chunk.toString())))
        parent.once('exit', () => reject(new Error('the parent ended by itself')))
      })
      test.after(() => rmSync(folder, { recursive: true }))
      assert.equal(pids.filter(isAlive).length, 3)
      parent.kill(signal)
      await until(() => !pids.some(isAlive))
    })

  it('keep their threads, whose standard input has ended from the start', async test => {
    const code = `
      const { parentPort } = require('node:worker_threads')
      process.stdin.once('end', () => setImmediate(() => parentPort.postMessage('alive')))
      process.stdin.resume()`
    const thread = new Worker(code, { eval: true, execArgv: ['--import', END_WITH_PARENT] })
    test.after(() => thread.terminate())
    const said = await new Promise((resolve, reject) => {
      thread.once('message', resolve)
      thread.once('error', reject)
      thread.once('exit', status => reject(new Error(`the thread ended with ${status}`)))
    })
    assert.equal(said, 'alive')
  })
})
