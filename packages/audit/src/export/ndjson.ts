import { IntegrityError } from '@postern/core'
import { decodeLeaf, type Entry } from '../entry/entry.ts'
import { type Checkpoint, openCheckpoint } from '../format/checkpoint.ts'
import { verifyInclusion } from '../format/merkle-proof.ts'
import { leafHash } from '../format/merkle-tree.ts'
import { decodeBase64, type NoteSigner, type NoteVerifier, signNote, verifyNote } from '../format/note.ts'
import type { LogReader } from '../reader/log-reader.ts'

/** An entry as one line of NDJSON: its numbers, its leaf hash, and the event as far as it can be read. */
export function toNdjson(entry: Entry): string {
  const { index, tenant, number, leafHash: hash, personal, event } = entry
  return `${JSON.stringify({ index: Number(index), tenant, number, leafHash: hash, personal, event })}\n`
}

interface ExportLine {
  readonly index: number
  /** The leaf, byte for byte. */
  readonly leaf: string
  readonly proof: readonly string[]
}

/**
 * What an export states to be complete for. Signed, so that nobody can remove
 * entries from its end and correct the count.
 */
interface Completeness {
  readonly tenant: string
  /** Number of the first entry among the tenant's. */
  readonly first: number
  readonly count: number
  readonly checkpoint: Checkpoint
}

/** Who signs the end of an export, and who follows the progress. */
export interface ExportOptions {
  /**
   * Keys of the log, which sign that nothing is missing. Without them the export proves
   * what it holds, and not that it is whole.
   */
  readonly signers?: readonly NoteSigner[]
  /** Called from time to time with the number of log entries read so far. */
  readonly onProgress?: (done: number, total: number) => void
}

/**
 * All of a tenant's entries as lines of NDJSON that prove themselves: a head with the signed checkpoint,
 * every leaf with its inclusion proof, and an end with the count, signed by the log. The numbers in the
 * leaves run without a gap, so nothing can be left out in the middle, and the signed count says where they
 * end. They begin at 1, unless retention removed entries: then the head says below which index.
 */
export async function* exportTenant(
  reader: LogReader,
  tenant: string,
  options: ExportOptions = {},
): AsyncGenerator<string, void, undefined> {
  const { signers = [], onProgress } = options
  const note = await reader.checkpoint()
  const checkpoint = await reader.head(note)
  const { size } = checkpoint
  const minimumIndex = await reader.minimumIndex()
  yield `${JSON.stringify({ postern: 'audit export v1', tenant, checkpoint: note, ...(minimumIndex > 0 && { minimumIndex }) })}\n`
  let count = 0
  let first = 1
  for await (const entry of reader.entries(0n, size)) {
    if (Number(entry.index) % 1_000 === 999) onProgress?.(Number(entry.index) + 1, Number(size))
    if (entry.tenant !== tenant) continue
    if (count === 0) first = entry.number
    const proof = await reader.inclusion(entry.index, size)
    const line: ExportLine = {
      index: Number(entry.index),
      leaf: Buffer.from(entry.bytes).toString('utf8'),
      proof: proof.map(hash => Buffer.from(hash).toString('base64')),
    }
    yield `${JSON.stringify(line)}\n`
    count++
  }
  onProgress?.(Number(size), Number(size))
  const complete =
    signers.length === 0
      ? undefined
      : signNote(completenessText({ tenant, first, count, checkpoint }), signers)
  yield `${JSON.stringify({ end: true, count, ...(complete !== undefined && { complete }) })}\n`
}

/**
 * First line unlike any checkpoint's, whose first line is the log's name: neither can be taken for the other.
 */
