import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import fs, { existsSync, statSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type RequestListener, request, type Server } from 'node:http'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { CidrSet, Engine } from '@postern/core'
import { WebSocket, WebSocketServer } from 'ws'
import { holdPort, startGateway } from '../../src/index.ts'
import { start, startBackend, type TestGateway } from '../harness.ts'

async function startOn(t: TestContext, path: string, listener: RequestListener): Promise<Server> {
  const server = createServer(listener).listen(path)
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return server
}

async function newPath(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-socket-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return join(folder, 'app.sock')
}

describe('a backend on a Unix socket', { timeout: 30_000, skip: process.platform === 'win32' }, () => {
  test('answers as one on a port does, and keeps its connection', async t => {
    const path = await newPath(t)
    const connections = new Set<unknown>()
    await startOn(t, path, async (request, response) => {
      connections.add(request.socket)
      const parts: Buffer[] = []
      for await (const part of request) parts.push(part)
      response.end(
        `${request.method} ${request.url} ${request.headers.host} ${Buffer.concat(parts).toString()}`,
      )
    })
    const { port } = await start(t, `unix:${path}`)
    const origin = `http://127.0.0.1:${port}`
    assert.equal(await (await fetch(`${origin}/a?b=1`)).text(), `GET /a?b=1 127.0.0.1:${port} `)
    assert.equal(
      await (await fetch(`${origin}/c`, { method: 'POST', body: 'd' })).text(),
      `POST /c 127.0.0.1:${port} d`,
    )
    assert.equal(connections.size, 1)
  })

  test('speaks WebSocket', async t => {
    const path = await newPath(t)
    const server = await startOn(t, path, (_request, response) => void response.writeHead(426).end())
    new WebSocketServer({ server }).on('connection', socket =>
      socket.on('message', data => socket.send(data)),
    )
    const { port } = await start(t, `unix:${path}`)
    const socket = new WebSocket(`ws://127.0.0.1:${port}/live`)
    await once(socket, 'open')
    socket.send('hello')
    assert.equal(String((await once(socket, 'message'))[0]), 'hello')
    socket.close()
  })

  test('that is not there yet is a 502 which does not name the path, and is found when it comes', async t => {
    const path = await newPath(t)
    const { port } = await start(t, `unix:${path}`)
    const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { accept: 'application/json' } })
    assert.equal(answer.status, 502)
    const text = await answer.text()
    assert.match(text, /gateway\/backend-unreachable|cannot be reached/)
    assert.ok(!text.includes('sock'), text)
    await startOn(t, path, (_request, response) => void response.end('here'))
    assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'here')
  })

  test('whose path cannot be one is refused at start', async () => {
    for (const upstream of ['unix:', 'unix:app.sock', `unix:/${'a'.repeat(200)}`])
      await assert.rejects(
        startGateway({
          engine: () => assert.fail('asked'),
          upstream,
          listen: { port: 0 },
        }),
        /unix:\/run\/app\.sock/,
      )
  })
})

/** What the gateway on a Unix socket answers. */
async function ask(path: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
  const asked = request({ socketPath: path, path: '/a', headers: { host: 'shop.example', ...headers } })
  const [response] = (await once(asked.end(), 'response')) as [IncomingMessage]
  const parts: Buffer[] = []
  for await (const part of response) parts.push(part as Buffer)
  return `${response.statusCode} ${Buffer.concat(parts).toString()}`
}

describe('a gateway on a Unix socket', { timeout: 30_000, skip: process.platform === 'win32' }, () => {
  async function startBehind(t: TestContext, path: string, engine = new Engine()): Promise<TestGateway> {
    const backend = await startBackend(t, (asked, response) => response.end(asked.headers['x-forwarded-for']))
    return await start(t, backend.url, { engine, listen: { port: 0, path } })
  }

  test('takes requests from owner and group, as from this machine, and removes the socket at its end', async t => {
    const path = await newPath(t)
    const { gateway } = await startBehind(t, path)
    assert.equal(gateway.url, `unix:${path}`)
    assert.equal(statSync(path).mode & 0o777, 0o660)
    assert.equal(await ask(path, { 'x-forwarded-for': '203.0.113.9' }), '200 127.0.0.1')
    await gateway.close({ grace: 0 })
    assert.equal(existsSync(path), false)
  })

  test('is open to owner and group from its first moment, whatever the umask of the process', async t => {
    const path = await newPath(t)
    const modes: number[] = []
    const { chmodSync } = fs
    t.mock.method(fs, 'chmodSync', (place: string, mode: number) => {
      // What stands before it is set: somebody could have connected meanwhile.
      modes.push(statSync(place).mode & 0o777)
      chmodSync(place, mode)
    })
    syncBuiltinESMExports()
    const before = process.umask(0)
    t.after(() => {
      process.umask(before)
      t.mock.reset()
      syncBuiltinESMExports()
    })
    const held = await holdPort({ port: 0, path })
    assert.deepEqual(modes, [0o660])
    assert.equal(process.umask(), 0, 'that of the process is as it was')
    await held.close()
  })

  test('believes the proxy in front where loopback is trusted', async t => {
    const path = await newPath(t)
    await startBehind(t, path, new Engine({ trustedProxies: CidrSet.parse(['loopback']) }))
    assert.match(await ask(path, { 'x-forwarded-for': '203.0.113.9' }), /^200 203\.0\.113\.9/)
  })

  test('takes the place of a socket that a killed process left, and of no other', async t => {
    const path = await newPath(t)
    const leave = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
    spawnSync(process.execPath, ['-e', leave])
    assert.ok(statSync(path).isSocket(), 'left behind')
    await startBehind(t, path)
    assert.equal(await ask(path), '200 127.0.0.1')
    await assert.rejects(startBehind(t, path), { code: 'EADDRINUSE' })
    assert.equal(await ask(path), '200 127.0.0.1')
    await writeFile(`${path}.txt`, 'mine')
    await assert.rejects(startBehind(t, `${path}.txt`), { code: 'EADDRINUSE' })
    assert.ok(statSync(`${path}.txt`).isFile())
  })
})
