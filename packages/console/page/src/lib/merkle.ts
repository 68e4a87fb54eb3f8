import { ProofPath } from './proof-path.ts'

/** A hash on the way from a leaf to the root, and how it was made. */
export interface ProofStep {
  readonly left: string
  readonly right: string
  /** Which of the two the proof gave; the other was made here. */
  readonly given: 'left' | 'right'
  /** Hex. */
  readonly parent: string
}

/** What the browser made of an inclusion proof. */
export interface CheckedInclusion {
  /** Hash of the entry's bytes, hex. */
  readonly leaf: string
  readonly steps: readonly ProofStep[]
  /** The root that the steps lead to, hex; undefined when the proof has the wrong number of hashes. */
  readonly root: string | undefined
}

const HASH = /^[0-9a-f]{64}$/

function toHex(bytes: Uint8Array): string {
  return [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join('')
}

function fromHex(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(hex.match(/../g) ?? [], pair => Number.parseInt(pair, 16))
}

export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), character => character.charCodeAt(0))
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
}

/** RFC 6962 section 2.1: `SHA-256(0x01 || left || right)`. */
async function nodeHash(left: string, right: string): Promise<string> {
  return toHex(await sha256(Uint8Array.from([1, ...fromHex(left), ...fromHex(right)])))
}

/** RFC 6962 section 2.1: `SHA-256(0x00 || entry)`, hex. */
export async function leafHash(entry: Uint8Array): Promise<string> {
  const prefixed = new Uint8Array(entry.length + 1)
  prefixed.set(entry, 1)
  return toHex(await sha256(prefixed))
}

/**
 * Walks an inclusion proof from the entry's bytes up (RFC 9162 section 2.1.3.2).
 * @param hashes hex, from the sibling of the leaf up
 */
export async function checkInclusion(
  entry: Uint8Array,
  index: number,
  size: number,
  hashes: readonly string[],
): Promise<CheckedInclusion> {
  const leaf = await leafHash(entry)
  const steps: ProofStep[] = []
  if (index >= size || !hashes.every(hash => HASH.test(hash))) return { leaf, steps, root: undefined }
  const path = new ProofPath(BigInt(index), BigInt(size) - 1n)
  let hash = leaf
  for (const sibling of hashes) {
    if (path.isAtRoot) return { leaf, steps, root: undefined }
    const given = path.climb()
    const [left, right] = given === 'left' ? [sibling, hash] : [hash, sibling]
    hash = await nodeHash(left, right)
    steps.push({ left, right, given, parent: hash })
  }
  return { leaf, steps, root: path.isAtRoot ? hash : undefined }
}

/**
 * Whether a proof shows that a larger tree extends a smaller one (RFC 9162 section 2.1.4.2).
 * @param hashes hex
 */
export async function checkConsistency(
  old: { readonly size: number; readonly root: string },
  next: { readonly size: number; readonly root: string },
  hashes: readonly string[],
): Promise<boolean> {
  if (next.size < old.size || !hashes.every(hash => HASH.test(hash))) return false
  if (old.size === next.size) return hashes.length === 0 && old.root === next.root
  if (old.size === 0) return hashes.length === 0
  const oldSize = BigInt(old.size)
  const [first, ...rest] = (oldSize & (oldSize - 1n)) === 0n ? [old.root, ...hashes] : hashes
  if (first === undefined || hashes.length === 0) return false
  const path = ProofPath.fromOldEdge(oldSize, BigInt(next.size))
  let fromOld = first
  let fromNew = first
  for (const hash of rest) {
    if (path.isAtRoot) return false
    if (path.climb() === 'left') {
      fromOld = await nodeHash(hash, fromOld)
      fromNew = await nodeHash(hash, fromNew)
    } else fromNew = await nodeHash(fromNew, hash)
  }
  return path.isAtRoot && fromOld === old.root && fromNew === next.root
}

/** A signed tree head, taken apart. */
export interface Head {
  readonly origin: string
  readonly size: number
  /** Hex. */
  readonly root: string
  /** Name of the key whose signature holds; undefined when none does. */
  readonly signedBy: string | undefined
}

/**
 * Reads a checkpoint (C2SP tlog-checkpoint) and checks its Ed25519 signature with WebCrypto.
 * @param keys verifier keys, `name+id+base64`
 * @throws Error when it is not a checkpoint
 */
export async function openHead(note: string, keys: readonly string[]): Promise<Head> {
  const gap = note.lastIndexOf('\n\n')
  const text = note.slice(0, gap + 1)
  const [origin = '', size = '', root = ''] = text.split('\n')
  if (gap < 0 || !/^\d{1,15}$/.test(size)) throw new Error('This is not a checkpoint.')
  const head = { origin, size: Number(size), root: toHex(fromBase64(root)) }
  for (const line of note.slice(gap + 2).split('\n')) {
    const [, name = '', box = ''] = line.split(' ')
    for (const key of keys) if (await isSignedBy(key, name, box, text)) return { ...head, signedBy: name }
  }
  return { ...head, signedBy: undefined }
}

/** Whether a line of signature (C2SP signed-note) is that of a verifier key. */
async function isSignedBy(key: string, name: string, box: string, text: string): Promise<boolean> {
  const [, keyName, id, encoded = ''] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(key) ?? []
  if (keyName !== name) return false
  const material = fromBase64(encoded)
  const signature = fromBase64(box)
  if (material[0] !== 1 || toHex(signature.slice(0, 4)) !== id) return false
  const imported = await crypto.subtle.importKey('raw', material.slice(1), 'Ed25519', false, ['verify'])
  return crypto.subtle.verify('Ed25519', imported, signature.slice(4), new TextEncoder().encode(text))
}
