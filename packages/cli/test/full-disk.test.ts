import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { generateNoteKey } from '@postern/audit'
import { freePort } from '../../../test/local-server.ts'
import { SOURCE_FLAGS } from '../../../test/source-flags.ts'
import { until } from '../../../test/until.ts'
import { startBackend } from './backend.ts'
import { CLI, cliProcess } from './cli.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-full-disk-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** Runs a command whose standard output, or both outputs, go to a disk that is full. */
function started(args: readonly string[], errors: 'pipe' | 'full'): ChildProcess {
  const full = openSync('/dev/full', 'w')
  const child = spawn(process.execPath, [...SOURCE_FLAGS, CLI, ...args], {
    cwd: folder,
    stdio: ['ignore', full, errors === 'full' ? full : 'pipe'],
  })
  closeSync(full)
  return child
}

async function statusOf(url: string): Promise<number> {
  try {
    return (await fetch(url)).status
  } catch {
    return 0
  }
}

const skip = existsSync('/dev/full') ? false : 'this system has no /dev/full'

describe('output to a full disk', { skip, timeout: 120_000 }, () => {
  test('does not end a gateway, nor what it refuses', async t => {
    const backend = await startBackend()
    t.after(() => backend.close())
    const place = `127.0.0.1:${await freePort()}`
    const child = started(
      ['gateway', '--to', backend.url, '--listen', place, '--admin', '127.0.0.1:0', '--data', folder],
      'full',
    )
    t.after(() => child.kill('SIGKILL'))
    await until(async () => (await statusOf(`http://${place}/`)) === 200)
    for (let i = 0; i < 3; i++)
      assert.equal(await statusOf(`http://${place}/?q=%3Cscript%3Ealert(${i})%3C/script%3E`), 403)
    assert.equal(child.exitCode, null)
  })

  test('does not end a witness', async t => {
    const place = `127.0.0.1:${await freePort()}`
    const { verifierKey } = generateNoteKey('shop.example/audit')
    const child = started(
      ['audit', 'witness', '--log', `shop.example/audit=${verifierKey}`, '--listen', place, '--data', folder],
      'full',
    )
    t.after(() => child.kill('SIGKILL'))
    await until(async () => child.exitCode !== null || (await statusOf(`http://${place}/`)) !== 0)
    // The output fails behind the line that says where it listens.
    await until(async () => child.exitCode !== null || (await statusOf(`http://${place}/`)) === 404)
    assert.equal(child.exitCode, null)
  })

  test('ends a command with one line that says so', async t => {
    const child = started(['schema'], 'pipe')
    t.after(() => child.kill('SIGKILL'))
    let said = ''
    child.stderr?.on('data', chunk => {
      said += String(chunk)
    })
    const [code] = await once(child, 'close')
    assert.equal(code, 3)
    assert.match(said, /^error: standard output: ENOSPC[^\n]*; hint: [^\n]+\n$/)
  })
})

describe('a place that cannot be used', { timeout: 120_000 }, () => {
  test('to listen at, by a name that nobody knows', async () => {
    const { code, stderr } = await cliProcess(
      ['gateway', '--to', 'http://127.0.0.1:9', '--listen', 'no-such-host.invalid:80'],
      folder,
    )
    assert.equal(code, 3)
    assert.match(stderr, /no-such-host\.invalid:80 is neither an address nor a name/)
    assert.match(stderr, /hint: choose an address of this machine, e\.g\. --listen 127\.0\.0\.1:80/)
  })

  test('for data, on a file system that takes no directories', async t => {
    if (process.platform !== 'linux') return t.skip('only Linux has /proc')
    const { code, stderr } = await cliProcess(
      ['gateway', '--to', 'http://127.0.0.1:9', '--listen', '127.0.0.1:0', '--data', '/proc/postern'],
      folder,
    )
    assert.equal(code, 3)
    assert.match(stderr, /data directory \/proc\/postern: cannot be made there/)
  })
})
