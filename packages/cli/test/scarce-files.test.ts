import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { freePort } from '../../../test/local-server.ts'
import { SOURCE_FLAGS } from '../../../test/source-flags.ts'
import { until } from '../../../test/until.ts'
import { startBackend } from './backend.ts'
import { CLI } from './cli.ts'

interface Limited {
  readonly url: string
  readonly admin: string
  readonly pid: number
  /** What it has printed. */
  printed(): string
}

/** A gateway in a process whose limits can be set. */
async function started(t: TestContext): Promise<Limited> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-scarce-'))
  const backend = await startBackend()
  const [port, adminPort] = [await freePort(), await freePort()]
  const node = [process.execPath, ...SOURCE_FLAGS]
  const args = ['gateway', '--to', backend.url, '--listen', `127.0.0.1:${port}`]
  const child = spawn(
    node[0] as string,
    [...node.slice(1), CLI, ...args, '--admin', `127.0.0.1:${adminPort}`, '--data', folder],
    { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  t.after(async () => {
    child.kill('SIGKILL')
    await backend.close()
    rmSync(folder, { recursive: true, force: true })
  })
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', data => (printed += String(data)))
  const url = `http://127.0.0.1:${port}/`
  await until(async () => (await statusOf(url)) === 200)
  return { url, admin: `http://127.0.0.1:${adminPort}/`, pid: child.pid ?? 0, printed: () => printed }
}

async function statusOf(url: string): Promise<number> {
  try {
    const response = await fetch(url)
    await response.text()
    return response.status
  } catch {
    return 0
  }
}

const skip = process.platform === 'linux' ? false : 'limits of a process are set as Linux does'

describe('a gateway whose system gives it no more', { skip, timeout: 120_000 }, () => {
  test('names the limit on file sizes, in readiness and in a line, and goes on deciding', async t => {
    const gateway = await started(t)
    // The log of some twenty refusals has no room.
    execFileSync('prlimit', ['--pid', String(gateway.pid), '--fsize=16384:'])
    let sent = 0
    const bad = (): string => `${gateway.url}${sent++}?q=%3Cscript%3Ealert(1)%3C/script%3E`
    await until(async () => {
      for (let i = 0; i < 50; i++) assert.ok([403, 429].includes(await statusOf(bad())))
      return /"store\.failed".*ulimit -f.*EFBIG/.test(gateway.printed())
    })
    const ready = await fetch(`${gateway.admin}readyz`)
    assert.match(await ready.text(), /may not write a file that large; raise ulimit -f[^"]*\(EFBIG\)/)
  })

  test('says that it may open no more files, although the kernel drops connections in silence', async t => {
    const gateway = await started(t)
    execFileSync('prlimit', ['--pid', String(gateway.pid), '--nofile=12:'])
    await until(() => /"store\.failed".*no more files; raise ulimit -n.*EMFILE/.test(gateway.printed()))
    execFileSync('prlimit', ['--pid', String(gateway.pid), '--nofile=4096:'])
    await until(async () => (await statusOf(gateway.url)) === 200)
  })
})
