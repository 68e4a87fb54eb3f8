import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { freePort } from '../../../test/local-server.ts'
import { startBackend } from './backend.ts'
import { startCli, startGatewayProcess } from './cli.ts'

/** A configuration whose own code throws where nobody catches it, when one path is asked for. */
function failingConfig(upstream: string, workers: number): string {
  return `export default {
  upstream: '${upstream}',
  workers: ${workers},
  limits: { address: '100000/1m', busy: false },
  identify: exchange => {
    if (exchange.path.canonical === '/fail') setTimeout(() => { throw new Error('thrown on purpose') }, 5)
    return undefined
  },
}
`
}

/** The status of an answer, or the code of what went wrong. */
function ask(url: string, path: string): Promise<number | string> {
  return new Promise(resolve => {
    const sent = request(new URL(path, url), { agent: new Agent() }, response => {
      response.on('end', () => resolve(response.statusCode ?? 0)).resume()
      response.on('error', () => resolve('cut off'))
    })
    sent.on('error', error => resolve('code' in error ? String(error.code) : 'failed')).end()
  })
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-failing-'))
  try {
    await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

describe('an error that nobody caught', { timeout: 120_000 }, () => {
  test('in one of two workers cuts no request off, and the worker is replaced', () =>
    inFolder(async folder => {
      const slow: (() => void)[] = []
      const backend = await startBackend((incoming, response) => {
        if (incoming.url === '/slow') slow.push(() => void response.end('late'))
        else response.end('fine')
      })
      writeFileSync(join(folder, 'postern.config.mjs'), failingConfig(backend.url, 2))
      const gateway = await startGatewayProcess([], folder)
      // Some of these are with the worker that is going to fail.
      const pending = Array.from({ length: 8 }, () => ask(gateway.url, '/slow'))
      while (slow.length < 8) await ask(gateway.url, '/')
      assert.equal(await ask(gateway.url, '/fail'), 200)
      await gateway.says(/worker \d failed: thrown on purpose; another takes its place/)
      for (let i = 0; i < 40; i++) assert.equal(await ask(gateway.url, '/'), 200)
      for (const answer of slow) answer()
      assert.deepEqual(await Promise.all(pending), Array(8).fill(200))
      assert.equal(await gateway.stop(), 0)
      await backend.close()
    }))

  test('in a gateway of one thread lets requests under way finish, and ends it with 70 for its supervisor', () =>
    inFolder(async folder => {
      const arrived = Promise.withResolvers<() => void>()
      const backend = await startBackend((incoming, response) => {
        if (incoming.url === '/slow') arrived.resolve(() => void response.end('late'))
        else response.end('fine')
      })
      writeFileSync(join(folder, 'postern.config.mjs'), failingConfig(backend.url, 1))
      const gateway = await startGatewayProcess([], folder)
      const pending = ask(gateway.url, '/slow')
      const finish = await arrived.promise
      assert.equal(await ask(gateway.url, '/fail'), 200)
      await gateway.says(/a mistake that nobody caught ends this process: Error: thrown on purpose/)
      await gateway.says(/stopping/)
      finish()
      assert.equal(await pending, 200)
      assert.equal(await gateway.stop(), 70)
      await backend.close()
    }))
})

test(
  'a gateway takes connections before its stores have answered, and answers them then',
  {
    timeout: 120_000,
  },
  () =>
    inFolder(async folder => {
      const backend = await startBackend()
      const asked = Promise.withResolvers<void>()
      // A Redis that accepts and says nothing, until it is gone.
      let isAway = false
      const sockets = new Set<Socket>()
      const store = createServer(socket => {
        sockets.add(socket.on('error', () => undefined))
        if (isAway) socket.destroy()
        asked.resolve()
      }).listen(0, '127.0.0.1')
      await once(store, 'listening')
      const port = await freePort()
      writeFileSync(
        join(folder, 'postern.config.yaml'),
        `upstream: ${backend.url}
listen: 127.0.0.1:${port}
admin: false
stores: { redis: 'redis://127.0.0.1:${(store.address() as AddressInfo).port}', failure: open }
`,
      )
      const child = startCli(['gateway'], folder)
      const ended = once(child, 'close')
      await asked.promise
      const answer = ask(`http://127.0.0.1:${port}`, '/')
      isAway = true
      for (const socket of sockets) socket.destroy()
      assert.equal(await answer, 200)
      child.kill('SIGTERM')
      await ended
      store.close()
      await backend.close()
    }),
)
