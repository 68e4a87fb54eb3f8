import { Redis } from 'ioredis'
import type { LocalServer } from './local-server.ts'
import { startRedis } from './redis-server.ts'
import { until } from './until.ts'

/** A cluster of a test's own. */
export interface RedisCluster {
  readonly urls: readonly string[]
  stop(): Promise<void>
}

/**
 * Three nodes with a third of the slots each, on loopback.
 * @throws Error when they do not become a cluster in time
 */
export async function startRedisCluster(): Promise<RedisCluster> {
  const settings = ['cluster-enabled yes', 'cluster-node-timeout 5000', 'cluster-announce-ip 127.0.0.1']
  const nodes = await Promise.all(
    [1, 2, 3].map(() => startRedis({ settings, password: 'cluster-of-a-test' })),
  )
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map(node => node.stop()))
  }
  // Nodes that are not a cluster yet: a connection of the product's would wait until they are one.
  const clients = nodes.map(({ url }) => new Redis(url))
  try {
    await join(clients, nodes)
    return { urls: nodes.map(({ url }) => url), stop }
  } catch (error) {
    await stop()
    throw error
  } finally {
    for (const client of clients) client.disconnect()
  }
}

async function join(clients: readonly Redis[], nodes: readonly LocalServer[]): Promise<void> {
  for (const [i, client] of clients.entries()) {
    const [first, after] = [i, i + 1].map(third => Math.floor((16_384 * third) / 3)) as [number, number]
    await client.call('CLUSTER', 'ADDSLOTSRANGE', String(first), String(after - 1))
    await client.call('CLUSTER', 'SET-CONFIG-EPOCH', String(i + 1))
  }
  for (const { port } of nodes) await clients[0]?.call('CLUSTER', 'MEET', '127.0.0.1', String(port))
  await until(async () => {
    const infos = await Promise.all(clients.map(client => client.call('CLUSTER', 'INFO')))
    return infos.every(info => /cluster_state:ok/.test(String(info)) && /known_nodes:3/.test(String(info)))
  })
}
