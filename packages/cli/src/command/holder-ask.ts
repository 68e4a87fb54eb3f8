import { resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { ConfigError, StoreError } from '@postern/core'
import { askHolder } from '@postern/server'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'

/** How long `ready` waits, and how often it looks, milliseconds. */
const READY_WITHIN_MS = 60_000
const LOOK_EVERY_MS = 200

/** `postern holder ask CONFIG OPERATION [VALUE]`. */
export const run: Command = async ([path = '', operation = '', value = ''], _options, context) => {
  const config = resolve(context.folder, path)
  const answer =
    operation === 'ready'
      ? await readyHolder(config)
      : await askHolder(config, requestOf(operation, value, context.folder))
  context.output.line(JSON.stringify(answer, undefined, 2))
  context.output.result(answer)
  return EXIT.done
}

/**
 * The status of a holder once it runs and sees both others.
 * @throws StoreError when that is not so within a minute
 */
async function readyHolder(config: string): Promise<Readonly<Record<string, unknown>>> {
  let missing = 'it does not run'
  for (const end = performance.now() + READY_WITHIN_MS; performance.now() < end; await wait(LOOK_EVERY_MS)) {
    try {
      const status = await askHolder(config, { op: 'status' })
      const peers = Object.entries((status['peers'] ?? {}) as Readonly<Record<string, unknown>>)
      const down = peers.filter(([, state]) => state !== 'up').map(([id]) => id)
      if (peers.length === 2 && down.length === 0) return status
      missing =
        peers.length < 2 ? 'it does not have two peers' : `it cannot reach holder ${down.join(' and ')}`
    } catch (error) {
      if (!(error instanceof StoreError && error.retryable)) throw error
      missing = 'it does not run, or this user may not ask it'
    }
  }
  throw new StoreError(
    `is not ready: ${missing}. See what \`postern holder run\` printed, and the addresses and fingerprints in "peers"`,
    { store: config, retryable: true },
  )
}

function requestOf(operation: string, value: string, folder: string): object {
  switch (operation) {
    case 'status':
      return { op: 'status' }
    case 'freeze':
    case 'thaw':
      return { op: operation, actor: value }
    case 'begin-epoch':
      return { op: 'epoch.begin', epoch: Number(value) }
    case 'remove-epoch':
      return { op: 'epoch.remove', epoch: Number(value) }
    case 'backup':
      return { op: 'backup', path: resolve(folder, value) }
    case 'canary':
      try {
        return { op: 'canary', context: JSON.parse(value) as unknown }
      } catch {
        throw new ConfigError({
          place: 'holder ask canary',
          problem: 'needs the JSON that postern vault canary prints',
        })
      }
    default:
      throw new ConfigError({
        place: 'holder ask',
        problem: `"${operation}" is not an operation`,
        hint: 'status, ready, freeze, thaw, begin-epoch, remove-epoch, canary or backup',
      })
  }
}
