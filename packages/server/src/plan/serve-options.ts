import type { LoadedConfig } from '@postern/config'
import type { Overrides } from './worker-plan.ts'

/** What a gateway or an endpoint for forward-auth is served from. */
export interface ServeOptions {
  /** The configuration with the overrides in it. */
  readonly loaded: LoadedConfig
  /** What the command line said, for workers that read the configuration themselves. */
  readonly overrides: Overrides
  /** Absolute. */
  readonly dataDirectory: string
  /** What takes requests: the reverse proxy (the default), or the endpoint that another proxy asks. */
  readonly kind?: 'gateway' | 'forward-auth'
  /**
   * Told in a sentence that the start waits for another process to give the data directory back. Default: one
   * that is in use is an error at once.
   */
  readonly onWait?: (sentence: string) => void
  /** Ends that wait when it is aborted: its reason is thrown. */
  readonly stop?: AbortSignal
}
