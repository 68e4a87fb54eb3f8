import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { SOURCE_FLAGS } from '../../../test/source-flags.ts'
import { inProcess } from './in-process.ts'

export const CLI: string = fileURLToPath(new URL('../../postern/src/bin.ts', import.meta.url))

export interface CliResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Starts the command line as its own process. */
export function startCli(
  args: readonly string[],
  folder: string,
  environment: Readonly<Record<string, string>> = {},
): ChildProcess & { readonly stdout: NodeJS.ReadableStream; readonly stderr: NodeJS.ReadableStream } {
  const { PATH = '', HOME = '', NODE_COMPILE_CACHE: compiled } = process.env
  const child = spawn(process.execPath, [...SOURCE_FLAGS, CLI, ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH,
      HOME,
      ...(compiled !== undefined && { NODE_COMPILE_CACHE: compiled }),
      ...environment,
    },
  })
  const { stdout, stderr } = child
  return Object.assign(child, { stdout, stderr })
}

/**
 * Runs the command line to its end in the process of the test, which is still another one than that of a
 * gateway. Most tests ask what a command does, and a process of its own takes a second to start.
 */
export function cli(
  args: readonly string[],
  folder: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<CliResult> {
  const { PATH = '', HOME = '' } = process.env
  return inProcess(args, folder, { environment: { PATH, HOME, ...environment } })
}

/** Runs the command line to its end as users do, in a process of its own. */
export async function cliProcess(
  args: readonly string[],
  folder: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<CliResult> {
  const child = startCli(args, folder, environment)
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr }
}

/** A gateway in a process of its own, ready to be asked. */
export interface GatewayProcess {
  readonly url: string
  readonly admin: string
  readonly output: () => string
  /** Resolves when the output matches. */
  says(pattern: RegExp): Promise<void>
  signal(name: NodeJS.Signals): void
  /** Stops it in order. @returns its exit code */
  stop(): Promise<number | null>
}

/** Starts `postern gateway --json` and waits until it listens. */
export async function startGatewayProcess(
  args: readonly string[],
  folder: string,
  environment: Readonly<Record<string, string>> = {},
  command: 'gateway' | 'forward-auth' = 'gateway',
): Promise<GatewayProcess> {
  const child = startCli(
    [command, '--json', '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', ...args],
    folder,
    environment,
  )
  let output = ''
  const closed = once(child, 'close') as Promise<[number | null]>
  const waiting = new Set<() => void>()
  const hear = (chunk: Buffer): void => {
    output += chunk.toString()
    for (const look of waiting) look()
  }
  child.stdout.on('data', hear)
  child.stderr.on('data', hear)
  const says = (pattern: RegExp): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (!pattern.test(output)) return
        waiting.delete(look)
        resolve()
      }
      waiting.add(look)
      void closed.then(() => reject(new Error(`the gateway ended and never said ${pattern}:\n${output}`)))
      look()
    })
  await says(/"event":"listening".*\n/)
  const line = output.split('\n').find(text => text.includes('"event":"listening"')) ?? '{}'
  const { url, admin } = JSON.parse(line) as { readonly url: string; readonly admin: string }
  return {
    url,
    admin,
    output: () => output,
    says,
    signal: name => void child.kill(name),
    stop: async () => {
      child.kill('SIGTERM')
      const [code] = await closed
      return code
    },
  }
}
