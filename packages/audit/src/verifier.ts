/*
 * The offline verifier. One file that imports nothing, neither the rest of the log nor Node, so that an
 * auditor can read it in one sitting and a browser can load it unchanged: SHA-256 is implemented here,
 * Ed25519 is WebCrypto's. It shares no code with what it checks.
 */

/**
 * Reads a log: a path as C2SP tlog-tiles names it (`checkpoint`, `tile/0/000`), its bytes, or
 * undefined when there is nothing there.
 */
export type ReadLog = (path: string) => Promise<Uint8Array | undefined>

/** Where something is wrong: bytes `[from, to)` of a file. */
export interface Problem {
  readonly path: string
  readonly from: number
  readonly to: number
  readonly message: string
}

/** How a log is read, the keys that must have signed it, and an older checkpoint to extend. */
export interface VerifyOptions {
  readonly read: ReadLog
  /** Keys that may have signed, `name+keyid+base64`; from a source other than the log. */
  readonly verifierKeys: readonly string[]
  /** The log's name, when known beforehand. */
  readonly origin?: string
  /**
   * A signed checkpoint from elsewhere (an anchor, an old proof): the log must contain exactly what it says.
   */
  readonly remembered?: string
  /** Entries below this one may be missing: retention removed them. Default 0. */
  readonly minimumIndex?: number
  /** `postern`: leaves must be entries that number themselves; `opaque`: any bytes. Default `postern`. */
  readonly leaves?: 'postern' | 'opaque'
  /** Called from time to time. */
  readonly onProgress?: (done: number, total: number) => void
  /** A faster SHA-256 than the one written here. */
  readonly sha256?: (bytes: Uint8Array) => Uint8Array
}

/** The result of a verification. */
export interface VerifyReport {
  readonly ok: boolean
  readonly origin: string
  readonly size: number
  /** Hex. */
  readonly root: string
  /** Entries whose bytes were hashed. */
  readonly entries: number
  /** The first thing wrong first; at most 100. */
  readonly problems: readonly Problem[]
}

interface Head {
  readonly origin: string
  readonly size: number
  readonly root: Uint8Array
}

const WIDTH = 256
const MAX_PROBLEMS = 100

/**
 * Verifies a whole log: signature, every entry, every tile, every number. Streams: holds one tile of each
 * level. Never throws for what it finds; ends at the most problems: a log may be signed to be of any size.
 */
