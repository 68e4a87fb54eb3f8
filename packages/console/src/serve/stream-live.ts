import type { ServerResponse } from 'node:http'
import type { LiveFeed } from '../api/live-feed.ts'

const HEARTBEAT_MS = 15_000
/** Bytes that may wait for a slow page; rows beyond are left out, and the page learns how many. */
const MAX_WAITING = 1_048_576

/** Sends rows as server-sent events (WHATWG HTML section 9.2) until the page goes away. */
export function streamLive(feed: LiveFeed, response: ServerResponse): void {
  let missed = 0
  const stop = feed.listen(rows => {
    if (response.writableLength > MAX_WAITING) {
      missed += rows.length
      return
    }
    if (missed > 0) response.write(`event: missed\ndata: ${missed}\n\n`)
    missed = 0
    response.write(`event: rows\ndata: ${JSON.stringify(rows)}\n\n`)
  })
  if (stop === undefined) {
    response.writeHead(503, { 'Content-Type': 'application/json' })
    response.end('{"error":"too many pages watch already; close one"}\n')
    return
  }
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' })
  response.write(': connected\n\n')
  const heartbeat = setInterval(() => response.write(': alive\n\n'), HEARTBEAT_MS).unref()
  response.once('close', () => {
    clearInterval(heartbeat)
    stop()
  })
}
