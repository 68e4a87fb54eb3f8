import type { AuditLogReader, AuditQuery } from '@postern/audit'
import { type ApiCall, ApiProblem, type ApiRoute } from './api-route.ts'
import type { ApiShape } from './api-shape.ts'
import { queryNumber, queryText } from './call-values.ts'

const PAGE = 100
const MOST = Number.MAX_SAFE_INTEGER

const ENTRY: ApiShape = {
  index: 'integer',
  event: 'map',
  personal: 'none|open|erased',
  leafHash: 'string',
}

/** The audit log, with what a browser needs to verify it by itself. */
export const auditRoutes: readonly ApiRoute[] = [
  {
    method: 'GET',
    path: '/audit',
    role: 'viewer',
    summary: 'Entries of the audit log, newest first; all conditions must match.',
    query: {
      type: { type: 'string', description: '`http`, `operator`, `finding`, ...' },
      action: { type: 'string', description: '`ban`, `exception.apply`, ...' },
      principal: { type: 'string', description: 'Who acted.' },
      address: { type: 'string', description: 'Client address.' },
      request: { type: 'string', description: 'Request id.' },
      after: { type: 'integer', description: 'Number of the last entry of the page before.' },
      limit: { type: 'integer', description: '1 to 500. Default: 100.' },
    },
    answer: '`entries`: number, event, leaf hash, and whether the personal part is open.',
    shape: { entries: [ENTRY] },
    handle: search,
  },
  {
    method: 'GET',
    path: '/audit/checkpoint',
    role: 'viewer',
    summary: 'The latest signed checkpoint (C2SP tlog-checkpoint).',
    answer: '`checkpoint`, and `keys` that the log names for itself.',
    shape: { checkpoint: 'string', keys: ['string'] },
    handle: async call => {
      const reader = await readerOf(call)
      return { checkpoint: await reader.checkpoint(), keys: await reader.verifierKeys() }
    },
  },
  {
    method: 'GET',
    path: '/audit/{index}/proof',
    role: 'viewer',
    summary: 'One entry with its bytes and the proof that it is in the log (RFC 9162 section 2.1.3).',
    answer:
      '`entry`, `bytes` in base64, `hashes` in hex from the sibling of the leaf up, and the `checkpoint` they lead to.',
    shape: { entry: ENTRY, bytes: 'string', hashes: ['string'], checkpoint: 'string', keys: ['string'] },
    handle: proof,
  },
  {
    method: 'GET',
    path: '/audit/consistency',
    role: 'viewer',
    summary: 'Proof that the log only grew between two sizes (RFC 9162 section 2.1.4).',
    query: {
      from: { type: 'integer', required: true, description: 'The smaller size.' },
      to: { type: 'integer', required: true, description: 'The larger size.' },
    },
    answer: '`hashes` in hex.',
    shape: { hashes: ['string'] },
    handle: async call => {
      const from = queryNumber(call, 'from', { fallback: 0, least: 0, most: MOST })
      const to = queryNumber(call, 'to', { fallback: 0, least: from, most: MOST })
      const reader = await readerOf(call)
      const hashes = from === 0 || from === to ? [] : await reader.consistency(BigInt(from), BigInt(to))
      return { hashes: hashes.map(hex) }
    },
  },
]

async function readerOf({ parts }: ApiCall): Promise<AuditLogReader> {
  if (parts.audit === undefined) throw new ApiProblem(404, 'no audit log is kept here')
  return parts.audit()
}

async function search(call: ApiCall): Promise<unknown> {
  const reader = await readerOf(call)
  const conditions = Object.fromEntries(
    (['type', 'action', 'principal', 'address', 'request'] as const)
      .map(name => [name, queryText(call, name)] as const)
      .filter(([, value]) => value !== undefined),
  )
  const after = queryText(call, 'after')
  const query: AuditQuery = {
    ...conditions,
    limit: queryNumber(call, 'limit', { fallback: PAGE, least: 1, most: 500 }),
    ...(after !== undefined && {
      after: BigInt(queryNumber(call, 'after', { fallback: 0, least: 0, most: MOST })),
    }),
  }
  const entries = []
  for await (const { index, event, personal, leafHash } of reader.query(query))
    entries.push({ index: Number(index), event, personal, leafHash })
  return { entries }
}

async function proof(call: ApiCall): Promise<unknown> {
  const { index: text = '' } = call.path
  if (!/^\d{1,15}$/.test(text)) throw new ApiProblem(404, 'that is not the number of an entry')
  const reader = await readerOf(call)
  const index = BigInt(text)
  try {
    // One checkpoint for everything: the log may grow meanwhile.
    const checkpoint = await reader.checkpoint()
    const { size } = await reader.head(checkpoint)
    const { event, personal, leafHash, bytes } = await reader.entry(index)
    const hashes = await reader.inclusion(index, size)
    return {
      entry: { index: Number(index), event, personal, leafHash },
      bytes: Buffer.from(bytes).toString('base64'),
      hashes: hashes.map(hex),
      checkpoint,
      keys: await reader.verifierKeys(),
    }
  } catch (error) {
    if (error instanceof RangeError) throw new ApiProblem(404, error.message)
    throw error
  }
}

function hex(hash: Uint8Array): string {
  return Buffer.from(hash).toString('hex')
}
