import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root: string = dirname(dirname(fileURLToPath(import.meta.url)))
const FLAGS = [
  '--conditions=@postern/source',
  '--disable-warning=ExperimentalWarning',
  join(root, 'packages/postern/src/bin.ts'),
]

/** A free TCP port on loopback. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise(resolve => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Waits until an address answers anything over HTTP, at most `seconds`. */
export async function answering(url: string, seconds = 60): Promise<void> {
  const deadline = Date.now() + seconds * 1_000
  for (;;) {
    try {
      await fetch(url, { signal: AbortSignal.timeout(2_000) })
      return
    } catch (error) {
      if (Date.now() > deadline)
        throw new Error(`${url} did not answer within ${seconds} s`, { cause: error })
      await new Promise(resolve => setTimeout(resolve, 100))
    }
  }
}

/** A child process whose output is kept for the error message. */
export interface Running {
  readonly process: ChildProcess
  output(): string
  stop(): Promise<void>
}

export function run(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Running {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-20_000)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const ended = new Promise<void>(resolve => child.on('exit', () => resolve()))
  return {
    process: child,
    output: () => output,
    stop: async () => {
      child.kill('SIGTERM')
      await ended
    },
  }
}

export interface ProtectOptions {
  /** What stands in postern.config.json; nothing, so that the defaults protect, unless given. */
  readonly config?: Readonly<Record<string, unknown>>
  /** The text of postern.config.ts instead: code. */
  readonly code?: string
  /** Port of the gateway. Default: a free one. */
  readonly port?: number
}

/** The gateway as a newcomer starts it, in front of `upstream`. */
export interface Protected extends Running {
  readonly url: string
  /** Requests that the gateway refused so far: one line each, for people. */
  refusals(): readonly string[]
  /** Where the gateway keeps its data. */
  readonly folder: string
  /** The command line in the gateway's own folder. @returns what it printed */
  postern(...args: readonly string[]): string
}

export async function protect(
  upstream: string,
  { config, code, port }: ProtectOptions = {},
): Promise<Protected> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-e2e-'))
  if (config !== undefined) writeFileSync(join(folder, 'postern.config.json'), JSON.stringify(config))
  if (code !== undefined) {
    writeFileSync(join(folder, 'postern.config.ts'), code)
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  }
  const listen = `127.0.0.1:${port ?? (await freePort())}`
  const admin = `127.0.0.1:${await freePort()}`
  const gateway = run(
    process.execPath,
    [...FLAGS, 'gateway', '--to', upstream, '--listen', listen, '--admin', admin],
    { cwd: folder },
  )
  const url = `http://${listen}`
  try {
    await answering(url)
  } catch (error) {
    await gateway.stop()
    rmSync(folder, { recursive: true, force: true })
    throw new Error(gateway.output(), { cause: error })
  }
  const postern = (...args: readonly string[]): string => {
    const done = spawnSync(process.execPath, [...FLAGS, ...args], {
      cwd: folder,
      encoding: 'utf8',
      maxBuffer: 1e9,
    })
    if (done.status !== 0 && done.status !== 1)
      throw new Error(`postern ${args.join(' ')} failed: ${done.stderr}`)
    return done.stdout
  }
  return {
    ...gateway,
    url,
    folder,
    postern,
    refusals: () =>
      ['deny', 'throttle', 'challenge'].flatMap(decision =>
        postern('audit', 'search', '--decision', decision, '--limit', '100000', '--json')
          .split('\n')
          .filter(line => line.trim() !== '')
          .map(refusalLine),
      ),
    stop: async () => {
      await gateway.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The parts of an audited refusal that say what was refused and why. */
interface RefusedEntry {
  readonly event: {
    readonly request?: { readonly method: string; readonly path: string; readonly query: string }
    readonly reasons?: readonly {
      readonly rule: string
      readonly evidence?: { readonly location?: string; readonly span?: string }
    }[]
  }
}

function refusalLine(line: string): string {
  const { request, reasons = [] } = (JSON.parse(line) as RefusedEntry).event
  const why = reasons.map(
    ({ rule, evidence }) => `${rule} at ${evidence?.location} on ${JSON.stringify(evidence?.span)}`,
  )
  return `${request?.method} ${request?.path}?${request?.query}: ${why.join('; ')}`
}
