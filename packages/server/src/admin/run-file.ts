import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isMemoryOnly } from '@postern/config'
import { errorCode } from '@postern/core'
import { closedTo, isClosed } from '@postern/store'

/**
 * What a running gateway leaves in its data directory for the commands that talk to it. Readable by its owner
 * only.
 */
export interface RunFile {
  readonly pid: number
  /** Where the gateway listens. */
  readonly gateway: string
  /** Where its admin listener is. */
  readonly admin: string
  /** Bearer token of the admin listener's commands; new at every start. */
  readonly token: string
}

function pathIn(dataDirectory: string): string {
  return join(dataDirectory, 'gateway.json')
}

/**
 * Writes the file with mode 0600, replacing an older one at once.
 * @returns a function that removes it again
 */
export function writeRunFile(dataDirectory: string, content: RunFile): () => void {
  if (isMemoryOnly(dataDirectory)) return () => {}
  mkdirSync(dataDirectory, { recursive: true, mode: 0o700 })
  const path = pathIn(dataDirectory)
  const temporary = `${path}.${content.pid}`
  writeFileSync(temporary, JSON.stringify(content), { mode: 0o600 })
  chmodSync(temporary, 0o600)
  renameSync(temporary, path)
  return () => {
    if (readRunFile(dataDirectory)?.pid === content.pid) rmSync(path, { force: true })
  }
}

/**
 * The running gateway of a data directory, or undefined when none left a file or its process is gone.
 * @throws StoreError when this user may not read the directory
 */
export function readRunFile(dataDirectory: string): RunFile | undefined {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(pathIn(dataDirectory), 'utf8'))
  } catch (cause) {
    if (isClosed(cause)) throw closedTo(dataDirectory, `data directory ${dataDirectory}`, cause)
    return undefined
  }
  return isRunFile(value) && isAlive(value.pid) ? value : undefined
}

function isRunFile(value: unknown): value is RunFile {
  if (typeof value !== 'object' || value === null) return false
  const { pid, gateway, admin, token } = value as Readonly<Record<string, unknown>>
  return typeof pid === 'number' && [gateway, admin, token].every(text => typeof text === 'string')
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return errorCode(error) === 'EPERM'
  }
}
