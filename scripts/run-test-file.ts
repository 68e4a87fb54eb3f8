import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { SOURCE_FLAGS } from '../test/source-flags.ts'
import type { TestReport } from './test-report.ts'
import { root } from './workspace.ts'

/** How a process ended that ran one test file or several. */
export interface FileResult {
  readonly files: readonly string[]
  readonly seconds: number
  readonly ok: boolean
  /** What it counted; undefined when it was stopped before its end. */
  readonly report: TestReport | undefined
  /** What it printed, the last part of it when that was much. */
  readonly output: string
}

export interface FileOptions {
  /** What it finds in its environment besides that of this process. */
  readonly env: Readonly<Record<string, string>>
  /** Milliseconds until it is stopped. */
  readonly limit: number
  /** Whether the command line runs as it is published instead of from its sources. Default: from them. */
  readonly built?: boolean
  /** Called after its end with the folder of what `NODE_V8_COVERAGE` wrote of its processes. */
  readonly coverage?: (folder: string) => void
}

const COUNT_ASSERTIONS = pathToFileURL(join(root, 'scripts/count-assertions.ts')).href
const QUICK_SOURCES = pathToFileURL(join(root, 'scripts/quick-sources.mjs')).href
const TOGETHER = '--test-isolation=none'
const KEPT_OUTPUT = 200_000
/**
 * Bytes of the folder that a test file finds as TMPDIR. A Unix socket's path takes 103 on macOS: 63 are left
 * for what a test puts behind it.
 */
const MOST_TEMPORARY = 40
/** How long a process may take to say where it stands. */
const DIAGNOSIS_MS = 3_000
/** How node names its diagnostic reports. */
const DIAGNOSIS = 'report.'

/**
 * Runs one test file, or several in one process, in a process group of its own. What has not ended at its
 * limit (a wait without an end, or a handle that a test left open) says where it stands and is ended with
 * everything it started: node's own runner would wait for it as long as it lives. TMPDIR is a folder of its
 * own that is removed with everything in it.
 */
