import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { LoadedConfig } from '@postern/config'
import type { HolderReading, VaultDesk } from '@postern/console'
import { PosternError } from '@postern/core'
import { askHolder } from '../doctor/ask-holder.ts'
import { vaultStatus } from '../doctor/vault-status.ts'

/** A status is good for so long: every page that looks would open new connections to three holders. */
const FRESH_MS = 5_000

/** The vault that `console.vault` names. */
export class VaultInFile implements VaultDesk {
  readonly #loaded: () => LoadedConfig
  readonly #now: () => number
  #status: { readonly at: number; readonly value: ReturnType<typeof vaultStatus> } | undefined

  /** @param loaded the configuration in force @param now monotonic milliseconds */
  constructor(loaded: () => LoadedConfig, now: () => number) {
    this.#loaded = loaded
    this.#now = now
  }

  /** Absolute path of `vault.json`. */
  get path(): string {
    const { config, file } = this.#loaded()
    return resolve(file.folder, config.console === false ? 'vault.json' : config.console.vault)
  }

  get isThere(): boolean {
    return existsSync(this.path)
  }

  status(): ReturnType<typeof vaultStatus> {
    const now = this.#now()
    if (this.#status === undefined || now - this.#status.at > FRESH_MS) {
      const value = vaultStatus(this.path, process.env)
      value.catch(() => {
        this.#status = undefined
      })
      this.#status = { at: now, value }
    }
    return this.#status.value
  }

  async holders(): Promise<readonly HolderReading[]> {
    const { config, file } = this.#loaded()
    const paths = config.console === false ? [] : config.console.holders
    return Promise.all(paths.map(path => readingOf(path, resolve(file.folder, path))))
  }
}

async function readingOf(name: string, path: string): Promise<HolderReading> {
  try {
    const answer = await askHolder(path, { op: 'status' })
    const { holder, epochs, frozen, opened, limit, canaries } = answer
    return {
      path: name,
      ...(typeof holder === 'number' && { id: holder }),
      ...(Array.isArray(epochs) && { epochs: epochs.map(Number) }),
      ...(isTexts(frozen) && { frozen }),
      ...(typeof opened === 'number' && { opened }),
      ...(typeof limit === 'number' && { limit }),
      ...(typeof canaries === 'number' && { canaries }),
    }
  } catch (error) {
    return { path: name, problem: error instanceof PosternError ? error.message : 'cannot be read' }
  }
}

function isTexts(value: unknown): value is Readonly<Record<string, string>> {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every(text => typeof text === 'string')
  )
}
