import type { ServerResponse } from 'node:http'
import type { EventRow } from '../api/event-row.ts'
import type { LiveFeed, LiveOwner, VerdictCounts } from '../api/live-feed.ts'
import type { Verdict } from '../traffic/traffic-event.ts'

const HEARTBEAT_MS = 15_000
/** Bytes that may wait for a slow page; rows beyond are left out, and the page learns how many by verdict. */
const MAX_WAITING = 1_048_576

/** Who watches. */
export interface Watcher {
  readonly session: LiveOwner
  /** Whether the session still holds; asking does not count as using it. */
  isLive(): boolean
}

/**
 * Sends rows as server-sent events (WHATWG HTML section 9.2) until the page goes away or its session ends.
 */
export function streamLive(feed: Pick<LiveFeed, 'listen'>, response: ServerResponse, watcher: Watcher): void {
  let missed: Partial<Record<Verdict, number>> = {}
  // The end of a stream waits for whoever does not read, who would keep the place of another page.
  const cut = (): void => void (response.writableLength > 0 ? response.destroy() : response.end())
  const stop = feed.listen((rows, leftOut) => {
    if (!watcher.isLive()) return cut()
    addCounts(missed, leftOut)
    if (response.writableLength > MAX_WAITING) {
      addCounts(missed, countsOf(rows))
      return
    }
    if (Object.keys(missed).length > 0) response.write(`event: missed\ndata: ${JSON.stringify(missed)}\n\n`)
    missed = {}
    response.write(`event: rows\ndata: ${JSON.stringify(rows)}\n\n`)
  }, watcher.session)
  if (stop === undefined) {
    response.writeHead(503, { 'Content-Type': 'application/json' })
    response.end('{"error":"too many pages watch already; close one"}\n')
    return
  }
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' })
  response.write(': connected\n\n')
  let before = -1
  const heartbeat = setInterval(() => {
    const sent = sentOf(response)
    // Nothing left since the last time, though something waits: the page is gone, or does not read.
    if (!watcher.isLive() || (response.writableLength > 0 && sent === before)) cut()
    else response.write(': alive\n\n')
    before = sent
  }, HEARTBEAT_MS).unref()
  response.once('close', () => {
    clearInterval(heartbeat)
    stop()
  })
}

/** Bytes that the system has taken. */
function sentOf({ socket }: ServerResponse): number {
  return socket === null ? 0 : socket.bytesWritten - socket.writableLength
}

function addCounts(sums: Partial<Record<Verdict, number>>, counts: VerdictCounts): void {
  for (const [verdict, requests] of Object.entries(counts) as [Verdict, number][])
    sums[verdict] = (sums[verdict] ?? 0) + requests
}

/** Rows by verdict, each as many times as it stands for. */
function countsOf(rows: readonly EventRow[]): VerdictCounts {
  const counts: Partial<Record<Verdict, number>> = {}
  for (const { type, verdict, weight } of rows) if (type === 'http') addCounts(counts, { [verdict]: weight })
  return counts
}
