import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, type TestContext, test } from 'node:test'
import { loadConfig } from '@postern/config'
import { FILES_OF_BACKEND_CONNECTION } from '@postern/gateway'
import { fewFilesSentence, fittedCaps } from '../src/plan/open-files.ts'

const { caps } = (await loadConfig({ folder: tmpdir(), environment: {} })).config
const total = ({ connections, upstreamConnections }: typeof caps): number =>
  connections + upstreamConnections * FILES_OF_BACKEND_CONNECTION

describe('caps', () => {
  test('are those of the configuration where files suffice, or no limit is known', () => {
    for (const files of [undefined, 65_536]) assert.deepEqual(fittedCaps(caps, 2, files), caps)
    assert.equal(fewFilesSentence(caps, 2, 65_536), undefined)
  })

  test('of all threads together stay within what the process may open, and serve somebody with little', () => {
    for (const files of [256, 512, 1_024, 4_096, 20_000])
      for (const threads of [1, 2, 8]) {
        const fitted = fittedCaps(caps, threads, files)
        assert.ok(fitted.connections >= 8 && fitted.upstreamConnections >= 1)
        if (fitted.connections > 8) assert.ok(total(fitted) * threads < files - 80, `${files} ${threads}`)
        assert.ok(fitted.connections <= caps.connections)
      }
    assert.deepEqual(fittedCaps({ ...caps, connections: 50, upstreamConnections: 4 }, 1, 1_024), {
      ...{ ...caps, connections: 50, upstreamConnections: 4 },
    })
  })

  test('that are few are said, with how to have more', () => {
    assert.match(fewFilesSentence(caps, 2, 256) ?? '', /256 files open, .* on each of 2 threads/)
    assert.equal(fewFilesSentence({ ...caps, connections: 20 }, 1, 1_024), undefined, 'as configured')
  })
})

/** The gateway with so many files, and a backend that answers late. */
async function gatewayWith(files: number, t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'postern-files-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const backend = createServer((_request, response) => response.end('ok')).listen(0, '127.0.0.1')
  await once(backend, 'listening')
  t.after(() => backend.close())
  t.after(() => backend.closeAllConnections())
  const to = `http://127.0.0.1:${(backend.address() as AddressInfo).port}`
  const bin = new URL('../../postern/src/bin.ts', import.meta.url).pathname
  const script = `ulimit -n ${files} && exec "$0" "$@"`
  const node = ['--conditions=@postern/source', '--disable-warning=ExperimentalWarning', bin, 'gateway']
  const options = ['--to', to, '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--json']
  const child = spawn('sh', ['-c', script, process.execPath, ...node, ...options], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => child.kill('SIGKILL'))
  const notes = text(child.stderr)
  let printed = ''
  for await (const piece of child.stdout) {
    printed += String(piece)
    if (printed.includes('"listening"')) break
  }
  const { url } = JSON.parse(printed.split('\n').find(line => line.includes('"listening"')) ?? '{}')
  return { url: new URL(url), child, notes, folder }
}

test('attack: connections of many clients take all files that a gateway may open', {
  skip: process.platform === 'linux' ? false : 'the limit of a process is read from /proc',
}, async t => {
  const { url, child, notes } = await gatewayWith(300, t)
  const sockets: Socket[] = []
  t.after(() => {
    for (const socket of sockets) socket.destroy()
  })
  // Addresses of loopback: the cap of one address is not what is tried.
  const dial = async (i: number): Promise<Socket> => {
    const socket = connect({
      port: Number(url.port),
      host: url.hostname,
      localAddress: `127.0.0.${2 + (i % 200)}`,
    })
    sockets.push(socket)
    socket.on('error', () => undefined)
    await Promise.race([once(socket, 'connect'), once(socket, 'close')])
    return socket
  }
  for (let i = 0; i < 400; i++) await dial(i)
  const open = readdirSync(`/proc/${child.pid}/fd`).length
  assert.ok(open < 280, `${open} files are open`)
  // Whoever got a connection is answered.
  const first = sockets.find(socket => !socket.destroyed)
  assert.ok(first)
  first.write('GET / HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n')
  assert.match(await text(first), /^HTTP\/1.1 200/)
  child.kill('SIGTERM')
  for (const socket of sockets) socket.destroy()
  assert.match(await notes, /this process may have 300 files open, .*; raise the limit: ulimit -n 65536/)
})