// biome-ignore lint/complexity/noExcessiveCognitiveComplexity: one streaming pass; entries, tiles and numbers are compared at the same position.
export async function verifyLog(options: VerifyOptions): Promise<VerifyReport> {
  const hash = options.sha256 ?? sha256
  const problems: Problem[] = []
  const found: Found = (path, from, to, message) => {
    if (problems.length < MAX_PROBLEMS) problems.push({ path, from, to, message })
  }
  const note = await options.read('checkpoint')
  const head = note === undefined ? 'is missing' : await openHead(note, options)
  if (typeof head === 'string') {
    found('checkpoint', 0, note?.length ?? 0, head)
    return { ok: false, origin: '', size: 0, root: '', entries: 0, problems }
  }
  const remembered = await openRemembered(options, head, found)
  const { size } = head
  const minimumIndex = excused(options.minimumIndex ?? 0, size, found)
  /** The tree as the entries make it, and as the tiles of leaf hashes make it. */
  const fromEntries = new Tree(hash)
  const fromTiles = new Tree(hash)
  const wrong: { readonly entry: Problem; readonly tile: Problem }[] = []
  const behind: Problem[] = []
  const numbers = new Map<string, number>()
  let hashed = 0
  for (let n = 0; n * WIDTH < size && problems.length < MAX_PROBLEMS; n++) {
    const width = Math.min(WIDTH, size - n * WIDTH)
    const bundle = await readTile(options.read, 'entries', n, width)
    const tile = await readTile(options.read, '0', n, width)
    const entries = splitBundle(bundle.bytes, width)
    const pruned = bundle.bytes === undefined && (n + 1) * WIDTH <= minimumIndex
    if (bundle.bytes === undefined && !pruned) found(bundle.path, 0, 0, 'is missing')
    if (tile.bytes === undefined) found(tile.path, 0, 0, 'is missing')
    if (entries.rest !== undefined && bundle.exact) {
      const to = bundle.bytes?.length ?? 0
      // Reported last: a changed length causes the bytes after the last entry, and
      // is itself the first bad place.
      behind.push({ path: bundle.path, from: entries.rest, to, message: 'bytes after the last entry' })
    }
    if (tile.exact && tile.bytes !== undefined && tile.bytes.length > width * 32)
      found(tile.path, width * 32, tile.bytes.length, 'bytes after the last hash')
    for (let i = 0; i < width; i++) {
      const index = n * WIDTH + i
      const entry = entries.ranges[i]
      const stored = tile.bytes?.subarray(i * 32, i * 32 + 32)
      const bytes = entry && bundle.bytes?.subarray(entry.from, entry.to)
      const own = bytes && leafHash(hash, bytes)
      if (own !== undefined) hashed++
      const missing = new Uint8Array(32)
      fromEntries.push(own ?? (pruned ? (stored ?? missing) : missing))
      fromTiles.push(stored?.length === 32 ? stored : missing)
      if (
        !pruned &&
        (own === undefined || stored === undefined || !same(own, stored)) &&
        wrong.length < MAX_PROBLEMS
      ) {
        const from = entry?.from ?? entries.bad ?? 0
        wrong.push({
          entry: {
            path: bundle.path,
            from,
            to: entry?.to ?? bundle.bytes?.length ?? 0,
            message: `entry ${index} is not the one that was logged`,
          },
          tile: {
            path: tile.path,
            from: i * 32,
            to: i * 32 + 32,
            message: `hash of entry ${index} was changed`,
          },
        })
      }
      if (bytes !== undefined && entry !== undefined && options.leaves !== 'opaque') {
        const message = misnumbered(bytes, index, numbers, minimumIndex)
        if (message !== undefined) found(bundle.path, entry.from, entry.to, message)
      }
      if (remembered?.size === index + 1 && !same(fromEntries.root(), remembered.root))
        found(
          bundle.path,
          0,
          entry?.to ?? 0,
          `the first ${remembered.size} entries are not those of the remembered checkpoint`,
        )
    }
    if (n % 16 === 15) options.onProgress?.((n + 1) * WIDTH, size)
  }
  const entriesHold = same(fromEntries.root(), head.root)
  const isWhole = entriesHold || same(fromTiles.root(), head.root)
  for (const { entry, tile } of wrong) {
    const { path, from, to, message } = entriesHold ? tile : entry
    const or = isWhole ? '' : `, or its hash in ${tile.path} was changed`
    found(path, from, to, message + or)
  }
  for (const { path, from, to, message } of behind) found(path, from, to, message)
  const sound = entriesHold ? fromEntries : fromTiles
  if (problems.length < MAX_PROBLEMS) await compareUpperTiles(options.read, sound, size, isWhole, found)
  if (!isWhole && problems.length === 0)
    found(
      'checkpoint',
      0,
      note?.length ?? 0,
      'entries and tiles agree with each other, but not with the signed checkpoint',
    )
  options.onProgress?.(size, size)
  return {
    ok: problems.length === 0,
    origin: head.origin,
    size,
    root: hex(head.root),
    entries: hashed,
    problems,
  }
}

/** Notes a problem of some bytes of a file. */
type Found = (path: string, from: number, to: number, message: string) => void

async function openRemembered(options: VerifyOptions, head: Head, found: Found): Promise<Head | undefined> {
  if (options.remembered === undefined) return undefined
  const remembered = await openHead(new TextEncoder().encode(options.remembered), options)
  if (typeof remembered === 'string') found('checkpoint', 0, 0, `the remembered checkpoint ${remembered}`)
  else if (remembered.size > head.size) {
    const message = `the log has ${head.size} entries, but had ${remembered.size}: it was rolled back`
    found('checkpoint', 0, 0, message)
  } else if (remembered.size > 0) return remembered
  return undefined
}

