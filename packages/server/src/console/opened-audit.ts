import { ConfigError } from '@postern/core'
import { type AuditSource, hasAudit, openAuditSource } from '@postern/runtime'
import type { ConsoleSetup } from './console-setup.ts'

/**
 * The log for reading, opened when it is first asked for: a new one has nothing to read until something was
 * written.
 */
export class OpenedAudit {
  readonly #setup: ConsoleSetup
  #source: Promise<AuditSource> | undefined

  constructor(setup: ConsoleSetup) {
    this.#setup = setup
  }

  get isKept(): boolean {
    return this.#setup.loaded().config.audit !== false
  }

  async reader(): Promise<AuditSource['reader']> {
    const place = { ...this.#setup.loaded(), dataDirectory: this.#setup.dataDirectory }
    if (this.#source === undefined && !hasAudit(place))
      throw new ConfigError({ place: 'audit', problem: 'nothing was recorded yet', hint: 'send a request' })
    this.#source ??= openAuditSource(place)
    try {
      return (await this.#source).reader
    } catch (error) {
      this.#source = undefined
      throw error
    }
  }

  async close(): Promise<void> {
    await (await this.#source?.catch(() => undefined))?.close()
  }
}
