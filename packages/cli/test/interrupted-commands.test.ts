import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { openAuditLog } from '@postern/audit'
import { EXIT, main } from '../src/index.ts'
import { inProcess } from './in-process.ts'

/** A process that is sent SIGINT some turns of the event loop after it began to listen. */
class Interrupted extends EventEmitter {
  readonly env = { NO_COLOR: '1' }
  printed = ''
  readonly stdout = new PassThrough().on('data', (text: Buffer) => {
    this.printed += text.toString()
  })
  readonly stderr = new PassThrough().on('data', (text: Buffer) => {
    this.printed += text.toString()
  })
  readonly #folder: string

  constructor(folder: string, isTime: () => boolean) {
    super()
    this.#folder = folder
    this.on('newListener', (name: string, listener: () => void) => {
      const look = (): void => (isTime() ? listener() : void setImmediate(look))
      if (name === 'SIGINT') setImmediate(look)
    })
  }

  cwd(): string {
    return this.#folder
  }
}

test('users import stops at Ctrl-C after the account at hand, and goes on when it is run again', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-import-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const count = 300
  const lines = Array.from({ length: count }, (_, i) => `user-${i}@shop.example`)
  writeFileSync(join(folder, 'users.csv'), `email\n${lines.join('\n')}\n`)
  writeFileSync(
    join(folder, 'postern.config.json'),
    JSON.stringify({ identity: { origin: 'https://shop.example' } }),
  )
  const listed = async (): Promise<number> =>
    (await inProcess(['users', 'list', '--json'], folder)).stdout.split('\n').filter(line => line !== '')
      .length
  // The first run makes the database, so that the second is in the middle of its work soon.
  writeFileSync(join(folder, 'first.csv'), 'email\nfirst@shop.example\n')
  assert.equal((await inProcess(['users', 'import', 'first.csv'], folder)).code, EXIT.done)
  const before = await listed()
  let turns = 0
  const host = new Interrupted(folder, () => ++turns > 200)
  const code = await main(['users', 'import', 'users.csv'], host)
  assert.equal(code, EXIT.interrupted)
  assert.match(host.printed, /Stopped before line \d+; run it again/)
  const created = Number(/(\d+) created/.exec(host.printed)?.[1])
  assert.ok(created < count)
  assert.equal(await listed(), before + created)
  const again = await inProcess(['users', 'import', 'users.csv'], folder)
  assert.equal(again.code, EXIT.done)
  assert.match(again.stdout, new RegExp(`${count - created} created, ${created} existed`))
})

test('audit verify stops at Ctrl-C', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-verify-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const log = await openAuditLog({ directory: join(folder, '.postern', 'audit'), origin: 'a.example/audit' })
  await log.commit({ type: 'note', time: 1, actor: {} })
  await log.close()
  const host = new Interrupted(folder, () => true)
  assert.equal(await main(['audit', 'verify'], host), EXIT.interrupted)
  assert.doesNotMatch(host.printed, /intact/)
  assert.equal((await inProcess(['audit', 'verify'], folder)).code, EXIT.done)
})
