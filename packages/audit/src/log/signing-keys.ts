import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError, type RandomSource, systemRandom } from '@postern/core'
import { createSecretFile, replaceSecretFile } from '@postern/store'
import type { NoteSigner } from '../format/note.ts'
import { generateNoteKey, parseSignerKey } from '../format/note-key.ts'

/** The file of the signing keys, in their directory. */
export const SIGNING_KEYS = 'signing-keys'
/** The verifier key of the newest key that has signed a checkpoint of the log. */
const IN_USE = 'signing-key-in-use'
/** Each opening signs with all of them. */
const MOST_KEYS = 8

/** The signers of a log's checkpoints: the current key, and during a rotation its predecessor. */
export interface SigningKeys {
  readonly signers: readonly NoteSigner[]
  /** Verifier keys of `signers`, in the same order. */
  readonly verifierKeys: readonly string[]
}

/**
 * Reads the signing keys of a log, creating the first one when there is none.
 * @param directory kept apart from the log: whoever holds both can rewrite what no witness saw
 * @throws ConfigError when the file is malformed or belongs to another log
 */
export function loadSigningKeys(
  directory: string,
  origin: string,
  random: RandomSource = systemRandom,
): SigningKeys {
  const path = join(directory, SIGNING_KEYS)
  if (!existsSync(path)) {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    // Another process may open the log first: its key is the one, then.
    createSecretFile(path, textOf([generateNoteKey(origin, 1, random).signerKey]))
  }
  return parseKeys(readLines(path), path, origin)
}

/**
 * The signers of a log whose key directory this process may read; empty without a key, and when it may not
 * be read.
 */
export function readSigningKeys(directory: string, origin: string): readonly NoteSigner[] {
  const path = join(directory, SIGNING_KEYS)
  try {
    return parseKeys(readLines(path), path, origin).signers
  } catch {
    return []
  }
}

function readLines(path: string): readonly string[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter(line => line !== '')
}

function parseKeys(lines: readonly string[], path: string, origin: string): SigningKeys {
  const signers = lines.map((line, i) => parseSignerKey(line, `${path} line ${i + 1}`))
  if (signers.length === 0 || signers.some(signer => signer.name !== origin)) {
    throw new ConfigError({
      place: path,
      problem: `holds no key, or keys of another log than "${origin}"`,
      hint: 'use the origin the log was created with',
    })
  }
  return { signers, verifierKeys: signers.map(signer => signer.verifierKey) }
}

/** Notes that the newest key has signed the checkpoint of the log: its predecessors are no longer needed. */
export function noteKeyInUse(directory: string, verifierKey: string): void {
  if (keyInUse(directory) !== verifierKey) replaceSecretFile(join(directory, IN_USE), `${verifierKey}\n`)
}

function keyInUse(directory: string): string | undefined {
  const path = join(directory, IN_USE)
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined
}

/**
 * Puts a new key first. Until `retireSigningKey`, checkpoints carry the signatures of all, so
 * that those who know only an old key learn of the new one from a log they can still verify.
 * Takes effect when the log is next opened.
 * @throws ConfigError when eight keys sign already
 */
export function rotateSigningKey(
  directory: string,
  origin: string,
  random: RandomSource = systemRandom,
): SigningKeys {
  const path = join(directory, SIGNING_KEYS)
  loadSigningKeys(directory, origin, random)
  const present = readLines(path)
  if (present.length >= MOST_KEYS)
    throw new ConfigError({
      place: path,
      problem: `holds ${present.length} keys, and each signs every checkpoint`,
      hint: 'retire the old ones first: retireSigningKey',
    })
  const lines = [generateNoteKey(origin, 1, random).signerKey, ...present]
  replaceSecretFile(path, textOf(lines))
  return parseKeys(lines, path, origin)
}

/**
 * Ends a rotation: only the newest key signs from the next opening on. The
 * signatures of its predecessors stay valid.
 * @throws ConfigError when the log was not opened since the newest key was added: nothing says yet that it
 * is this log's, and without its predecessor nobody could open the log any more
 */
export function retireSigningKey(directory: string, origin: string): SigningKeys {
  const path = join(directory, SIGNING_KEYS)
  const present = readLines(path)
  const lines = present.slice(0, 1)
  const keys = parseKeys(lines, path, origin)
  if (present.length > 1 && keyInUse(directory) !== keys.verifierKeys[0])
    throw new ConfigError({
      place: path,
      problem:
        'the newest key has signed no checkpoint yet, so that the log could not be opened with it alone',
      hint: 'open the log once, then retire the old key',
    })
  replaceSecretFile(path, textOf(lines))
  return keys
}

function textOf(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`
}
