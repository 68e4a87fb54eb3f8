import { type Event, parseAddress, parseRequestPath, redactQuery } from '@postern/core'
import type { LogRecord } from './log-record.ts'

/** A line of a log as the event it would have been, with the fields that only scenarios read in `data`. */
export function logEvent(record: LogRecord, id: string): Event {
  const path = parseRequestPath(record.target)
  return {
    type: 'http',
    time: record.time,
    actor: {
      address: parseAddress(record.address) ?? record.address.slice(0, 64),
      ...(record.agent !== undefined && { agent: record.agent.slice(0, 256) }),
    },
    request: {
      id,
      method: record.method.slice(0, 32),
      host: record.host ?? '',
      path: path.canonical.slice(0, 1_024),
      query: redactQuery(path.query),
    },
    outcome: {
      status: record.status,
      duration: record.duration ?? 0,
      bytes: record.bytes,
      aborted: record.status === 0 || record.status === 499,
    },
    data: {
      target: record.target.slice(0, 4_096),
      ...(record.user !== undefined && { user: record.user.slice(0, 256) }),
      ...(record.referer !== undefined && { referer: record.referer.slice(0, 1_024) }),
      ...(record.failed !== undefined && { failed: record.failed }),
      httpVersion: record.httpVersion,
    },
  }
}
