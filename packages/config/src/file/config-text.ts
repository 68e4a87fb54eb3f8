import { accessSync, constants, readFileSync, readlinkSync, type Stats, statSync } from 'node:fs'
import { ConfigError, errorCode } from '@postern/core'

const MAX_BYTES = 4 * 1_048_576
const PATH_HINT = 'check the path given to --config (in code: file), or run without it to use the defaults'
const UTF8_HINT = 'save it as UTF-8 (Windows PowerShell: Out-File -Encoding utf8)'

/**
 * Checks that a configuration can be read from this path.
 * @param absolute the path
 * @param path as it was given, for messages
 * @throws ConfigError when it is not a file, cannot be read, or is too large
 */
export function requireFile(absolute: string, path: string): void {
  const stat = statOf(absolute, path)
  if (!stat.isFile())
    throw new ConfigError({
      place: path,
      problem: stat.isDirectory() ? 'is a folder' : 'is a pipe or a device, not a file',
      hint: PATH_HINT,
    })
  try {
    accessSync(absolute, constants.R_OK)
  } catch (cause) {
    throw unreadable(path, cause)
  }
  if (stat.size > MAX_BYTES)
    throw new ConfigError({
      place: path,
      problem: `is larger than ${MAX_BYTES} bytes`,
      hint: 'move lists into files of their own, or write the configuration in code',
    })
}

function statOf(absolute: string, path: string): Stats {
  let stat: Stats | undefined
  try {
    stat = statSync(absolute, { throwIfNoEntry: false })
  } catch (cause) {
    if (errorCode(cause) === 'ELOOP')
      throw new ConfigError(
        { place: path, problem: 'is a link that leads back to itself', hint: PATH_HINT },
        { cause },
      )
    throw unreadable(path, cause)
  }
  if (stat !== undefined) return stat
  const target = targetOf(absolute)
  throw new ConfigError({
    place: path,
    problem: target === undefined ? 'there is no such file' : `is a link to ${target}, which is not there`,
    hint: PATH_HINT,
  })
}

/** Where a link leads; undefined when it is not a link. */
function targetOf(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}

function unreadable(path: string, cause: unknown): ConfigError {
  return new ConfigError(
    {
      place: path,
      problem: `cannot be read (${errorCode(cause) ?? 'error'})`,
      hint: 'give the user of Postern the right to read it, and to enter the folders it is in',
    },
    { cause },
  )
}

/**
 * The text of a configuration file.
 * @param name for messages
 * @throws ConfigError for bytes that are not UTF-8: replaced silently, a rule or a secret would be another
 */
export function readConfigText(path: string, name: string): string {
  const bytes = readFileSync(path)
  const isUtf16 = bytes.length > 1 && (bytes.includes(0) || (bytes[0] ?? 0) >= 0xfe)
  try {
    if (!isUtf16) return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new ConfigError({
      place: `${name}:${lineOfBadByte(bytes)}`,
      problem: 'holds bytes that are not UTF-8',
      hint: UTF8_HINT,
    })
  }
  throw new ConfigError({ place: name, problem: 'is UTF-16, or no text', hint: UTF8_HINT })
}

/** Line of the first byte that is not UTF-8. A line break is never a part of another character. */
function lineOfBadByte(bytes: Buffer): number {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  for (let line = 1, at = 0; ; line++) {
    const end = bytes.indexOf(0x0a, at)
    try {
      decoder.decode(bytes.subarray(at, end < 0 ? bytes.length : end))
    } catch {
      return line
    }
    if (end < 0) return line
    at = end + 1
  }
}
