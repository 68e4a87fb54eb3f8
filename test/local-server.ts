import { spawn, spawnSync } from 'node:child_process'
import { accessSync, chownSync, constants, globSync, mkdtempSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/**
 * A server process of the tests: on a free loopback port, in a temporary directory,
 * gone when this process is gone.
 */
export interface LocalServer {
  readonly url: string
  readonly port: number
  /** Sends a signal to the server itself: `SIGSTOP` and `SIGCONT` make it stall, `SIGKILL` makes it crash. */
  signal(signal: NodeJS.Signals): void
  /** Stops the server and removes its directory. Safe to call twice. */
  stop(): Promise<void>
}

/** Who the server runs as, and where it may write. */
export interface Workplace {
  readonly directory: string
  readonly uid?: number
  readonly gid?: number
}

const START_LIMIT_MS = 60_000

/** Where Debian and Homebrew keep binaries that are not on the path. */
const EXTRA_PATHS = ['/usr/lib/postgresql/*/bin', '/opt/homebrew/bin', '/usr/local/bin']

/**
 * Full path of an executable, the newest version first where several are installed;
 * undefined when there is none.
 */
export function findBinary(name: string): string | undefined {
  const versioned = EXTRA_PATHS.flatMap(pattern => globSync(pattern)).sort(byVersionDescending)
  const folders = [...versioned, ...(process.env['PATH'] ?? '').split(delimiter)]
  return folders.map(folder => join(folder, name)).find(isExecutable)
}

function byVersionDescending(a: string, b: string): number {
  return b.localeCompare(a, 'en', { numeric: true })
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/**
 * A temporary directory; owned by an unprivileged user when this process is root,
 * for PostgreSQL refuses to run as root.
 */
export function makeWorkplace(name: string): Workplace {
  const directory = mkdtempSync(join(tmpdir(), `postern-test-${name}-`))
  if (process.getuid?.() !== 0) return { directory }
  const [uid, gid] = unprivilegedUser()
  chownSync(directory, uid, gid)
  return { directory, uid, gid }
}

function unprivilegedUser(): readonly [number, number] {
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n')
  for (const name of ['postgres', 'nobody']) {
    const fields = lines.find(line => line.startsWith(`${name}:`))?.split(':')
    if (fields !== undefined) return [Number(fields[2]), Number(fields[3])]
  }
  return [65_534, 65_534]
}

/** A loopback port nobody listens on right now. */
export async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', resolve)
  })
  const address = probe.address()
  await new Promise(resolve => probe.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

/** Runs one preparing command to its end, as the workplace's user. */
export function runIn(workplace: Workplace, command: string, args: readonly string[]): void {
  const run = spawnSync(command, args, {
    ...identity(workplace),
    cwd: workplace.directory,
    encoding: 'utf8',
    timeout: START_LIMIT_MS,
  })
  if (run.status !== 0)
    throw new Error(
      `${command} failed: ${(run.stderr ?? run.error?.message ?? '').trim().split('\n').at(-1) ?? ''}`,
    )
}

function identity({ uid, gid }: Workplace): { uid?: number; gid?: number } {
  return { ...(uid !== undefined && { uid }), ...(gid !== undefined && { gid }) }
}

export interface ServerOptions {
  readonly workplace: Workplace
  readonly url: string
  readonly port: number
  readonly command: readonly [string, ...string[]]
  /** Ends the server quickly and in order. */
  readonly stopSignal: 'TERM' | 'QUIT'
  /** Resolves once the server answers; called again and again until it does. */
  readonly answers: () => Promise<void>
}

/**
 * The keeper: a shell between this process and the server. It waits for the end of its standard input, which
 * comes when this process stops it or dies in whatever way, then ends the server and removes the directory.
 */
const KEEPER = `
directory=$1; signal=$2; shift 2
"$@" >"$directory/log" 2>&1 &
server=$!
echo $server
cat >/dev/null
kill -s CONT $server 2>/dev/null; kill -s $signal $server 2>/dev/null
( sleep 10 & limit=$!; trap 'kill $limit; exit' TERM; wait $limit; kill -s KILL $server ) >/dev/null 2>&1 &
guard=$!
wait $server 2>/dev/null
kill $guard 2>/dev/null
rm -rf "$directory"
`

/** Starts a server under a keeper and waits, within bounds, until it answers. */
export async function startServer(options: ServerOptions): Promise<LocalServer> {
  const { workplace, port, url } = options
  const keeper = spawn(
    'sh',
    ['-c', KEEPER, 'keeper', workplace.directory, options.stopSignal, ...options.command],
    {
      ...identity(workplace),
      cwd: workplace.directory,
      // A group of its own: Ctrl-C in a terminal must reach the tests first, not the database under them.
      detached: true,
      stdio: ['pipe', 'pipe', 'ignore'],
    },
  )
  const ended = new Promise<void>(resolve => keeper.once('close', () => resolve()))
  const serverId = new Promise<number>((resolve, reject) => {
    keeper.once('error', reject)
    keeper.stdout.once('data', (line: Buffer) => resolve(Number(line.toString())))
  })
  const pid = await serverId
  // None of these may keep a finished test process alive; its end closes the pipe, and the keeper cleans up.
  keeper.unref()
  for (const stream of [keeper.stdin, keeper.stdout])
    if ('unref' in stream && typeof stream.unref === 'function') stream.unref()
  const server: LocalServer = {
    url,
    port,
    signal: signal => {
      process.kill(pid, signal)
    },
    stop: async () => {
      keeper.ref()
      keeper.stdin.end()
      await ended
    },
  }
  const deadline = performance.now() + START_LIMIT_MS
  for (;;) {
    try {
      await options.answers()
      return server
    } catch (cause) {
      const gone = !isAlive(pid)
      if (gone || performance.now() > deadline) {
        const log = lastLines(join(workplace.directory, 'log'))
        await server.stop()
        throw new Error(`${options.command[0]} ${gone ? 'ended at once' : 'does not answer'}: ${log}`, {
          cause,
        })
      }
      await delay(50)
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function lastLines(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim().split('\n').slice(-5).join(' | ')
  } catch {
    return 'it wrote no log'
  }
}
