import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Turns } from './turns.ts'

/** Larger files are read as images of memory, bytes. */
const MAX_FILE = 4 * 1_024 * 1_024
const MAX_CANDIDATES = 100_000
/** Runs of characters that may be a key, a passphrase or an encoding of either. */
const WORD = /[A-Za-z0-9_+/=.:-]{8,65536}/g
/** Of a file that is read in pieces, and how much of it is read twice, so that no word is cut. */
const PIECE = 1_048_576
const OVERLAP = 65_536
/** A statement that somebody signed: its body and 64 bytes, both base64url. */
export const SIGNED: RegExp = /^[A-Za-z0-9_-]{40,}\.[A-Za-z0-9_-]{86}$/

/**
 * What a thief finds when he looks for keys: texts as they stand, and every 32 bytes
 * that a text may stand for.
 */
export interface CandidateSecrets {
  readonly texts: readonly string[]
  readonly keys: readonly Buffer[]
}

/**
 * Goes through files and environment variables as a thief would, without knowing where a key should be.
 * @param signal ends the search: the promise then rejects with its reason
 */
export async function candidateSecrets(
  folders: readonly string[],
  environment: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<CandidateSecrets> {
  const turns = new Turns(signal)
  const texts = new Set<string>(Object.values(environment))
  const keys = new Map<string, Buffer>()
  const addKey = (bytes: Buffer): void => {
    if (bytes.length === 32 && keys.size < MAX_CANDIDATES) keys.set(bytes.toString('latin1'), bytes)
  }
  const addText = (text: string): void => {
    if (texts.size < MAX_CANDIDATES) texts.add(text)
    for (const word of text.match(WORD) ?? []) {
      if (texts.size < MAX_CANDIDATES) texts.add(word)
      for (const part of [word, ...word.split(/[.:=]/)]) for (const key of keysIn(part)) addKey(key)
    }
  }
  for (const text of Object.values(environment)) addText(text)
  for (const file of filesUnder(folders)) {
    const bytes = readFileSync(file)
    addKey(bytes)
    addText(bytes.toString('latin1'))
    await turns.next()
  }
  for (const file of filesUnder(folders, Number.POSITIVE_INFINITY))
    if (statSync(file).size > MAX_FILE)
      for (const word of wordsOf(file)) {
        await turns.next()
        if (SIGNED.test(word) || /^(?:[A-Za-z0-9_+/-]{43}=?|[0-9a-f]{64})$/i.test(word)) addText(word)
      }
  return { texts: [...texts], keys: [...keys.values()] }
}

/** The keys that a text may stand for: hexadecimal, either base64, or its bytes. */
function keysIn(text: string): readonly Buffer[] {
  const keys: Buffer[] = []
  if (/^[0-9a-f]{64}$/i.test(text)) keys.push(Buffer.from(text, 'hex'))
  if (/^[A-Za-z0-9_+/-]{43}=?$/.test(text))
    keys.push(Buffer.from(text.replaceAll('+', '-').replaceAll('/', '_'), 'base64url'))
  if (text.length === 32) keys.push(Buffer.from(text, 'latin1'))
  return keys
}

/** Words of a file that may be an image of memory. */
function* wordsOf(file: string): Iterable<string> {
  const descriptor = openSync(file, 'r')
  const piece = Buffer.alloc(PIECE + OVERLAP)
  try {
    for (let at = 0; ; at += PIECE) {
      const length = readSync(descriptor, piece, 0, piece.length, at)
      yield* piece.toString('latin1', 0, length).match(WORD) ?? []
      if (length < piece.length) return
    }
  } finally {
    closeSync(descriptor)
  }
}

/**
 * Every file up to a size in bytes: of folders, of folders within them, and those that are named, as a backup
 * is. Links are not followed: they lead out of what was stolen, or in a circle, as workspaces of npm do.
 */
export function filesUnder(folders: readonly string[], most: number = MAX_FILE): readonly string[] {
  return folders
    .flatMap(place => (statSync(place).isFile() ? [place] : filesIn(place)))
    .filter(path => statSync(path).size <= most)
}

function filesIn(folder: string): readonly string[] {
  // Not `recursive`: with it Node follows links to folders.
  return readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return filesIn(path)
    return entry.isFile() ? [path] : []
  })
}