export async function runTestFile(files: readonly string[], options: FileOptions): Promise<FileResult> {
  const sources = options.built === true ? `${QUICK_SOURCES}?built` : QUICK_SOURCES
  const folder = ownFolder()
  const temporary = join(folder, 't')
  // Open as the system's own folder is: some tests run programs as another user.
  mkdirSync(temporary)
  chmodSync(temporary, 0o1777)
  chmodSync(folder, 0o711)
  const report = join(folder, 'counts.json')
  const coverage = join(folder, 'coverage')
  const began = performance.now()
  try {
    const child = spawn(
      process.execPath,
      [
        ...SOURCE_FLAGS,
        `--import=${sources}`,
        `--import=${COUNT_ASSERTIONS}`,
        '--test-reporter=spec',
        '--test-reporter-destination=stdout',
        `--test-reporter=${join(root, 'scripts/test-report.ts')}`,
        `--test-reporter-destination=${report}`,
        // Sooner than the file: the tests behind one that hangs are still run.
        `--test-timeout=${Math.round(options.limit / 2)}`,
        '--report-on-signal',
        `--report-dir=${folder}`,
        '--report-exclude-env',
        ...(files.length > 1 ? ['--test', TOGETHER] : []),
        ...files,
      ],
      {
        cwd: root,
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          ...process.env,
          ...options.env,
          ...(process.platform === 'win32' ? { TEMP: temporary, TMP: temporary } : { TMPDIR: temporary }),
          // Also for processes that inherit the environment, but not the arguments.
          NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --import=${sources}`.trim(),
          ...(options.coverage !== undefined && { NODE_V8_COVERAGE: coverage }),
        },
      },
    )
    const output = new LastOutput(child)
    const { ended, stopped } = await endOf(child, options.limit, folder)
    const seconds = (performance.now() - began) / 1000
    const said = readReport(report)
    options.coverage?.(coverage)
    return {
      files,
      seconds,
      ok: ended === 0 && stopped === undefined && said !== undefined && isPassed(said),
      report: said,
      output: output.text + (stopped ?? ''),
    }
  } finally {
    // Processes that were ended a moment ago may still have added a file.
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** A new folder, in /tmp where the system's folder for temporary files has a name that is too long. */
function ownFolder(): string {
  const name = 'pt-'
  const longest = join(tmpdir(), `${name}xxxxxx`, 't')
  // Windows has no sockets in folders.
  const isTooLong = process.platform !== 'win32' && Buffer.byteLength(longest) > MOST_TEMPORARY
  return mkdtempSync(join(isTooLong ? '/tmp' : tmpdir(), name))
}

/** A file that ran no test at all has shown nothing. */
function isPassed({ passed, failed, skipped }: TestReport): boolean {
  return failed === 0 && passed + skipped.length > 0
}

async function endOf(
  child: ChildProcess,
  limit: number,
  folder: string,
): Promise<{ readonly ended: number | null; readonly stopped: string | undefined }> {
  let stopped: string | undefined
  const closed = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  const timer = setTimeout(() => {
    void whereItStands(child, folder).then(standing => {
      stopped = `\ndid not end within ${limit / 1000} seconds${standing}\n`
      endGroup(child)
    })
  }, limit)
  // Whatever the file started and left behind goes with it, also when it ended by itself: a server that keeps
  // an inherited pipe open would otherwise hold up `close`.
  child.once('exit', () => endGroup(child))
  const end = (): void => endGroup(child)
  process.once('exit', end)
  try {
    return { ended: await closed, stopped }
  } finally {
    clearTimeout(timer)
    process.off('exit', end)
  }
}

function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // Nothing of the group is left.
  }
}

interface DiagnosticReport {
  readonly javascriptStack?: { readonly stack?: readonly string[] }
  readonly libuv?: readonly {
    readonly type: string
    readonly is_active?: boolean
    readonly is_referenced?: boolean
    readonly localEndpoint?: { readonly port?: number } | null
    readonly pid?: number
    readonly firesInMsFromNow?: number
  }[]
}

/** What the process does and waits for, from its diagnostic report. */
async function whereItStands(child: ChildProcess, folder: string): Promise<string> {
  const said = (): string | undefined => readdirSync(folder).find(name => name.startsWith(DIAGNOSIS))
  child.kill('SIGUSR2')
  for (const end = performance.now() + DIAGNOSIS_MS; said() === undefined && performance.now() < end; )
    await new Promise(resolve => setTimeout(resolve, 50))
  const name = said()
  if (name === undefined) return ', and does not answer: it is in a call that blocks'
  // The file is there before it is complete.
  const diagnosis = await complete(join(folder, name))
  if (diagnosis === undefined) return ''
  const { javascriptStack, libuv = [] } = diagnosis
  const handles = libuv
    .filter(handle => handle.is_active === true && handle.is_referenced === true)
    .map(({ type, localEndpoint, pid, firesInMsFromNow }) =>
      [
        type,
        localEndpoint?.port !== undefined && `port ${localEndpoint.port}`,
        pid !== undefined && `pid ${pid}`,
        firesInMsFromNow !== undefined && `in ${firesInMsFromNow} ms`,
      ]
        .filter(part => part !== false)
        .join(' '),
    )
  return `; it waits for: ${handles.join(', ') || 'nothing'}; it runs: ${javascriptStack?.stack?.join(' ') ?? 'nothing'}`
}

async function complete(path: string): Promise<DiagnosticReport | undefined> {
  for (const end = performance.now() + DIAGNOSIS_MS; performance.now() < end; ) {
    try {
      return JSON.parse(readFileSync(path, 'utf8')) as DiagnosticReport
    } catch {
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  }
  return undefined
}

function readReport(path: string): TestReport | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as TestReport
  } catch {
    return undefined
  }
}

/** The last part of what a process prints. */
class LastOutput {
  #chunks: Buffer[] = []
  #length = 0

  constructor({ stdout, stderr }: ChildProcess) {
    for (const stream of [stdout, stderr]) stream?.on('data', (chunk: Buffer) => this.#keep(chunk))
  }

  #keep(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#length += chunk.length
    for (let first = this.#chunks[0]; first !== undefined && this.#length - first.length > KEPT_OUTPUT; ) {
      this.#chunks.shift()
      this.#length -= first.length
      first = this.#chunks[0]
    }
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString()
  }
}
