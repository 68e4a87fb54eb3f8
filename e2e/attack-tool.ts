import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { TestContext } from 'node:test'
import { installPackages } from '../test/install-services.ts'

/** What a tool printed, and whether it ended by itself. */
export interface ToolRun {
  readonly output: string
  readonly status: number | undefined
}

export interface ToolOptions {
  /** The tool's own folder, and its home. */
  readonly cwd: string
  readonly seconds: number
  readonly env?: Readonly<Record<string, string>>
}

/**
 * Where a tool is: as root on Debian its package is installed when it is missing. Anywhere else the test is
 * reported as skipped, with what to install: nothing was shown.
 * @param debian the package, when it has another name
 * @returns undefined when the test cannot be run
 */
export function neededTool(t: TestContext, name: string, debian: string = name): string | undefined {
  if (installed(name) === undefined && !tried.has(name)) {
    tried.add(name)
    installPackages([debian])
  }
  const program = installed(name)
  if (program === undefined)
    t.skip(`${name} is not installed, so nothing is shown here: apt install ${debian}`)
  return program
}

/** Tools that apt-get was asked for in this process: once is enough. */
const tried = new Set<string>()

/** Where a program of that name is found, if it is installed. */
function installed(name: string): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map(folder => join(folder, name))
    .find(isExecutable)
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
 * Runs an attack tool in its own folder, and ends it and its children after
 * `seconds`: such tools go on for hours.
 */
export async function runTool(
  program: string,
  args: readonly string[],
  { cwd, seconds, env }: ToolOptions,
): Promise<ToolRun> {
  const child = spawn(program, args, {
    cwd,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, HOME: cwd, ...env },
  })
  let output = ''
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-1_000_000)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const end = setTimeout(() => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
  }, seconds * 1_000)
  const status = await new Promise<number | undefined>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', code => resolve(code ?? undefined))
  })
  clearTimeout(end)
  return { output, status }
}
