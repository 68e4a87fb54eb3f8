import { randomBytes } from 'node:crypto'
import { chownSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { findBinary, freePort, type LocalServer, makeWorkplace, startServer } from './local-server.ts'

/** The server binary of Redis or Valkey, whichever is installed. */
const redisBinary = (): string | undefined => findBinary('redis-server') ?? findBinary('valkey-server')

/** Whether this machine has Redis or Valkey. */
export function hasRedis(): boolean {
  return redisBinary() !== undefined
}

export interface RedisServerOptions {
  /** A fixed port, to start again where another instance was stopped; a free one unless given. */
  readonly port?: number
  /** Fixed password, to start again under the same address; a random one unless given. */
  readonly password?: string
  /** Further lines of `redis.conf`, e.g. `cluster-enabled yes`. */
  readonly settings?: readonly string[]
  /** A Sentinel instead of a server, with these lines of its own: `sentinel monitor ...`. */
  readonly sentinel?: readonly string[]
}

/**
 * A Redis of the test's own, on loopback with a random password and nothing on disk, for tests that stop, stall or
 * kill it; others share the one of `services()`.
 * @throws Error with the end of the server's log when it does not come up within a minute
 */
export async function startRedis(options: RedisServerOptions = {}): Promise<LocalServer> {
  const binary = redisBinary()
  if (binary === undefined) throw new Error('Redis is not installed')
  const workplace = makeWorkplace('redis')
  const password = options.password ?? randomBytes(18).toString('base64url')
  const port = options.port ?? (await freePort())
  const settings = join(workplace.directory, 'redis.conf')
  const { sentinel } = options
  const lines =
    sentinel === undefined
      ? [
          ...['bind 127.0.0.1', `port ${port}`, `requirepass ${password}`, `masterauth ${password}`],
          ...['save ""', 'appendonly no', `dir ${workplace.directory}`, ...(options.settings ?? [])],
        ]
      : [
          'bind 127.0.0.1',
          `port ${port}`,
          `requirepass ${password}`,
          `dir ${workplace.directory}`,
          ...sentinel,
        ]
  writeFileSync(settings, `${lines.join('\n')}\n`, { mode: 0o600 })
  if (workplace.uid !== undefined) chownSync(settings, workplace.uid, workplace.gid ?? workplace.uid)
  const url = `redis://:${password}@127.0.0.1:${port}`
  return startServer({
    workplace,
    url,
    port,
    command: [binary, settings, ...(sentinel === undefined ? [] : ['--sentinel'])],
    stopSignal: 'TERM',
    answers: () => answersRedis(url),
  })
}

/** Resolves when a Redis at this address lets us in and has loaded its data. */
export async function answersRedis(url: string): Promise<void> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, connectTimeout: 5_000 })
  client.on('error', () => {})
  try {
    await client.connect()
    await client.ping()
  } finally {
    client.disconnect()
  }
}
