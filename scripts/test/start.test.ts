import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

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
  const execArgv = process.execArgv.filter(argument => !argument.startsWith('--test'))
  const child = spawn(process.execPath, [...execArgv, START, '--port', String(port)], {
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
    assert.deepEqual([statuses[0], statuses[19], statuses[20]], [401, 401, 429])
    assert.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 200)
  } finally {
    child.kill('SIGINT')
  }
  assert.deepEqual(await closed, [0, null])
})

test('npm start says how it is used when it is told nonsense', async () => {
  const execArgv = process.execArgv.filter(argument => !argument.startsWith('--test'))
  const child = spawn(process.execPath, [...execArgv, START, '--prot', '1'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString()
  })
  assert.deepEqual(await once(child, 'close'), [2, null])
  assert.match(errors, /usage: npm start/)
})
