import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { SOURCE_FLAGS } from '../../../test/source-flags.ts'
import { root } from '../../workspace.ts'
import type { Block } from './page.ts'

/** Ports that pages name. Each run replaces them by free ones, so that runs do not collide. */
const PORTS = ['3000', '8080', '9090', '9464'] as const
/** The folder that pages name where a program prints its own. */
const FOLDER = '/home/ann/shop'
/** Commands that run until they are stopped. */
const SERVES = /^(?:node|npx postern (?:gateway|forward-auth)|python3 -m http\.server|nginx|caddy run) ?/
const REQUEST_ID = /\b[0-9a-z]{20}\b/g
const PATIENCE = 60_000
/** How long a command may take to print what the page shows. */
const SOON = 5_000

/**
 * An empty folder in which the blocks of a page run as they are printed. Three things differ from a reader's
 * machine: port numbers are free ones, `npm install` links what the workspace has installed instead of asking
 * the registry, and Postern runs from its sources, so that `tsc` compiles without its declarations. In
 * output, request ids, times, counts and process numbers may differ.
 */
export class Project {
  readonly folder: string = realpathSync(mkdtempSync(join(tmpdir(), 'postern-page-')))
  readonly #tools: string = mkdtempSync(join(tmpdir(), 'postern-tools-'))
  readonly #ports = new Map<string, string>()
  readonly #requestIds = new Map<string, string>()
  readonly #servers: ChildProcess[] = []

  static async open(): Promise<Project> {
    const project = new Project()
    for (const port of PORTS) project.#ports.set(port, await anotherFreePort([...project.#ports.values()]))
    writeFileSync(join(project.#tools, '.curlrc'), 'silent\nshow-error\n')
    writeFileSync(join(project.#tools, 'npm'), npmShim(project.#tools), { mode: 0o755 })
    return project
  }

  /** Runs blocks in order: files are written, `sh` must succeed, `console` must print what the page shows. */
  async run(blocks: readonly Block[]): Promise<void> {
    for (const { language, file, text } of blocks) {
      if (file !== undefined) this.write(file, text)
      else if (language === 'sh') await this.#finish(text)
      else if (language === 'console') await this.#session(text)
    }
  }

  write(file: string, text: string): void {
    mkdirSync(dirname(join(this.folder, file)), { recursive: true })
    writeFileSync(join(this.folder, file), this.#here(text))
  }

  /** A port of this run for one that pages name. */
  port(named: (typeof PORTS)[number]): string {
    return this.#ports.get(named) ?? named
  }

  /** Stops every server that the page started, in order. */
  async stop(): Promise<void> {
    for (const server of this.#servers.splice(0).toReversed()) {
      if (server.exitCode !== null || server.signalCode !== null) continue
      const closed = once(server, 'close')
      // The whole process group: npx and what it runs.
      process.kill(-(server.pid ?? 0), 'SIGTERM')
      await closed
    }
  }

  async close(): Promise<void> {
    await this.stop()
    for (const folder of [this.folder, this.#tools]) rmSync(folder, { recursive: true, force: true })
  }

  /** The text of a page with this run's ports, folder and request ids. */
  #here(text: string): string {
    return text
      .replaceAll(FOLDER, this.folder)
      .replace(/\b\d{4}\b/g, number => this.#ports.get(number) ?? number)
      .replace(REQUEST_ID, id => this.#requestIds.get(id) ?? id)
  }

  async #session(text: string): Promise<void> {
    for (const part of text.split(/^\$ /m).slice(1)) {
      const [command = '', ...lines] = part.replaceAll('\\\n', ' ').split('\n')
      const shown = lines.join('\n').trim()
      if (SERVES.test(command)) await this.#serve(command, shown)
      else await this.#show(command, shown)
    }
  }

  /**
   * Repeats a command until it prints what the page shows: a changed file and a ban take effect within a
   * second, and the log is written after the answer.
   */
  async #show(command: string, shown: string): Promise<void> {
    const end = Date.now() + SOON
    for (;;) {
      const printed = await this.#finish(command, 'any status')
      if (Date.now() > end || this.#isShown(printed, shown)) return this.#compare(command, printed, shown)
      await wait(100)
    }
  }

  async #serve(command: string, shown: string): Promise<void> {
    const server = this.#spawn(command)
    this.#servers.push(server)
    // Two streams in one: their lines may change places.
    const linesOf = (text: string): readonly string[] => plain(text).split('\n').toSorted()
    const wanted = linesOf(this.#here(shown))
    let printed = ''
    await new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`${command}: printed only\n${printed}`)), PATIENCE)
      const read = (chunk: Buffer): void => {
        printed += chunk.toString()
        const lines = linesOf(printed)
        if (!wanted.every(line => lines.includes(line))) return
        clearTimeout(late)
        if (lines.length === wanted.length) resolve()
        else reject(new Error(`${command}: printed more than the page shows\n${printed}`))
      }
      server.stdout?.on('data', read)
      server.stderr?.on('data', read)
      // One that ends by itself has printed all that it prints, and its streams are closed.
      server.once('close', () => {
        clearTimeout(late)
        if (linesOf(printed).join('\n') === wanted.join('\n')) resolve()
        else reject(new Error(`${command}: ended, and printed\n${printed}`))
      })
      if (shown === '') {
        clearTimeout(late)
        resolve()
      }
    })
  }

  /** @returns what the commands printed, both streams in one */
  async #finish(commands: string, status: 'success' | 'any status' = 'success'): Promise<string> {
    const child = this.#spawn(`set -e\n${commands}`)
    let printed = ''
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        printed += chunk.toString()
      })
    const [code] = (await once(child, 'close', { signal: AbortSignal.timeout(PATIENCE) })) as [number | null]
    if (status === 'success') assert.equal(code, 0, `${commands}\n${printed}`)
    return printed
  }

  /** Whether output is the page's, whatever its request ids. */
  #isShown(printed: string, shown: string): boolean {
    const bare = (text: string): string => plain(text).replace(REQUEST_ID, 'ID')
    return bare(printed) === bare(this.#here(shown))
  }

  #compare(command: string, printed: string, shown: string): void {
    const ids = printed.match(REQUEST_ID) ?? []
    for (const [place, id] of (shown.match(REQUEST_ID) ?? []).entries())
      if (!this.#requestIds.has(id)) this.#requestIds.set(id, ids[place] ?? id)
    assert.equal(plain(printed), plain(this.#here(shown)), `$ ${command}`)
  }

  #spawn(command: string): ChildProcess {
    const { HOME = '', PATH = '' } = process.env
    return spawn('bash', ['-c', this.#here(command)], {
      cwd: this.folder,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        CURL_HOME: this.#tools,
        HOME,
        NO_COLOR: '1',
        NODE_OPTIONS: SOURCE_FLAGS.join(' '),
        PATH: [this.#tools, dirname(process.execPath), PATH].join(':'),
        ROOT: root,
      },
    })
  }
}

