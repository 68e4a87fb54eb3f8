import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { ALLOW, CidrSet, Engine, type Event, type Guard, type Refusal } from '@postern/core'
import { forwardAuth } from '../../src/index.ts'

const NGINX = ['nginx', '/usr/sbin/nginx'].find(path => spawnSync(path, ['-v']).status === 0)

const REFUSAL: Refusal = {
  effect: 'throttle',
  guard: 'test',
  status: 429,
  retryAfter: 9,
  reasons: [{ rule: 'limit/test', message: 'Slow down, please.' }],
}

const noDeletions: Guard = {
  name: 'test',
  failure: 'closed',
  decide: exchange => {
    exchange.setRequestHeader('x-identity-jwt', exchange.path.canonical === '/ann' ? 'ann' : undefined)
    return exchange.method === 'DELETE' ? REFUSAL : ALLOW
  },
}

/**
 * The server block of docs/forward-auth.md, with the lines about the caller and the ports of this test:
 * what is documented is what is tested.
 */
function documentedServer(port: number, backend: number, endpoint: number): string {
  const page = readFileSync(new URL('../../../../docs/forward-auth.md', import.meta.url), 'utf8')
  const [block = '', identity = ''] = [...page.matchAll(/```nginx\n([\s\S]*?)```/g)].map(([, text]) => text)
  return block
    .replace('auth_request /_postern;', line => `${line}\n${identity}`)
    .replace('127.0.0.1:8080', `127.0.0.1:${port}`)
    .replace('127.0.0.1:3000', `127.0.0.1:${backend}`)
    .replaceAll('127.0.0.1:9090', `127.0.0.1:${endpoint}`)
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  return (server.address() as AddressInfo).port
}

async function freePort(): Promise<number> {
  const server = createServer()
  const port = await listen(server)
  await new Promise(resolve => server.close(resolve))
  return port
}

async function answering(port: number): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    const isOpen = await new Promise<boolean>(resolve => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy()
        resolve(true)
      }).on('error', () => setTimeout(() => resolve(false), 10))
    })
    if (isOpen) return
  }
  throw new Error('nginx did not start')
}

function nginxSuite(nginx: string): void {
  describe('forward-auth behind a real nginx, set up as documented', { timeout: 30_000 }, () => {
    const events: Event[] = []
    const reached: string[] = []
    let told: unknown
    const engine = new Engine({ guards: [noDeletions] })
    engine.listen(event => events.push(event))
    const endpoint = createServer(
      forwardAuth(engine, { dialect: 'nginx', trusted: CidrSet.parse(['loopback']) }),
    )
    const backend = createServer((request, response) => {
      reached.push(`${request.method} ${request.url}`)
      told = request.headers['x-identity-jwt']
      response.statusCode = request.url === '/forbidden' ? 403 : 200
      response.end('the backend')
    })
    const folder = mkdtempSync(join(tmpdir(), 'postern-nginx-'))
    let origin = ''
    let stop: () => Promise<void> = async () => {}

    before(async () => {
      const port = await freePort()
      origin = `http://127.0.0.1:${port}`
      const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      writeFileSync(
        join(folder, 'nginx.conf'),
        `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
         events {}
         http { access_log off;
           ${temporary.map(name => `${name}_temp_path ${folder}/${name};`).join(' ')}
           ${documentedServer(port, await listen(backend), await listen(endpoint))}
         }`,
      )
      const child = spawn(nginx, ['-p', folder, '-e', `${folder}/error.log`, '-c', `${folder}/nginx.conf`], {
        stdio: 'ignore',
      })
      stop = () =>
        new Promise(resolve => {
          child.once('exit', () => resolve())
          child.kill('SIGTERM')
        })
      await answering(port)
    })

    after(async () => {
      await stop()
      for (const server of [endpoint, backend]) {
        server.closeAllConnections()
        await new Promise(resolve => server.close(resolve))
      }
      rmSync(folder, { recursive: true, force: true })
    })

    test('lets an allowed request through to the backend', async () => {
      const reply = await fetch(`${origin}/orders?page=2`, {
        method: 'POST',
        body: 'x=1',
        headers: { 'X-Forwarded-For': '192.0.2.66' },
      })
      assert.equal(reply.status, 200)
      assert.equal(await reply.text(), 'the backend')
      assert.deepEqual(reached.splice(0), ['POST /orders?page=2'])
      const event = events.at(-1)
      assert.equal(event?.request?.method, 'POST')
      assert.equal(event?.request?.path, '/orders')
      assert.equal(event?.request?.host, origin.slice('http://'.length))
      assert.equal(event?.actor.address, '127.0.0.1')
    })

    test('gives the client the true status, when to come back, and the request id', async () => {
      const reply = await fetch(`${origin}/orders/7`, { method: 'DELETE' })
      await reply.text()
      assert.equal(reply.status, 429)
      assert.equal(reply.headers.get('retry-after'), '9')
      assert.equal(reply.headers.get('x-request-id'), events.at(-1)?.request?.id)
      assert.deepEqual(reached, [])
    })

    test('gives the client the page of the refusal, in its language, with the id to tell', async () => {
      const headers = { Accept: 'text/html', 'Accept-Language': 'de', 'X-Postern-Refused': 'forged' }
      const reply = await fetch(`${origin}/orders/7`, { method: 'DELETE', headers })
      const page = await reply.text()
      assert.equal(reply.status, 429)
      assert.equal(reply.headers.get('content-type'), 'text/html; charset=utf-8')
      assert.match(page, /<h1>Zu viele Anfragen<\/h1>/)
      assert.ok(page.includes(events.at(-1)?.request?.id ?? '-'))
      assert.deepEqual(reached, [])
    })

    test('tells the backend who the caller is, and nothing that a client says', async () => {
      const headers = { 'X-Identity-JWT': 'forged' }
      await (await fetch(`${origin}/ann`, { headers })).text()
      assert.equal(told, 'ann')
      await (await fetch(`${origin}/stranger`, { headers })).text()
      assert.equal(told, undefined)
    })

    test("does not mistake the backend's own 403 for a refusal", async () => {
      const reply = await fetch(`${origin}/forbidden`)
      assert.equal(reply.status, 403)
      assert.equal(await reply.text(), 'the backend')
    })
  })
}

if (NGINX === undefined)
  process.stdout.write('nginx is not installed: forward-auth was tested by protocol only\n')
else nginxSuite(NGINX)
