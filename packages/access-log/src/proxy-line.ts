import { known, type LogRecord, splitRequestLine, withoutLastPort } from './log-record.ts'
import { parseCommonTime } from './log-time.ts'

const MAX_LENGTH = 16_384

/** client:port [time] frontend backend/server timers status bytes ... "request" */
const HAPROXY =
  /^(\S{3,64}:\d{1,5}) \[(\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d)\.\d{1,6}\] \S{1,256} \S{1,256} [\d/+-]{5,64} (-?\d{1,3}) \+?(\d{1,15}) [^"]{0,4096}"((?:[^"\\]|\\.)*)"?/

/**
 * A line of HAProxy's HTTP format (its syslog prefix already removed); undefined for any other line. Its
 * times have no zone and are read as UTC.
 */
export function parseHaproxyLine(line: string): LogRecord | undefined {
  const match = line.length > MAX_LENGTH ? null : HAPROXY.exec(line)
  if (match === null) return undefined
  const [, client = '', when = '', status, bytes, request = ''] = match
  const time = parseCommonTime(when)
  if (Number.isNaN(time)) return undefined
  const parts = splitRequestLine(request)
  // Of HTTP/2 it writes the whole URL.
  const absolute = /^https?:\/\/([^/?#]*)(.*)$/.exec(parts.target)
  return {
    time,
    address: withoutLastPort(client),
    ...parts,
    ...(absolute !== null && { target: absolute[2] || '/', host: absolute[1] ?? '' }),
    status: Math.max(0, Number(status)),
    bytes: Number(bytes),
  }
}

/**
 * [time] cache upstream-status status - method scheme host "target" [Client address]
 * [Length bytes] ... "agent" "referer"
 */
const PROXY_MANAGER =
  /^\[(\d\d\/\w{3}\/\d{4}:[\d:]{8} [+-]\d{4})\] \S{1,32} \S{1,32} (\d{3}|-) - (\S{1,32}) \S{1,16} (\S{1,255}) "((?:[^"\\]|\\.)*)" \[Client ([^\]]{1,64})\] \[Length (\d{1,15}|-)\][^"]{0,512}"((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"/

/** A line of Nginx Proxy Manager; undefined for any other line. */
export function parseProxyManagerLine(line: string): LogRecord | undefined {
  const match = line.length > MAX_LENGTH ? null : PROXY_MANAGER.exec(line)
  if (match === null) return undefined
  const [
    ,
    when = '',
    status,
    method = '',
    host = '',
    target = '',
    address = '',
    bytes,
    agentText,
    refererText,
  ] = match
  const time = parseCommonTime(when)
  if (Number.isNaN(time)) return undefined
  const agent = known(agentText)
  const referer = known(refererText)
  return {
    time,
    address,
    method,
    target,
    httpVersion: '1.1',
    status: Number(status) || 0,
    bytes: Number(bytes) || 0,
    host,
    ...(agent !== undefined && { agent }),
    ...(referer !== undefined && { referer }),
  }
}