/** Tiles above the leaves, one level after the other, against the hashes that the tree really has. */
async function compareUpperTiles(
  read: ReadLog,
  tree: Tree,
  size: number,
  treeHolds: boolean,
  found: Found,
): Promise<void> {
  const below = (tile: number, level: number): string =>
    treeHolds ? 'was changed' : `is not that of the tiles below: look at tile ${tile} of level ${level}`
  for (let level = 1; Math.floor(size / WIDTH ** level) > 0; level++) {
    const count = Math.floor(size / WIDTH ** level)
    for (let n = 0; n * WIDTH < count; n++) {
      const width = Math.min(WIDTH, count - n * WIDTH)
      const { bytes, path, exact } = await readTile(read, String(level), n, width)
      if (bytes === undefined) {
        found(path, 0, 0, 'is missing')
        continue
      }
      if (exact && bytes.length > width * 32)
        found(path, width * 32, bytes.length, 'bytes after the last hash')
      for (let i = 0; i < width; i++) {
        const place = n * WIDTH + i
        const own = tree.tileRoot(level, place)
        if (own === undefined || same(own, bytes.subarray(i * 32, i * 32 + 32))) continue
        found(path, i * 32, i * 32 + 32, `hash ${place} of level ${level} ${below(place, level - 1)}`)
      }
    }
  }
}

/** A tree that grows by leaf hashes. Keeps the hash of every full tile: 32 bytes for 256 leaves. */
class Tree {
  readonly #hash: (bytes: Uint8Array) => Uint8Array
  /** Hashes of perfect subtrees at the right edge, one a height. */
  readonly #edge: (Uint8Array | undefined)[] = []
  readonly #tileRoots: Uint8Array[][] = []

  constructor(hash: (bytes: Uint8Array) => Uint8Array) {
    this.#hash = hash
  }