/** What a program printed, without what differs between two runs. */
function plain(text: string): string {
  return text
    .trim()
    .replaceAll('\r', '')
    .replace(/[ \t]+$/gm, '')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replace(/\b\d\d:\d\d:\d\d\.\d{3}\b/g, 'TIME')
    .replace(/\b\d+\.\d+ ms\b/g, 'N ms')
    .replace(/(again in|"retryAfter":|Retry-After: )( ?)\d+/g, '$1$2N')
    .replace(/;t=\d+/g, ';t=N')
    .replace(/\bprocess \d+/g, 'process N')
    .replace(/(?<=^ +admin +http:\/\/127\.0\.0\.1:)\d+/gm, 'PORT')
    .replace(/http:\/\/127\.0\.0\.1:\d+\/#link=[\w-]{43}(?![\w-])/g, 'CONSOLE-LINK')
    .replace(/http:\/\/localhost:\d+\/#invitation=[\w-]{43}(?![\w-])/g, 'INVITATION')
    .replace(/\b\d+ of (\d+) left\b/g, 'N of $1 left')
    .replace(/\b\d+ scenarios\b/g, 'N scenarios')
    .replace(/curl\/[\d.]+/g, 'curl/VERSION')
    .replace(/^Date: .*$/gm, 'Date: DAY')
}

/** `npm install NAME ...` links the workspace's packages; every other npm command is npm's own. */
function npmShim(tools: string): string {
  mkdirSync(join(tools, 'modules', '.bin'), { recursive: true })
  writeFileSync(
    join(tools, 'modules', '.bin', 'postern'),
    `#!/bin/sh\nexec node "$ROOT/packages/postern/src/bin.ts" "$@"\n`,
    { mode: 0o755 },
  )
  // The declarations of Postern exist once it is built; the check of packed packages compiles against them.
  writeFileSync(
    join(tools, 'modules', '.bin', 'tsc'),
    `#!/bin/sh\nexec "$ROOT/node_modules/.bin/tsc" --noCheck "$@"\n`,
    { mode: 0o755 },
  )
  symlinkSync(join(root, 'node_modules'), join(tools, 'all'))
  return `#!/bin/bash
set -e
if [ "$1" != install ]; then PATH="\${PATH#*:}" exec npm "$@"; fi
shift
mkdir -p node_modules/.bin
cp '${tools}/modules/.bin/postern' node_modules/.bin/postern
[ -f package.json ] || echo '{}' > package.json
ln -sfn '${tools}/all/@postern' node_modules/@postern
for name in "$@"; do
  [ -e "${tools}/all/$name" ] || { echo "npm: $name is not installed in the workspace" >&2; exit 1; }
  mkdir -p "$(dirname "node_modules/$name")"
  ln -sfn "$(realpath "${tools}/all/$name")" "node_modules/$name"
  [ "$name" != typescript ] || cp '${tools}/modules/.bin/tsc' node_modules/.bin/tsc
done
`
}

/** The system may give the port of a probe that was closed a moment ago. */
async function anotherFreePort(taken: readonly string[]): Promise<string> {
  let port = await freePort()
  while (taken.includes(port)) port = await freePort()
  return port
}

async function freePort(): Promise<string> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  await new Promise(resolve => probe.close(resolve))
  return String(address !== null && typeof address === 'object' ? address.port : 0)
}
