import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root: string = dirname(dirname(fileURLToPath(import.meta.url)))
const CLI = join(root, 'packages/postern/src/cli.ts')

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

/** The gateway as a newcomer starts it, in front of `upstream`, with nothing configured. */
export interface Protected extends Running {
  readonly url: string
  /** Requests that the gateway refused so far: one line each, for people. */
  refusals(): readonly string[]
}

export async function protect(upstream: string): Promise<Protected> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-e2e-'))
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const flags = ['--conditions=@postern/source', '--disable-warning=ExperimentalWarning', CLI]
  const gateway = run(
    process.execPath,
    [...flags, 'gateway', '--to', upstream, '--listen', String(port), '--admin', String(await freePort())],
    {
      cwd: folder,
    },
  )
  try {
    await answering(url)
  } catch (error) {
    throw new Error(gateway.output(), { cause: error })
  }
  return {
    ...gateway,
    url,
    refusals: () => {
      const found: string[] = []
      for (const decision of ['deny', 'throttle', 'challenge']) {
        const search = spawnSync(
          process.execPath,
          [...flags, 'audit', 'search', '--decision', decision, '--json'],
          {
            cwd: folder,
            encoding: 'utf8',
          },
        )
        if (search.status !== 0 && search.status !== 1) throw new Error(`postern audit search failed: ${search.stderr}`)
        found.push(...search.stdout.split('\n').filter(line => line.trim() !== ''))
      }
      return found
    },
    stop: async () => {
      await gateway.stop()
      rmSync(folder, { recursive: true })
    },
  }
}
