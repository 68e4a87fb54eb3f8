import { join } from 'node:path'
import type { FileLayer } from '../files/file-layer.ts'

const MOST = 4
const SPARE = /^spare\.\d+$/

/**
 * Old segments kept for reuse: a write inside an existing file needs no journal commit of
 * the file system, so its sync is cheaper.
 */
export class SpareSegments {
  readonly #files: FileLayer
  readonly #directory: string
  #paths: string[] = []
  #number = 0

  constructor(files: FileLayer, directory: string) {
    this.#files = files
    this.#directory = directory
  }

  /** Gives an old file a new name, if there is one. */
  use(path: string): void {
    const spare = this.#paths.at(-1)
    if (spare === undefined) return
    this.#files.rename(spare, path)
    this.#paths.pop()
  }

  /** Takes a segment that is needed no longer, or removes it. */
  keep(path: string): void {
    if (this.#paths.length >= MOST) {
      this.#files.remove(path)
      return
    }
    const spare = join(this.#directory, `spare.${this.#number++}`)
    this.#files.rename(path, spare)
    this.#paths.push(spare)
  }

  /** Removes all, also those of an earlier process. */
  remove(): void {
    this.#paths = []
    for (const name of this.#files.list(this.#directory))
      if (SPARE.test(name)) this.#files.remove(join(this.#directory, name))
  }
}
