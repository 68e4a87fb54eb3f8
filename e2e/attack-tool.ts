import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

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

/** Where a program of that name is found, if it is installed. */
export function installed(name: string): string | undefined {
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
