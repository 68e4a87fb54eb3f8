// Backends in the languages of the web that answer with what their parsers read of a request, and one
// upstream that asks them all.
import { existsSync, globSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installPackages } from '../test/install-services.ts'
import { answering, freePort, type Running, root, run } from './protected.ts'

const folder = join(root, 'e2e/backends')
const START_SECONDS = 60
const ANSWER_MS = 10_000

interface Backend {
  readonly name: string
  /** Debian's packages. */
  readonly packages: readonly string[]
  /** A file that is there when they are. */
  readonly needs: string
  command(port: number, scratch: string): readonly [string, ...string[]]
}

const PYTHON = '/usr/bin/python3'

/** What Spring runs on, and what it reads JSON with. */
function javaPath(): string {
  return ['tomcat10-*', 'jackson-*'].flatMap(name => globSync(`/usr/share/java/${name}.jar`)).join(':')
}

export const BACKENDS: readonly Backend[] = [
  {
    name: 'PHP',
    packages: ['php-cli', 'php-xml'],
    needs: '/usr/bin/php',
    command: port => ['php', '-S', `127.0.0.1:${port}`, join(folder, 'read.php')],
  },
  {
    name: 'Flask',
    packages: ['python3-flask'],
    needs: '/usr/lib/python3/dist-packages/flask',
    command: port => [PYTHON, join(folder, 'read_python.py'), 'flask', String(port)],
  },
  {
    name: 'Django',
    packages: ['python3-django'],
    needs: '/usr/lib/python3/dist-packages/django',
    command: port => [PYTHON, join(folder, 'read_python.py'), 'django', String(port)],
  },
  {
    name: 'Rack',
    packages: ['ruby', 'ruby-rack', 'ruby-webrick'],
    needs: '/usr/bin/rackup',
    command: port => ['ruby', join(folder, 'read.rb'), String(port)],
  },
  {
    name: 'Go',
    packages: ['golang-go'],
    needs: '/usr/bin/go',
    // Not `go run`: what that starts outlives it.
    command: (port, scratch) => [
      'sh',
      '-c',
      'go build -o "$1/read-go" "$0" && exec "$1/read-go" "$2"',
      join(folder, 'read.go'),
      scratch,
      String(port),
    ],
  },
  {
    name: 'Plack',
    packages: ['libplack-perl'],
    needs: '/usr/share/perl5/Plack.pm',
    command: port => ['perl', join(folder, 'read.psgi.pl'), String(port)],
  },
  {
    name: 'Tomcat',
    packages: ['default-jdk-headless', 'libtomcat10-java', 'libjackson2-databind-java'],
    needs: '/usr/share/java/tomcat10-catalina.jar',
    command: (port, scratch) => ['java', '-cp', javaPath(), join(folder, 'Read.java'), String(port), scratch],
  },
  {
    name: 'Node',
    packages: [],
    needs: folder,
    command: port => [process.execPath, join(folder, 'read.mjs'), String(port)],
  },
]

/** The backends that could be started, and the upstream that asks them all. */
export interface AllBackends {
  readonly url: string
  /** By name, why a backend is not among them. */
  readonly missing: ReadonlyMap<string, string>
  stop(): Promise<void>
}

/** What each backend read: lists of texts by its name. */
export type Readings = Readonly<Record<string, readonly string[]>>

/** Installs what is missing, as root on Debian, and starts every backend that is installed. */
export async function startBackends(): Promise<AllBackends> {
  const missing = new Map<string, string>()
  const running = new Map<string, { port: number; process: Running }>()
  const scratch = mkdtempSync(join(tmpdir(), 'postern-backends-'))
  const absent = BACKENDS.filter(({ needs }) => !existsSync(needs)).flatMap(({ packages }) => packages)
  if (absent.length > 0) installPackages(absent)
  const stop = async (): Promise<void> => {
    await Promise.all([...running.values()].map(({ process: one }) => one.stop()))
    rmSync(scratch, { recursive: true, force: true })
  }
  const started = await Promise.allSettled(
    BACKENDS.map(async backend => {
      if (!existsSync(backend.needs)) {
        missing.set(backend.name, `not installed: apt install ${backend.packages.join(' ')}`)
        return
      }
      const port = await freePort()
      const [program, ...args] = backend.command(port, scratch)
      const process_ = run(program, args, {
        cwd: scratch,
        env: { ...process.env, GOCACHE: join(scratch, 'go'), HOME: scratch },
      })
      running.set(backend.name, { port, process: process_ })
      await answering(`http://127.0.0.1:${port}/`, START_SECONDS).catch(() => {
        throw new Error(`${backend.name} did not start: ${process_.output()}`)
      })
    }),
  )
  for (const one of started)
    if (one.status === 'rejected') {
      await stop()
      throw one.reason
    }
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const sent = bytesOf(request, Buffer.concat(chunks))
    const readings = await Promise.all(
      [...running].map(async ([name, { port }]) => [name, await ask(port, sent)] as const),
    )
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(Object.fromEntries(readings)))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    missing,
    stop: async () => {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
      await stop()
    },
  }
}

const OF_A_CONNECTION = new Set(['connection', 'transfer-encoding', 'content-length', 'keep-alive', 'expect'])

/** A request as it came, but for what belongs to the connection. */
function bytesOf(request: IncomingMessage, body: Buffer): Buffer {
  const lines = [`${request.method} ${request.url} HTTP/1.1`, 'connection: close']
  for (let at = 0; at + 1 < request.rawHeaders.length; at += 2) {
    const name = request.rawHeaders[at] as string
    if (!OF_A_CONNECTION.has(name.toLowerCase())) lines.push(`${name}: ${request.rawHeaders[at + 1]}`)
  }
  if (request.method !== 'GET') lines.push(`content-length: ${body.length}`)
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body])
}

/** @returns what the backend read; the whole answer where that is not a list */
async function ask(port: number, request: Buffer): Promise<string[]> {
  const answer = await exchange(port, request)
  const list = /\[.*\]/s.exec(answer.slice(answer.indexOf('\r\n\r\n') + 4))?.[0]
  try {
    return list === undefined ? [] : (JSON.parse(list) as unknown[]).map(String)
  } catch {
    return [answer]
  }
}

/** Sends bytes to a port of this machine, and takes all that comes until the other side closes. */
export function exchange(port: number, request: Buffer): Promise<string> {
  return new Promise(resolve => {
    const chunks: Buffer[] = []
    const socket = connect(port, '127.0.0.1')
    socket.setTimeout(ANSWER_MS, () => socket.destroy())
    socket.on('data', chunk => chunks.push(chunk))
    // A backend that closes before it has read everything has answered.
    socket.on('error', () => {})
    socket.on('close', () => resolve(Buffer.concat(chunks).toString()))
    socket.write(request)
  })
}
