import { EventEmitter } from 'node:events'
import { Writable } from 'node:stream'
import { main } from '../src/command/main.ts'
import type { CliResult } from './cli.ts'

/** A stream that keeps what is written, at a terminal or not. */
class Kept extends Writable {
  readonly isTTY: boolean
  readonly columns = 100
  text = ''

  constructor(isTTY: boolean) {
    super()
    this.isTTY = isTTY
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString()
    done()
  }
}

export interface InProcessOptions {
  readonly environment?: Readonly<Record<string, string>>
  /** Whether both streams are a terminal. Default: neither is. */
  readonly at?: 'terminal' | 'pipe'
}

/** Runs a command in this process: hundreds of times cheaper than a process of its own. */
export async function inProcess(
  args: readonly string[],
  folder: string,
  options: InProcessOptions = {},
): Promise<CliResult> {
  const isTTY = options.at === 'terminal'
  const [stdout, stderr] = [new Kept(isTTY), new Kept(isTTY)]
  const signals = new EventEmitter()
  const code = await main(args, {
    stdout,
    stderr,
    env: options.environment ?? {},
    cwd: () => folder,
    on: (event, listener) => signals.on(event, listener),
    off: (event, listener) => signals.off(event, listener),
  })
  return { code, stdout: stdout.text, stderr: stderr.text }
}
