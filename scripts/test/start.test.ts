import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { writeRunFile } from '../../packages/server/src/admin/run-file.ts'
import { SOURCE_FLAGS } from '../../test/source-flags.ts'

const START = fileURLToPath(new URL('../start.ts', import.meta.url))

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  return address !== null && typeof address === 'object' ? address.port : 0
}

test('npm start protects the shop, tells three attacks that then fail, and ends in order on Ctrl-C', {
  timeout: 120_000,
}, async () => {
  const port = await freePort()
  // A folder of its own: login defence remembers an account's wrong passwords over a restart.
  const folder = mkdtempSync(join(tmpdir(), 'postern-start-'))
  const child = spawn(process.execPath, [...SOURCE_FLAGS, START, '--port', String(port)], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const closed = once(child, 'close') as Promise<[number | null]>
  const listening = new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      if (/^postern http/m.test(output)) resolve()
    })
    void closed.then(() => reject(new Error(output)))
  })
  child.stderr.resume()
  try {
    await listening
    const addresses = [...output.matchAll(/curl -i "([^"]+)"/g)].map(match => match[1] ?? '')
    assert.equal(addresses.length, 2)
    for (const address of addresses) assert.equal((await fetch(address)).status, 403, address)
    // fetch resolves ../ in a path, not in a query: what is printed is what is sent.
    const login = (): Promise<Response> =>
      fetch(`http://127.0.0.1:${port}/login`, {
        method: 'POST',
        body: new URLSearchParams({ email: 'admin@example.com', password: 'guess' }),
      })
    const statuses: number[] = []
    for (let i = 0; i < 25; i++) statuses.push((await login()).status)
    assert.deepEqual([statuses[0], statuses[4], statuses[5], statuses[24]], [401, 401, 429, 429])
    assert.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 200)
  } finally {
    child.kill('SIGINT')
  }
  assert.deepEqual(await closed, [0, null])
  rmSync(folder, { recursive: true })
})

test('npm start prints its usage for unknown arguments', async () => {
  const child = spawn(process.execPath, [...SOURCE_FLAGS, START, '--prot', '1'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString()
  })
  assert.deepEqual(await once(child, 'close'), [2, null])
  assert.match(errors, /usage: npm start/)
})

test('npm start names the configurations there are when --with names none of them', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-start-'))
  try {
    const { code, stderr } = await startIn(folder, ['--with', 'nothing'])
    assert.equal(code, 2)
    assert.match(stderr, /there is no configuration "nothing": use one of .*identity, login/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('npm start says what holds its port before it prints anything to try, and ends with 3', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const address = taken.address()
  const port = address !== null && typeof address === 'object' ? address.port : 0
  const folder = mkdtempSync(join(tmpdir(), 'postern-start-'))
  try {
    const { code, stdout, stderr } = await startIn(folder, ['--port', String(port)])
    assert.equal(code, 3)
    assert.equal(stdout, '')
    assert.match(stderr, new RegExp(`127\\.0\\.0\\.1:${port} is in use by another process`))
  } finally {
    taken.close()
    rmSync(folder, { recursive: true })
  }
})

test('a second npm start names the first, before it prints anything to try', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-start-'))
  const admin = createHttpServer((_request, response) => response.end('{}')).listen(0, '127.0.0.1')
  await once(admin, 'listening')
  const address = admin.address()
  const port = address !== null && typeof address === 'object' ? address.port : 0
  const remove = writeRunFile(join(folder, '.postern'), {
    pid: process.pid,
    gateway: 'http://127.0.0.1:8080',
    admin: `http://127.0.0.1:${port}`,
    token: 'x',
  })
  try {
    const { code, stdout, stderr } = await startIn(folder, [])
    assert.equal(code, 3)
    assert.equal(stdout, '')
    assert.match(stderr, /another Postern runs here already: http:\/\/127\.0\.0\.1:8080 \(process \d+/)
  } finally {
    remove()
    admin.close()
    rmSync(folder, { recursive: true })
  }
})

async function startIn(
  folder: string,
  args: readonly string[],
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const child = spawn(process.execPath, [...SOURCE_FLAGS, START, ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr }
}
