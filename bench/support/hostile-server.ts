// The servers of the benchmark `hostile`: the arguments are `backend`, `bare CERT KEY`, or
// `gateway BACKEND FOLDER CERT KEY`. Each reports its ports to its parent.
import { readFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { createSecureServer } from 'node:http2'
import type { AddressInfo, Server } from 'node:net'
import { startGateway } from '@postern/gateway'
import { postern } from 'postern'

const LARGE = Buffer.alloc(20 * 1_048_576, 120)

/** Answers `/large` with 20 MB and everything else with a little JSON, after reading what was sent. */
const answer: RequestListener = (request, response) => {
  request.resume().on('end', () => {
    const body = request.url === '/large' ? LARGE : '{"hello":"world","items":[1,2,3]}'
    response.writeHead(200, { 'content-type': 'application/json' }).end(body)
  })
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  return (server.address() as AddressInfo).port
}

function startBackend(): Promise<number> {
  return listen(createServer({ keepAliveTimeout: 600_000 }, answer))
}

/**
 * The floor: a bare server of node, which answers by itself and decides, inspects and records nothing. What
 * its good clients notice under the same attack is the least that any server on node can make them notice.
 */
async function startBare(cert: string, key: string): Promise<readonly number[]> {
  const tls = { cert: readFileSync(cert), key: readFileSync(key) }
  const secure = createSecureServer(tls)
  // Its requests are those of HTTP/1 in all that `answer` uses.
  secure.on('request', (request, response) => answer(request as never, response as never))
  return Promise.all([listen(createServer(answer)), listen(secure)])
}

/** The default configuration in both protocols: one thread, as a small machine would run it. */
async function startGateways(
  upstream: string,
  folder: string,
  cert: string,
  key: string,
): Promise<readonly number[]> {
  const layer = await postern({ folder, config: { dataDirectory: folder } })
  const engine = (): typeof layer.engine => layer.engine
  const plain = await startGateway({ engine, upstream, listen: { port: 0, host: '127.0.0.1' } })
  const tls = { cert: readFileSync(cert), key: readFileSync(key) }
  const secure = await startGateway({ engine, upstream, listen: { port: 0, host: '127.0.0.1', tls } })
  return [plain, secure].map(({ url }) => Number(new URL(url).port))
}

/**
 * Answers each message with the longest stretch for which the event loop was held since the last one, in
 * milliseconds of CPU: what other processes of the machine take is not in it.
 */
function watchTurns(): void {
  const cpu = (): number => {
    const { user, system } = process.threadCpuUsage()
    return (user + system) / 1_000
  }
  let longest = 0
  let last = cpu()
  setInterval(() => {
    const now = cpu()
    longest = Math.max(longest, now - last)
    last = now
  }, 1)
  process.on('message', () => {
    process.send?.(longest)
    longest = 0
  })
}

const [role, ...args] = process.argv.slice(2)
const [first = '', second = '', third = '', fourth = ''] = args
const ports = await (role === 'backend'
  ? startBackend()
  : role === 'bare'
    ? startBare(first, second)
    : startGateways(first, second, third, fourth))
if (role !== 'backend') watchTurns()
process.send?.(Array.isArray(ports) ? ports : [ports])
process.on('disconnect', () => process.exit())
