import type { Config, ExtensionConfig } from '@postern/config'
import type { Verbosity } from '@postern/runtime'

/**
 * Options of `postern`, each of them optional.
 * @example
 * ```ts
 * import { type PosternOptions, postern } from 'postern'
 *
 * const options: PosternOptions = { config: { audit: false, mode: 'observe' }, log: 'none' }
 * const guarded = await postern(options)
 * console.log(guarded.engine.mode) // prints: observe
 * await guarded.close()
 * ```
 */
export interface PosternOptions extends ExtensionConfig {
  /** The configuration itself, instead of a file. */
  readonly config?: Config
  /**
   * The file to read. Default: `postern.config.*` in the working directory; without
   * a file the defaults apply.
   */
  readonly file?: string
  /**
   * What is written while the layer runs: `refusals` (a line at the start, one for each refusal, and what is
   * set wrong), `start` (without the refusals) or `none`. At most 50 lines a second. Default: `refusals`.
   */
  readonly log?: Verbosity
  /** Takes those lines. Default: standard error, each with `postern: ` before it. */
  readonly onLine?: (line: string) => void
  /** Folder that paths start from. Default: the working directory. */
  readonly folder?: string
}
