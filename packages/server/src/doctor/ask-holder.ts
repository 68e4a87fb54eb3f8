import { dirname, resolve } from 'node:path'
import { ConfigError, StoreError } from '@postern/core'
import type { SocketLink } from '@postern/vault'
import { rethrow } from './optional-import.ts'

const TIMEOUT_MS = 10_000

/**
 * Asks the running holder of a configuration something through its operator's socket.
 * @throws StoreError when it does not run, or this user may not open the socket
 * @throws ConfigError when it refuses, or there is no such configuration
 */
export async function askHolder(path: string, body: object): Promise<Readonly<Record<string, unknown>>> {
  // Only here: who has no vault need not have it installed.
  const { SocketLink: Link } = await import(/* webpackIgnore: true */ '@postern/vault').catch(rethrow)
  const { readHolderConfig } = await import(/* webpackIgnore: true */ '@postern/vault/holder').catch(rethrow)
  const config = readHolderConfig(path)
  const socket = resolve(dirname(path), config.operator)
  const store = `holder ${config.id} at ${socket}`
  let link: SocketLink | undefined
  try {
    await new Promise<void>((done, fail) => {
      const timer = setTimeout(
        () => fail(new StoreError('does not run, or this user may not ask it', { store, retryable: true })),
        2_000,
      )
      const onUp = (): void => {
        clearTimeout(timer)
        done()
      }
      link = new Link(config.id, { unix: socket }, { onUp })
    })
    const answer = (await link?.request(body, TIMEOUT_MS)) as Readonly<Record<string, unknown>>
    if (answer['refused'] === undefined) return answer
    throw new ConfigError({
      place: store,
      problem: `refused: ${String(answer['detail'] ?? answer['refused'])}`,
    })
  } finally {
    link?.close()
  }
}
