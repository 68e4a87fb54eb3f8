import type { IncomingMessage, ServerResponse } from 'node:http'
import { sentText } from '@postern/core'
import { parseTilePath, TILE_WIDTH } from '../format/tile.ts'
import type { LogReader } from '../reader/log-reader.ts'
import type { Witness } from './witness.ts'

/**
 * Serves a log's checkpoint, tiles and entry bundles (C2SP tlog-tiles) under a prefix, GET and HEAD
 * only. Entries hold what was done in the clear, and who did it sealed: require authentication
 * unless all of that is meant to be public.
 * @param prefix as in the request's path, without a slash at its end
 * @param failed receives the reason of an answer 500: a damaged file, a store that does not answer
 */
export function logHandler(
  reader: LogReader,
  prefix = '',
  failed: (error: unknown) => void = () => {},
): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    const path = request.url?.split('?', 1)[0] ?? ''
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return answer(response, 405, { allow: 'GET, HEAD' })
    if (!path.startsWith(`${prefix}/`)) return answer(response, 404)
    resource(reader, path.slice(prefix.length + 1)).then(
      found =>
        found === undefined ? answer(response, 404) : give(response, request.method === 'HEAD', found),
      (error: unknown) => {
        failed(error)
        answer(response, 500)
      },
    )
  }
}

function give(response: ServerResponse, isHead: boolean, found: Resource): void {
  response.writeHead(200, {
    'content-type': found.type,
    'content-length': found.bytes.length,
    'cache-control': found.immutable ? 'public, max-age=31536000, immutable' : 'no-cache',
    'x-content-type-options': 'nosniff',
  })
  response.end(isHead ? undefined : found.bytes)
}

interface Resource {
  readonly bytes: Uint8Array
  readonly type: string
  readonly immutable: boolean
}

async function resource(reader: LogReader, path: string): Promise<Resource | undefined> {
  if (path === 'checkpoint')
    return {
      bytes: Buffer.from(await newestCheckpoint(reader)),
      type: 'text/plain; charset=utf-8',
      immutable: false,
    }
  const tile = parseTilePath(path)
  if (tile === undefined) return undefined
  // Only what a published checkpoint commits to: more may exist before that, and still change.
  const { size } = await reader.head()
  const leaves = Math.floor(Number(size) / TILE_WIDTH ** (tile.level === 'entries' ? 0 : tile.level))
  if (tile.index * TILE_WIDTH + tile.width > leaves) return undefined
  if (tile.level === 'entries' && (tile.index + 1) * TILE_WIDTH <= (await reader.minimumIndex()))
    return undefined
  const bytes = await reader.store.tile(tile)
  return bytes === undefined ? undefined : { bytes, type: 'application/octet-stream', immutable: true }
}

/** The cosigned checkpoint lags a little: it is served while it has the newest size. */
async function newestCheckpoint(reader: LogReader): Promise<string> {
  const newest = await reader.checkpoint()
  const witnessed = await reader.store.witnessedCheckpoint()
  if (witnessed === undefined) return newest
  return (await reader.head(witnessed)).size === (await reader.head(newest)).size ? witnessed : newest
}

const MAX_BODY = 100_000

/**
 * Serves a witness's `add-checkpoint` (C2SP tlog-witness) under a prefix.
 * @param failed receives the reason of an answer 500: a record that cannot be read or written
 */
export function witnessHandler(
  witness: Witness,
  prefix = '',
  failed: (error: unknown) => void = () => {},
): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    if (request.url !== `${prefix}/add-checkpoint`) return answer(response, 404)
    if (request.method !== 'POST') return answer(response, 405, { allow: 'POST' })
    sentText(request, MAX_BODY).then(
      sent => {
        try {
          const { status, contentType, body } = witness.addCheckpoint(sent)
          response.writeHead(status, {
            'content-type': contentType,
            'content-length': Buffer.byteLength(body),
          })
          response.end(body)
        } catch (error) {
          // No cosignature is given.
          failed(error)
          answer(response, 500)
        }
      },
      (error: unknown) => {
        if (error instanceof RangeError) answer(response, 413)
        else if (error instanceof TypeError) answer(response, 400)
        else response.destroy()
      },
    )
  }
}

function answer(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { ...headers, 'content-length': 0 })
  response.end()
}
