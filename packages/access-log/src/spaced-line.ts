import { loggedClient } from './client-list.ts'
import { known, type LogRecord, splitRequestLine, withoutLastPort } from './log-record.ts'

/**
 * type, time, balancer, client:port, target:port, three times, two statuses, two
 * byte counts, "request", "agent".
 */
const BALANCER =
  /^(?:https?|h2|grpcs|wss?) (\S{1,40}) \S+ (\S{1,64}) \S+ (\S+) (\S+) (\S+) (\d{1,3}|-) \S+ \d+ (\d+) "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"/

/** The same without the type, as the classic load balancer writes it. */
const CLASSIC =
  /^(\d{4}-\d\d-\d\dT\S{8,32}) \S+ (\S{1,64}) \S+ (\S+) (\S+) (\S+) (\d{1,3}|-) \S+ \d+ (\d+) "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"/

/** A line of an AWS Application Load Balancer's log; undefined for any other line. */
export function parseBalancerLine(line: string): LogRecord | undefined {
  return balancerRecord(BALANCER.exec(line))
}

/** A line of an AWS Classic Load Balancer's log; undefined for any other line. */
export function parseClassicBalancerLine(line: string): LogRecord | undefined {
  return balancerRecord(CLASSIC.exec(line))
}

function balancerRecord(match: RegExpExecArray | null): LogRecord | undefined {
  if (match === null) return undefined
  const [, when = '', client = '', before, inside, after, status, bytes, request = '', agentText] = match
  const time = Date.parse(when)
  if (Number.isNaN(time)) return undefined
  const { method, target, httpVersion } = splitRequestLine(request)
  const absolute = /^[a-z]+:\/\/([^/?#]*)(.*)$/.exec(target)
  const agent = known(agentText)
  const seconds = [before, inside, after].map(Number).filter(value => value > 0)
  return {
    time,
    address: withoutLastPort(client),
    method,
    target: absolute === null ? target : absolute[2] || '/',
    httpVersion,
    status: Number(status) || 0,
    bytes: Number(bytes),
    duration: seconds.reduce((sum, value) => sum + value, 0) * 1_000,
    ...(absolute?.[1] !== undefined && { host: absolute[1].replace(/:\d+$/, '') }),
    ...(agent !== undefined && { agent }),
  }
}

/**
 * [time] "request" status flags [further details] received sent duration upstream
 * "forwarded-for" "agent" "id" "authority"
 */
const ENVOY =
  /^\[(\d{4}-\d\d-\d\dT[^\]]{8,24})\] "((?:[^"\\]|\\.)*)" (\d{1,3}) .*?(\d+) (\d+) (\d+) (?:\d+|-) "([^"]*)" "((?:[^"\\]|\\.)*)" "[^"]*" "([^"]*)"/

/** A line of Envoy's default text format; undefined for any other line, and when it names no client. */
export function parseEnvoyLine(line: string): LogRecord | undefined {
  const match = line.length > 16_384 ? null : ENVOY.exec(line)
  if (match === null) return undefined
  const [, when = '', request = '', status, , bytes, duration, listed = '', agentText, hostText] = match
  const time = Date.parse(when)
  const forwarded = known(listed) ?? senderOf(line.slice(match[0].length))
  if (Number.isNaN(time) || forwarded === undefined) return undefined
  const agent = known(agentText)
  const host = known(hostText)
  return {
    time,
    ...loggedClient(forwarded),
    ...splitRequestLine(request),
    status: Number(status),
    bytes: Number(bytes),
    duration: Number(duration),
    ...(host !== undefined && { host }),
    ...(agent !== undefined && { agent }),
  }
}

/**
 * "upstream host" cluster local-address downstream-local-address downstream-remote-address, as Istio adds.
 */
const ISTIO = /^ "[^"]{1,128}" \S{1,256} \S{1,64} \S{1,64} (\S{3,64}:\d{1,5})(?: |$)/

/** Who sent the request, where no forwarding header says it. */
function senderOf(rest: string): string | undefined {
  const sender = ISTIO.exec(rest)?.[1]
  return sender === undefined ? undefined : withoutLastPort(sender)
}