  push(leaf: Uint8Array): void {
    let carry = leaf
    let height = 0
    for (let left = this.#edge[0]; left !== undefined; left = this.#edge[height]) {
      carry = nodeHash(this.#hash, left, carry)
      this.#edge[height] = undefined
      height++
      if (height % 8 === 0) {
        const roots = this.#tileRoots[height / 8] ?? []
        roots.push(carry)
        this.#tileRoots[height / 8] = roots
      }
    }
    this.#edge[height] = carry
  }

  /** The hash that stands at `index` of the tiles at `level`. */
  tileRoot(level: number, index: number): Uint8Array | undefined {
    return this.#tileRoots[level]?.[index]
  }

  root(): Uint8Array {
    let root: Uint8Array | undefined
    for (const subtree of this.#edge) {
      if (subtree === undefined) continue
      root = root === undefined ? subtree : nodeHash(this.#hash, subtree, root)
    }
    return root ?? this.#hash(new Uint8Array(0))
  }
}

function leafHash(hash: (bytes: Uint8Array) => Uint8Array, entry: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(entry.length + 1)
  bytes.set(entry, 1)
  return hash(bytes)
}

function nodeHash(hash: (bytes: Uint8Array) => Uint8Array, left: Uint8Array, right: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(65)
  bytes[0] = 1
  bytes.set(left, 1)
  bytes.set(right, 33)
  return hash(bytes)
}

function tilePath(level: string, index: number, width: number): string {
  const digits = String(index).padStart(Math.ceil(String(index).length / 3) * 3, '0')
  const parts = digits.match(/\d{3}/g) ?? []
  const path = parts.map((part, i) => (i < parts.length - 1 ? `x${part}` : part)).join('/')
  return `tile/${level}/${path}${width === WIDTH ? '' : `.p/${width}`}`
}

/** A partial tile may have been removed once the full one was there. */
async function readTile(
  read: ReadLog,
  level: string,
  index: number,
  width: number,
): Promise<{ readonly bytes: Uint8Array | undefined; readonly path: string; readonly exact: boolean }> {
  const path = tilePath(level, index, width)
  const bytes = await read(path)
  if (bytes !== undefined || width === WIDTH) return { bytes, path, exact: true }
  const full = tilePath(level, index, WIDTH)
  const wider = await read(full)
  return wider === undefined
    ? { bytes: undefined, path, exact: true }
    : { bytes: wider, path: full, exact: false }
}

interface Bundle {
  readonly ranges: readonly { readonly from: number; readonly to: number }[]
  /** Where the bytes stop being entries. */
  readonly bad?: number
  /** Where bytes follow the last entry. */
  readonly rest?: number
}

function splitBundle(bytes: Uint8Array | undefined, width: number): Bundle {
  const ranges: { from: number; to: number }[] = []
  if (bytes === undefined) return { ranges, bad: 0 }
  let at = 0
  while (ranges.length < width) {
    const to = at + 2 + (((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0))
    if (at + 2 > bytes.length || to > bytes.length) return { ranges, bad: at }
    ranges.push({ from: at + 2, to })
    at = to
  }
  return at < bytes.length ? { ranges, rest: at } : { ranges }
}

/** Entries contain their own number, and their number among their tenant's: a gap is visible. */
function misnumbered(
  bytes: Uint8Array,
  index: number,
  numbers: Map<string, number>,
  minimumIndex: number,
): string | undefined {
  let leaf: Readonly<Partial<Record<'v' | 'index' | 'tenant' | 'number', unknown>>> | null
  try {
    leaf = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return `entry ${index} is not JSON`
  }
  const { tenant, number } = leaf ?? {}
  if (leaf?.v !== 1 || typeof tenant !== 'string' || typeof number !== 'number')
    return `entry ${index} is not an entry of version 1`
  if (leaf.index !== index) return `entry ${index} claims to be entry ${String(leaf.index)}`
  const last = numbers.get(tenant) ?? (minimumIndex > 0 ? number - 1 : 0)
  numbers.set(tenant, number)
  return number === last + 1 ? undefined : `entry ${index} is number ${number} of its tenant, after ${last}`
}

/** Below which index entries may be missing: whole bundles that retention removed, never the newest one. */
function excused(minimumIndex: number, size: number, found: Found): number {
  const isRetention = minimumIndex % WIDTH === 0 && minimumIndex + WIDTH <= size
  if (minimumIndex === 0 || isRetention) return minimumIndex
  found('minimum-index', 0, 0, `retention never removes the entries below ${minimumIndex} of ${size}`)
  return 0
}

/** The tree head of a signed checkpoint, or what is wrong with it. */
async function openHead(bytes: Uint8Array, { verifierKeys, origin }: VerifyOptions): Promise<Head | string> {
  const note = new TextDecoder().decode(bytes)
  const gap = note.lastIndexOf('\n\n')
  if (gap < 0 || !note.endsWith('\n')) return 'is not a signed note'
  const text = note.slice(0, gap + 1)
  const problem = await signatureProblem(text, note.slice(gap + 2, -1).split('\n'), knownKeys(verifierKeys))
  if (problem !== undefined) return problem
  const [name = '', size = '', root = '', ...rest] = text.split('\n')
  const rootBytes = fromBase64(root)
  if (!/^(?:0|[1-9]\d{0,14})$/.test(size) || rootBytes?.length !== 32 || rest.at(-1) !== '')
    return 'is malformed'
  if (origin !== undefined && name !== origin) return `is of another log, "${name.slice(0, 100)}"`
  return { origin: name, size: Number(size), root: rootBytes }
}

/** Ed25519 keys by name and id (C2SP signed-note); keys of other kinds are left out. */
function knownKeys(verifierKeys: readonly string[]): ReadonlyMap<string, Uint8Array> {
  const keys = new Map<string, Uint8Array>()
  for (const key of verifierKeys) {
    const [, name = '', id = '', material = ''] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(key) ?? []
    const decoded = fromBase64(material)
    if (decoded?.length === 33 && decoded[0] === 1) keys.set(`${name} ${id}`, decoded.subarray(1))
  }
  return keys
}

/** What is wrong with the signatures of a text: one by a known key, and no invalid one, is right. */
async function signatureProblem(
  text: string,
  lines: readonly string[],
  keys: ReadonlyMap<string, Uint8Array>,
): Promise<string | undefined> {
  let signed = false
  for (const line of lines) {
    const [, name = '', value = ''] = /^— (\S+) (\S+)$/.exec(line) ?? []
    const signature = fromBase64(value)
    if (signature === undefined || signature.length < 5) return 'has a malformed signature line'
    const key = keys.get(`${name} ${hex(signature.subarray(0, 4))}`)
    if (key === undefined) continue
    if (!(await verifySignature(key, signature.subarray(4), new TextEncoder().encode(text))))
      return 'has an invalid signature'
    signed = true
  }
  return signed ? undefined : 'is not signed by a known key'
}

async function verifySignature(
  key: Uint8Array,
  signature: Uint8Array,
  message: Uint8Array,
): Promise<boolean> {
  try {
    const { subtle } = globalThis.crypto
    const imported = await subtle.importKey('raw', Uint8Array.from(key), 'Ed25519', false, ['verify'])
    return await subtle.verify('Ed25519', imported, Uint8Array.from(signature), Uint8Array.from(message))
  } catch {
    return false
  }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')
}

/** Bytes of canonical base64, or undefined. */
function fromBase64(text: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text) || text.length % 4 !== 0) return undefined
  const binary = atob(text)
  return btoa(binary) === text ? Uint8Array.from(binary, char => char.charCodeAt(0)) : undefined
}

/** First 32 bits of the fractional parts of the cube roots of the first 64 primes (FIPS 180-4, 4.2.2). */
const K = new Uint32Array(64)
/** The same of the square roots of the first 8 primes (section 5.3.3). */
const H0 = new Uint32Array(8)

function writeFractions(words: Uint32Array, root: bigint): void {
  let found = 0
  for (let n = 2; found < words.length; n++) {
    let prime = true
    for (let d = 2; d * d <= n; d++) if (n % d === 0) prime = false
    if (!prime) continue
    // floor(n^(1/root) * 2^32): the largest x with x^root <= n * 2^(32 * root), bit by bit.
    const target = BigInt(n) << (32n * root)
    let x = 0n
    for (let bit = 1n << 40n; bit > 0n; bit >>= 1n) if ((x | bit) ** root <= target) x |= bit
    words[found++] = Number(x & 0xffffffffn)
  }
}

const W = new Uint32Array(64)

/** SHA-256 (FIPS 180-4). */
export function sha256(message: Uint8Array): Uint8Array {
  const padded = new Uint8Array(((message.length + 72) >> 6) << 6)
  padded.set(message)
  padded[message.length] = 0x80
  const view = new DataView(padded.buffer)
  view.setUint32(padded.length - 8, Math.floor(message.length / 0x20000000))
  view.setUint32(padded.length - 4, (message.length << 3) >>> 0)
  if (H0[0] === 0) {
    writeFractions(K, 3n)
    writeFractions(H0, 2n)
  }
  const h = Uint32Array.from(H0)
  for (let block = 0; block < padded.length; block += 64) compress(h, view, block)
  const digest = new DataView(new ArrayBuffer(32))
  for (let i = 0; i < 8; i++) digest.setUint32(i * 4, h[i] ?? 0)
  return new Uint8Array(digest.buffer)
}

function compress(state: Uint32Array, view: DataView, block: number): void {
  for (let t = 0; t < 16; t++) W[t] = view.getUint32(block + t * 4)
  for (let t = 16; t < 64; t++) {
    const x = W[t - 15] as number
    const y = W[t - 2] as number
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3)
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10)
    W[t] = (W[t - 16] as number) + s0 + (W[t - 7] as number) + s1
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state
  for (let t = 0; t < 64; t++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7))
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + (K[t] as number) + (W[t] as number)) | 0
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0
    h = g
    g = f
    f = e
    e = (d + t1) | 0
    d = c
    c = b
    b = a
    a = (t1 + t2) | 0
  }
  for (const [i, value] of [a, b, c, d, e, f, g, h].entries()) state[i] = (state[i] ?? 0) + value
}
