import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { ConfigError, type Event, type EventRecorder, systemClock, systemRandom } from '@postern/core'
import { parseHolderConfig } from './holder-config.ts'
import { type RunningHolder, startHolder } from './start-holder.ts'
import type { Unlock } from './unlock.ts'

const USAGE =
  'usage: holder CONFIG.json [--key-file FILE]; without it the passphrase is taken from POSTERN_HOLDER_PASSPHRASE'

/** Writes events as lines of JSON: for a holder that runs by itself. `postern holder` uses the audit log. */
class LineRecorder implements EventRecorder {
  #index = 0n

  record(event: Event): void {
    process.stdout.write(`${JSON.stringify(event)}\n`)
    this.#index++
  }

  async commit(event: Event): Promise<{ readonly index: bigint }> {
    this.record(event)
    return { index: this.#index - 1n }
  }
}

/**
 * Runs a holder from its configuration file; paths in it are relative to its folder, which becomes the
 * process's own.
 * @throws ConfigError, CredentialError and what `startHolder` throws
 */
export async function runHolder(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  recorder: EventRecorder = new LineRecorder(),
): Promise<RunningHolder> {
  const [path, flag, keyFile, ...rest] = args
  if (
    path === undefined ||
    rest.length > 0 ||
    (flag !== undefined && (flag !== '--key-file' || keyFile === undefined))
  )
    throw new ConfigError({ place: 'holder', problem: 'does not understand its arguments', hint: USAGE })
  const unlock = unlockOf(keyFile, environment['POSTERN_HOLDER_PASSPHRASE'])
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    throw new ConfigError({ place: path, problem: 'cannot be read' })
  }
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw new ConfigError({ place: path, problem: 'is not JSON' })
  }
  process.chdir(dirname(resolve(path)))
  const config = parseHolderConfig(json, path)
  return startHolder({ config, unlock, recorder, clock: systemClock, random: systemRandom })
}

function unlockOf(keyFile: string | undefined, passphrase: string | undefined): Unlock {
  if (keyFile !== undefined) return { kind: 'file', path: resolve(keyFile) }
  if (passphrase !== undefined) return { kind: 'passphrase', passphrase }
  throw new ConfigError({ place: 'holder', problem: 'has nothing to unlock with', hint: USAGE })
}
