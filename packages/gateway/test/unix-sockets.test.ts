import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import { startGateway } from '../src/index.ts'
import { start } from './harness.ts'

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
