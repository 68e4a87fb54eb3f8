import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { openDataDirectory } from '@postern/store'
import { SOURCE_FLAGS } from '../../../test/source-flags.ts'
import { until } from '../../../test/until.ts'
import { EXIT, main } from '../src/index.ts'
import { startBackend } from './backend.ts'

/** A process that is sent a signal at the moment in which it first listens for it. */
class Host extends EventEmitter {
  readonly env = { NO_COLOR: '1' }
  readonly printed: string[] = []
  readonly stdout = new PassThrough().on('data', (text: Buffer) => this.printed.push(text.toString()))
  readonly stderr = new PassThrough().on('data', (text: Buffer) => this.printed.push(text.toString()))
  readonly #folder: string

  constructor(folder: string, signals: readonly string[]) {
    super()
    this.#folder = folder
    this.on('newListener', (name: string, listener: () => void) => {
      if (signals.includes(name)) setImmediate(listener)
    })
  }

  cwd(): string {
    return this.#folder
  }
}

const COMMANDS = {
  gateway: (backend: string) => ['--to', backend],
  'forward-auth': () => ['--dialect', 'nginx'],
}
const PLACES = ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0']

for (const [command, options] of Object.entries(COMMANDS))
  test(`a ${command} asked to reload before it has started reloads once it has`, async t => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-signals-'))
    const backend = await startBackend()
    t.after(async () => {
      await backend.close()
      rmSync(folder, { recursive: true, force: true })
    })
    const host = new Host(folder, ['SIGHUP'])
    const ended = main([command, ...PLACES, ...options(backend.url)], host)
    await until(() => host.printed.some(text => text.includes('configuration reloaded')))
    host.emit('SIGTERM')
    assert.equal(await ended, EXIT.done)
    assert.equal(host.listenerCount('SIGHUP'), 0)
  })

test('a gateway that is stopped before it has started ends in order', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-signals-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const host = new Host(folder, ['SIGTERM'])
  assert.equal(await main(['gateway', ...PLACES, '--to', 'http://127.0.0.1:9'], host), EXIT.done)
})

/** Another process that has the log of a directory, until the test ends. */
async function held(t: TestContext, directory: string): Promise<void> {
  mkdirSync(directory, { recursive: true })
  const program = `import { lockDirectory } from '@postern/store'
    lockDirectory(${JSON.stringify(directory)}, { name: 'audit-log' })
    console.log('held')
    setInterval(() => {}, 60_000)`
  const child = spawn(process.execPath, [...SOURCE_FLAGS, '--input-type=module', '-e', program], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
}

const WAITING: Readonly<Record<string, (folder: string) => readonly [args: readonly string[], log: string]>> =
  {
    gateway: folder => [
      ['gateway', ...PLACES, '--to', 'http://127.0.0.1:9'],
      join(folder, '.postern', 'audit'),
    ],
    'gateway with workers': folder => [
      ['gateway', ...PLACES, '--workers', '2', '--to', 'http://127.0.0.1:9'],
      join(folder, '.postern', 'audit'),
    ],
    'forward-auth': folder => [['forward-auth', ...PLACES], join(folder, '.postern', 'audit')],
    dev: folder => [['dev', '--listen', '127.0.0.1:0'], join(folder, '.postern', 'audit')],
    holder: folder => [
      ['holder', 'run', 'h1/holder.json', '--key-file', 'h1/holder.key'],
      join(folder, 'h1', 'audit'),
    ],
  }
for (const [name, waits] of Object.entries(WAITING))
  for (const signal of ['SIGINT', 'SIGTERM'])
    test(`${name}: ${signal} ends the wait for another process that has the data directory`, {
      timeout: 60_000,
    }, async t => {
      const folder = mkdtempSync(join(tmpdir(), 'postern-signals-'))
      t.after(() => rmSync(folder, { recursive: true, force: true }))
      assert.equal(await main(['holder', 'init', 'h1', '1'], new Host(folder, [])), EXIT.done)
      openDataDirectory(join(folder, '.postern')).close()
      const [args, log] = waits(folder)
      await held(t, log)
      const host = new Host(folder, [])
      const ended = main(args, host)
      await until(() => host.printed.some(text => text.includes('waiting up to 15s')))
      host.emit(signal)
      // Where it waits to the end, the directory is in use: another code.
      assert.equal(await ended, EXIT.done, host.printed.join(''))
      assert.equal(host.listenerCount(signal), 0)
    })

for (const workers of ['1', '2'])
  test(`a second Ctrl-C ends a wait for requests in progress; one that comes twice at once does not (${workers})`, {
    timeout: 60_000,
  }, async t => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-signals-'))
    // Never answers.
    const backend = createServer(() => undefined).listen(0, '127.0.0.1')
    await once(backend, 'listening')
    t.after(() => {
      backend.closeAllConnections()
      backend.close()
      rmSync(folder, { recursive: true, force: true })
    })
    writeFileSync(join(folder, 'postern.config.yaml'), 'timeouts: { drain: 10m }\n')
    const host = new Host(folder, [])
    const to = `http://127.0.0.1:${(backend.address() as AddressInfo).port}`
    const ended = main(['gateway', ...PLACES, '--json', '--workers', workers, '--to', to], host)
    const url = (): string | undefined => /"url":"([^"]+)"/.exec(host.printed.join(''))?.[1]
    await until(() => url() !== undefined)
    const got = new Promise(resolve => backend.once('request', resolve))
    const cutOff = assert.rejects(fetch(url() ?? ''))
    await got
    host.emit('SIGINT')
    host.emit('SIGINT')
    let isOver = false
    void ended.then(() => {
      isOver = true
    })
    await until(() => host.printed.some(text => text.includes('stopping')))
    assert.equal(isOver, false)
    await until(() => {
      host.emit('SIGINT')
      return isOver
    })
    assert.equal(await ended, EXIT.done)
    await cutOff
  })
