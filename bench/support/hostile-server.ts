// The servers of the benchmark `hostile`: the arguments are `backend`, or `gateway BACKEND FOLDER CERT KEY`.
// Each reports its ports to its parent.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startGateway } from '@postern/gateway'
import { postern } from 'postern'

const LARGE = Buffer.alloc(20 * 1_048_576, 120)

/** Answers `/large` with 20 MB and everything else with a little JSON, after reading what was sent. */
async function startBackend(): Promise<number> {
  const server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
    request.resume().on('end', () => {
      const body = request.url === '/large' ? LARGE : '{"hello":"world","items":[1,2,3]}'
      response.writeHead(200, { 'content-type': 'application/json' }).end(body)
    })
  }).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  return (server.address() as AddressInfo).port
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

const [role, upstream = '', folder = '', cert = '', key = ''] = process.argv.slice(2)
const ports = role === 'backend' ? [await startBackend()] : await startGateways(upstream, folder, cert, key)
process.send?.(ports)
process.on('disconnect', () => process.exit())
