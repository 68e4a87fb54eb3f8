import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError, type RandomSource, systemRandom } from '@postern/core'
import { createSecretFile, replaceSecretFile } from '@postern/store'
import type { NoteSigner } from '../format/note.ts'
import { generateNoteKey, parseSignerKey } from '../format/note-key.ts'

const FILE = 'signing-keys'

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
  const path = join(directory, FILE)
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
  const path = join(directory, FILE)
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

/**
 * Puts a new key first. Until `retireSigningKey`, checkpoints carry the signatures of both, so
 * that those who know only the old key learn of the new one from a log they can still verify.
 * Takes effect when the log is next opened.
 */
export function rotateSigningKey(
  directory: string,
  origin: string,
  random: RandomSource = systemRandom,
): SigningKeys {
  const path = join(directory, FILE)
  loadSigningKeys(directory, origin, random)
  const [current] = readLines(path)
  const lines = [generateNoteKey(origin, 1, random).signerKey, ...(current === undefined ? [] : [current])]
  replaceSecretFile(path, textOf(lines))
  return parseKeys(lines, path, origin)
}

/**
 * Ends a rotation: only the newest key signs from the next opening on. Its
 * predecessor's signatures stay valid.
 */
export function retireSigningKey(directory: string, origin: string): SigningKeys {
  const path = join(directory, FILE)
  const lines = readLines(path).slice(0, 1)
  const keys = parseKeys(lines, path, origin)
  replaceSecretFile(path, textOf(lines))
  return keys
}

function textOf(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`
}
