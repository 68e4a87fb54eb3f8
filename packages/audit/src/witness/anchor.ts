import { closeSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs'
import {
  boundedText,
  ConfigError,
  type Duration,
  errorCode,
  givenText,
  IntegrityError,
  parseDuration,
  StoreError,
} from '@postern/core'
import { type Checkpoint, openCheckpoint } from '../format/checkpoint.ts'
import type { NoteVerifier } from '../format/note.ts'
import { sameBytes } from '../format/sha256.ts'
import { isPrivate } from '../log/private-url.ts'
import type { LogReader } from '../reader/log-reader.ts'

/** A place outside the log that keeps checkpoints: a rollback behind a checkpoint it has seen is detected. */
export interface Anchor {
  /** For errors, without credentials. */
  readonly name: string
  /** The latest checkpoint it keeps, or undefined when it has none. */
  latest(): Promise<string | undefined>
  /** Stores a new checkpoint. */
  push(checkpoint: string): Promise<void>
}

/**
 * An anchor in a file, best on another machine's mount or append-only storage: checkpoints
 * are appended, and the last one counts.
 */
export function fileAnchor(path: string): Anchor {
  return {
    name: `file ${path}`,
    async latest() {
      let fd: number
      try {
        fd = openSync(path, 'r')
      } catch (error) {
        if (errorCode(error) === 'ENOENT') return undefined
        throw error
      }
      try {
        return lastCheckpoint(readEnd(fd))
      } finally {
        closeSync(fd)
      }
    },
    async push(checkpoint) {
      const fd = openSync(path, 'a+', 0o600)
      try {
        // What a crash tore gets a line of dashes of its own: it must not become the beginning of this one.
        const end = readEnd(fd)
        const isTorn = end !== '' && !end.endsWith(DASHES)
        writeSync(fd, `${isTorn ? DASHES : ''}${checkpoint}${DASHES.slice(1)}`)
        fsyncSync(fd)
      } finally {
        closeSync(fd)
      }
    },
  }
}

const DASHES = '\n---\n'
/** A checkpoint with the signatures of dozens of keys is shorter. */
const END_BYTES = 65_536

/** The end of a file: with a checkpoint a second it grows by gigabytes a year. */
function readEnd(fd: number): string {
  const { size } = fstatSync(fd)
  const bytes = Buffer.alloc(Math.min(size, END_BYTES))
  const count = readSync(fd, bytes, 0, bytes.length, size - bytes.length)
  return bytes.toString('utf8', 0, count)
}

/** What stands above the last line of dashes; text behind that was torn by a crash. */
function lastCheckpoint(text: string): string | undefined {
  const last = text.split(DASHES).at(-2)
  return last === undefined ? undefined : `${last}\n`
}

/** Where checkpoints are kept by HTTP, and how long an answer may take. */
export interface HttpAnchorOptions {
  /** Answers GET with the latest checkpoint (404 or 204 when it has none) and takes new ones by PUT. */
  readonly url: string
  /** Sent as `Authorization`; a secret. */
  readonly authorization?: string
  /** Default 5s. */
  readonly timeout?: Duration
  readonly fetch?: typeof globalThis.fetch
}

/**
 * An anchor behind HTTP.
 * @throws ConfigError when `authorization` would be sent to another machine without encryption
 */
export function httpAnchor(options: HttpAnchorOptions): Anchor {
  const { url, authorization, fetch = globalThis.fetch } = options
  const timeout = parseDuration(options.timeout ?? '5s', 'anchor.timeout')
  if (!URL.canParse(givenText(url, 'anchor.url')))
    throw new ConfigError({
      place: 'anchor.url',
      problem: 'is not a URL',
      hint: 'for example https://anchor.example/checkpoint',
    })
  const name = `http ${new URL(url).host}`
  if (authorization !== undefined && !isPrivate(new URL(url)))
    throw new ConfigError({
      place: 'anchor.authorization',
      problem: 'is sent to another machine without encryption',
      hint: 'use https:',
    })
  const ask = async (method: 'GET' | 'PUT', body?: string): Promise<Response> => {
    try {
      return await fetch(url, {
        method,
        redirect: 'error',
        signal: AbortSignal.timeout(timeout),
        headers: {
          ...(authorization !== undefined && { authorization }),
          ...(body !== undefined && { 'content-type': 'text/plain; charset=utf-8' }),
        },
        ...(body !== undefined && { body }),
      })
    } catch (cause) {
      throw new StoreError('does not answer', { store: `anchor ${name}`, retryable: true, cause })
    }
  }
  const refuse = (status: number): never => {
    throw new StoreError(`answered ${status}`, { store: `anchor ${name}`, retryable: status >= 500 })
  }
  return {
    name,
    async latest() {
      const response = await ask('GET')
      if (response.status === 404 || response.status === 204) return undefined
      if (!response.ok) refuse(response.status)
      const text = await boundedText(response, END_BYTES).catch((cause: unknown) => {
        throw new StoreError('gave no checkpoint', { store: `anchor ${name}`, retryable: true, cause })
      })
      return text === '' ? undefined : text
    },
    async push(checkpoint) {
      const response = await ask('PUT', checkpoint)
      await response.body?.cancel().catch(() => undefined)
      if (!response.ok) refuse(response.status)
    },
  }
}

/**
 * Compares a log with the checkpoint that an anchor has.
 * @throws IntegrityError when the anchor has seen entries that the log lacks, or different ones
 */
export async function checkAnchor(
  anchor: Anchor,
  note: string,
  reader: LogReader,
  verifiers: readonly NoteVerifier[],
  origin: string,
): Promise<void> {
  const remembered = openRemembered(anchor, note, verifiers, origin)
  const { size } = await reader.head()
  if (remembered.size > size) {
    throw new IntegrityError(
      `the log has ${size} entries, but anchor "${anchor.name}" saw ${remembered.size}: it was rolled back, or a copy of it goes on elsewhere. ` +
        'Find out why; to go on from a restored backup, run postern audit accept-rollback (in code: open it once with acceptRollback)',
    )
  }
  if (!sameBytes(await reader.root(remembered.size), remembered.root)) {
    throw new IntegrityError(
      `the first ${remembered.size} entries are not those that anchor "${anchor.name}" saw: the log was rewritten, or a copy of it goes on elsewhere`,
    )
  }
}

function openRemembered(
  { name }: Anchor,
  note: string,
  verifiers: readonly NoteVerifier[],
  origin: string,
): Checkpoint {
  try {
    return openCheckpoint(note, verifiers, origin)
  } catch (cause) {
    if (!(cause instanceof IntegrityError)) throw cause
    throw new IntegrityError(
      `anchor "${name}" keeps a checkpoint that is not of this log (${cause.message}). An anchor belongs to one log and its keys: ` +
        'give a new log another anchor; a log that was moved needs the signing keys that it had',
      { cause },
    )
  }
}
