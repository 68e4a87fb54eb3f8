import { IntegrityError } from '@postern/core'
import type { Entry } from '../entry.ts'
import { type Checkpoint, openCheckpoint } from '../format/checkpoint.ts'
import { verifyInclusion } from '../format/merkle-proof.ts'
import { leafHash } from '../format/merkle-tree.ts'
import type { NoteVerifier } from '../format/note.ts'
import { decodeBase64 } from '../format/note.ts'
import type { LogReader } from '../log-reader.ts'

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
 * All of a tenant's entries as lines of NDJSON that prove themselves: a head with the signed checkpoint, every leaf with its inclusion proof,
 * and an end with the count. The numbers in the leaves run without a gap, so nothing can be left out but from the end, and the end
 * is as old as the checkpoint says. They begin at 1, unless retention removed entries: then the head says below which index.
 * @param onProgress told now and then how many entries of the log were looked at
 */
export async function* exportTenant(
  reader: LogReader,
  tenant: string,
  onProgress: (done: number, total: number) => void = () => {},
): AsyncGenerator<string, void, undefined> {
  const checkpoint = await reader.checkpoint()
  const { size } = await reader.head(checkpoint)
  const minimumIndex = await reader.minimumIndex()
  yield `${JSON.stringify({ postern: 'audit export v1', tenant, checkpoint, ...(minimumIndex > 0 && { minimumIndex }) })}\n`
  let count = 0
  for await (const entry of reader.entries(0n, size)) {
    if (Number(entry.index) % 1_000 === 999) onProgress(Number(entry.index) + 1, Number(size))
    if (entry.tenant !== tenant) continue
    const proof = await reader.inclusion(entry.index, size)
    const line: ExportLine = {
      index: Number(entry.index),
      leaf: Buffer.from(entry.bytes).toString('utf8'),
      proof: proof.map(hash => Buffer.from(hash).toString('base64')),
    }
    yield `${JSON.stringify(line)}\n`
    count++
  }
  onProgress(Number(size), Number(size))
  yield `${JSON.stringify({ end: true, count })}\n`
}

/** What an export was found to hold. */
export interface CheckedExport {
  readonly tenant: string
  /** Number of its first entry among the tenant's: 1, or higher when it says that retention removed those before. */
  readonly first: number
  readonly count: number
  /** That the entries stand under. */
  readonly checkpoint: Checkpoint
}

/**
 * Checks an export of a tenant, line by line: every proof, every number, the count.
 * @returns how many entries it holds, from which number on, and the checkpoint they stand under
 * @throws IntegrityError naming the first line that does not fit
 */
export async function checkExport(
  lines: AsyncIterable<string> | Iterable<string>,
  verifiers: readonly NoteVerifier[],
): Promise<CheckedExport> {
  let tenant = ''
  let head: Checkpoint | undefined
  let minimumIndex = 0
  let first = 1
  let count = 0
  let ended = false
  for await (const line of lines) {
    const value = JSON.parse(line) as { readonly [key: string]: unknown }
    if (head === undefined) {
      if (value['postern'] !== 'audit export v1') throw new IntegrityError('this is no audit export')
      tenant = String(value['tenant'])
      head = openCheckpoint(String(value['checkpoint']), verifiers)
      minimumIndex = Number(value['minimumIndex'] ?? 0)
    } else if (ended) throw new IntegrityError('the export goes on behind its end')
    else if (value['end'] === true) {
      if (value['count'] !== count)
        throw new IntegrityError(`the export has ${count} entries, and says ${String(value['count'])}`)
      ended = true
    } else {
      const entry = parseLine(value)
      const { number } = checkLine(entry, tenant, head)
      if (count === 0 && minimumIndex > 0 && entry.index >= minimumIndex) first = number
      if (number !== first + count)
        throw new IntegrityError(
          `the export lacks entry number ${first + count} of its tenant; number ${number} follows`,
        )
      count++
    }
  }
  if (head === undefined || !ended) throw new IntegrityError('the export is cut off')
  return { tenant, first, count, checkpoint: head }
}

function parseLine({ index, leaf, proof }: { readonly [key: string]: unknown }): ExportLine {
  if (typeof index === 'number' && typeof leaf === 'string' && Array.isArray(proof))
    return { index, leaf, proof: proof.map(String) }
  throw new IntegrityError('the export has a line that is no entry')
}

function checkLine(line: ExportLine, tenant: string, head: Checkpoint): { readonly number: number } {
  const bytes = Buffer.from(line.leaf)
  const proof = line.proof.map(text => decodeBase64(text) ?? new Uint8Array(0))
  if (!verifyInclusion(BigInt(line.index), head.size, leafHash(bytes), proof, head.root))
    throw new IntegrityError(`entry ${line.index} of the export is not in the log`)
  const leaf = JSON.parse(line.leaf) as { readonly tenant?: unknown; readonly number?: unknown }
  if (leaf.tenant !== tenant)
    throw new IntegrityError(`entry ${line.index} of the export is of another tenant`)
  return { number: Number(leaf.number) }
}
