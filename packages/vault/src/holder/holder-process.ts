import { dirname, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { ConfigError, type Event, type EventRecorder, systemClock, systemRandom } from '@postern/core'
import { readHolderConfig } from './read-holder-config.ts'
import { type RunningHolder, startHolder } from './start-holder.ts'
import type { Unlock } from './unlock.ts'
import { unlockFrom } from './unlock-options.ts'

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
 * process's own. Diagnostic reports of the process leave out its environment from then on.
 * @throws ConfigError, CredentialError and what `startHolder` throws
 */
export async function runHolder(
  path: string,
  unlock: Unlock,
  recorder: EventRecorder = new LineRecorder(),
): Promise<RunningHolder> {
  const config = readHolderConfig(path)
  // A report on a crash or a signal is written beside the configuration, and would have the passphrase or the
  // credentials of the key service in it.
  process.report.excludeEnv = true
  process.chdir(dirname(resolve(path)))
  return startHolder({ config, unlock, recorder, clock: systemClock, random: systemRandom })
}

/**
 * The path of a configuration and what unlocks it, from the arguments of a program: `CONFIG.json` and the
 * options of `UnlockOptions` in kebab case.
 * @throws ConfigError
 */
export function holderArguments(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): { readonly path: string; readonly unlock: Unlock } {
  const option = { type: 'string' } as const
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        'key-file': option,
        'aws-kms': option,
        'gcp-kms': option,
        'vault-transit': option,
        'kms-endpoint': option,
      },
    })
    const [path, ...rest] = positionals
    if (path === undefined || rest.length > 0) throw new TypeError('one configuration is needed')
    const options = Object.fromEntries(
      Object.entries(values).map(([name, value]) => [
        name.replace(/-(.)/g, (_, x: string) => x.toUpperCase()),
        value,
      ]),
    )
    return { path, unlock: unlockFrom(options, environment, process.cwd()) }
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw new ConfigError({
      place: 'holder',
      problem: 'does not understand its arguments',
      hint: 'CONFIG.json [--key-file FILE | --aws-kms REGION/KEY | --gcp-kms KEY | --vault-transit URL]',
    })
  }
}
