import type { CompiledConsole, LoadedConfig } from '@postern/config'
import type { Health } from '@postern/core'
import type { Runtime } from '@postern/runtime'
import type { Overrides } from '../plan/worker-plan.ts'

/** What a console is started with. */
export interface ConsoleSetup {
  readonly settings: CompiledConsole
  readonly runtime: Runtime
  /** Absolute. */
  readonly dataDirectory: string
  /** What the command line said. */
  readonly overrides: Overrides
  /** Where requests are taken; empty in an application's own process. */
  readonly gateway: string
  /** Whether the attacks of the first minute can be sent there. */
  readonly attacks: 'gateway' | 'none'
  /** Where the configuration is: what was given in code cannot be read, tried or written here. */
  readonly configuration: 'file' | 'code'
  /** Threads that take requests. */
  readonly workers: number
  /** Events that threads could not hand over, since the start. */
  lost(): number
  /** The configuration in force. */
  loaded(): LoadedConfig
  /** Reads the configuration again and puts it into force. @returns what to tell the operator, a line each */
  reload(): Promise<readonly string[]>
  health(): readonly Health[]
  /**
   * Sends a test alert. @returns what went wrong, a sentence each; undefined where no alerts are configured
   */
  readonly testAlerts: (() => Promise<readonly string[]>) | undefined
}
