import { open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { WITNESSED } from '../embedded/log-files.ts'
import { formatSignatureLine } from '../format/note.ts'
import type { LogReader } from '../log-reader.ts'
import type { WitnessClient } from './witness-client.ts'

/**
 * Has every new checkpoint of a log cosigned, one round at a time and always the newest, and keeps it with the cosignatures beside the
 * log's own. Never holds up the log.
 */
export class Witnessing {
  readonly #clients: readonly WitnessClient[]
  readonly #reader: LogReader
  readonly #onError: (error: unknown) => void
  #next: string | undefined = undefined
  #round: Promise<void> | undefined = undefined

  constructor(clients: readonly WitnessClient[], reader: LogReader, onError: (error: unknown) => void) {
    this.#clients = clients
    this.#reader = reader
    this.#onError = onError
  }

  /** Takes a new checkpoint; resolves when it, or a newer one, went round. */
  submit(checkpoint: string): Promise<void> {
    this.#next = checkpoint
    this.#round ??= this.#rounds().finally(() => {
      this.#round = undefined
    })
    return this.#round
  }

  async #rounds(): Promise<void> {
    while (this.#next !== undefined) {
      const checkpoint = this.#next
      this.#next = undefined
      const answers = await Promise.allSettled(
        this.#clients.map(client => client.cosign(checkpoint, this.#reader)),
      )
      const lines: string[] = []
      for (const answer of answers) {
        if (answer.status === 'fulfilled') lines.push(formatSignatureLine(answer.value))
        else this.#onError(answer.reason)
      }
      if (lines.length > 0) await this.#keep(`${checkpoint}${lines.join('')}`).catch(this.#onError)
    }
  }

  async #keep(note: string): Promise<void> {
    const path = join(this.#reader.log.directory, WITNESSED)
    const handle = await open(`${path}.new`, 'w', 0o640)
    try {
      await handle.writeFile(note)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(`${path}.new`, path)
  }
}