function completenessText({ tenant, first, count, checkpoint }: Completeness): string {
  const { origin, size, root } = checkpoint
  const lines = [
    'postern audit export v1',
    origin,
    JSON.stringify(tenant),
    first,
    count,
    size,
    toBase64(root),
  ]
  return `${lines.join('\n')}\n`
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

/** The result of checking an export. */
export interface CheckedExport {
  readonly tenant: string
  /**
   * Number of its first entry among the tenant's: 1, or higher when it says that
   * retention removed those before.
   */
  readonly first: number
  readonly count: number
  /** That the entries stand under. */
  readonly checkpoint: Checkpoint
  /**
   * Whether the log's key signed that these are all entries of the tenant under the checkpoint. Without it
   * the last entries may be missing: then only what is there is proven.
   */
  readonly isComplete: boolean
}

/**
 * Checks an export of a tenant, line by line: every proof, every number, the count, the signature under it.
 * Every line must be exactly as the log writes it: what only some readers of JSON would see, such as a
 * repeated field or one that nothing proves, is refused.
 * @returns how many entries it holds, from which number on, whether that is all, and the checkpoint that they
 *   are proven under
 * @throws IntegrityError naming the first line that does not fit
 */
export async function checkExport(
  lines: AsyncIterable<string> | Iterable<string>,
  verifiers: readonly NoteVerifier[],
): Promise<CheckedExport> {
  let head: ExportHead | undefined
  let first = 1
  let count = 0
  let checked: CheckedExport | undefined
  for await (const line of lines) {
    const text = line.trim()
    if (text === '') continue
    const value = parseObject(text)
    if (head === undefined) head = parseHead(text, value, verifiers)
    else if (checked !== undefined) throw new IntegrityError('the export continues after its end')
    else if (value['end'] === true) {
      const found = { tenant: head.tenant, first, count, checkpoint: head.checkpoint }
      checked = { ...found, isComplete: checkEnd(text, value, found, verifiers) }
    } else {
      const entry = parseLine(text, value)
      const { number } = checkLine(entry, head.tenant, head.checkpoint)
      if (count === 0 && head.minimumIndex > 0 && entry.index >= head.minimumIndex) first = number
      if (number !== first + count)
        throw new IntegrityError(
          `the export lacks entry number ${first + count} of its tenant; number ${number} follows`,
        )
      count++
    }
  }
  if (checked === undefined) throw new IntegrityError('the export is cut off')
  return checked
}

interface ExportHead {
  readonly tenant: string
  readonly checkpoint: Checkpoint
  readonly minimumIndex: number
}

type Fields = { readonly [key: string]: unknown }

function parseObject(line: string): Fields {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value === 'object' && value !== null) return value as Fields
  } catch {
    // Answered below.
  }
  throw new IntegrityError('a line of the export is not a JSON object')
}

/** A line says what its fields say, and nothing else. */
function checkForm(text: string, fields: object): void {
  if (text !== JSON.stringify(fields))
    throw new IntegrityError(
      'a line of the export has unknown or repeated fields, or fields in another order',
    )
}

function parseHead(text: string, value: Fields, verifiers: readonly NoteVerifier[]): ExportHead {
  const { postern, tenant, checkpoint, minimumIndex } = value
  if (postern !== 'audit export v1' || typeof tenant !== 'string')
    throw new IntegrityError('this is not an audit export')
  checkForm(text, { postern, tenant, checkpoint, minimumIndex })
  return {
    tenant,
    checkpoint: openCheckpoint(String(checkpoint), verifiers),
    minimumIndex: Number(minimumIndex ?? 0),
  }
}

/**
 * @returns whether the end is signed; one whose signature does not hold, or says something else, is an error
 */
function checkEnd(
  text: string,
  { end, count, complete }: Fields,
  found: Completeness,
  verifiers: readonly NoteVerifier[],
): boolean {
  checkForm(text, { end, count, complete })
  if (count !== found.count)
    throw new IntegrityError(`the export has ${found.count} entries, but states ${String(count)}`)
  if (complete === undefined) return false
  if (verifyNote(String(complete), verifiers).text !== completenessText(found))
    throw new IntegrityError('entries are missing at the end: the log signed a different count')
  return true
}

function parseLine(text: string, { index, leaf, proof }: Fields): ExportLine {
  // Half a letter becomes another one as bytes: the text would not be the one that is proven.
  const isEntry =
    typeof index === 'number' &&
    Number.isSafeInteger(index) &&
    typeof leaf === 'string' &&
    leaf.isWellFormed() &&
    Array.isArray(proof)
  if (isEntry) {
    checkForm(text, { index, leaf, proof })
    return { index, leaf, proof: proof.map(String) }
  }
  throw new IntegrityError('a line of the export is not an entry')
}

function checkLine(line: ExportLine, tenant: string, head: Checkpoint): { readonly number: number } {
  const bytes = Buffer.from(line.leaf)
  const proof = line.proof.map(text => decodeBase64(text) ?? new Uint8Array(0))
  if (!verifyInclusion(BigInt(line.index), head.size, leafHash(bytes), proof, head.root))
    throw new IntegrityError(`entry ${line.index} of the export is not in the log`)
  const leaf = decodeLeaf(bytes, line.index)
  if (leaf.tenant !== tenant)
    throw new IntegrityError(`entry ${line.index} of the export is of another tenant`)
  return leaf
}
