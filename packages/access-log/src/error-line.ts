import { type LogRecord, splitRequestLine, withoutPort } from './log-record.ts'

const NGINX = /^(\d{4})\/(\d\d)\/(\d\d) (\d\d:\d\d:\d\d) \[\w+\] /
const NGINX_CLIENT =
  /, client: ([^,]{1,64}), server: ([^,]{0,255}), request: "((?:[^"\\]|\\.){0,8192})"(?:, host: "([^"]{0,255})")?/
const NGINX_USER =
  /user "([^"]{0,256})"(?: was not found in |: password mismatch)|no user\/password was provided/
const APACHE = /^\[\w{3} (\w{3}) (\d\d) (\d\d:\d\d:\d\d)(?:\.\d+)? (\d{4})\] /
const APACHE_FAILURE =
  /\[client ([^\]]{1,64})\] AH0161[78]: user ("?)([^:]{0,256}?)\2(?:: authentication failure for "([^"]{0,8192})"| not found: (\S{0,8192}))/

/**
 * A line of nginx's or Apache's error log that reports wrong credentials, as that request with status 401;
 * undefined for every other line. Error logs state no time zone: the time is read as UTC.
 */
export function parseErrorLine(line: string): LogRecord | undefined {
  const nginx = NGINX.exec(line)
  if (nginx !== null) {
    const user = NGINX_USER.exec(line)
    const client = user === null ? null : NGINX_CLIENT.exec(line)
    if (user === null || client === null) return undefined
    const [, address = '', server, request = '', host] = client
    return {
      time: Date.parse(`${nginx[1]}-${nginx[2]}-${nginx[3]}T${nginx[4]}Z`),
      address: withoutPort(address),
      ...splitRequestLine(request),
      status: 401,
      bytes: 0,
      host: host ?? server ?? '',
      ...(user[1] !== undefined && { user: user[1] }),
      failed: 'credentials',
    }
  }
  const apache = APACHE.exec(line)
  const failure = apache === null ? null : APACHE_FAILURE.exec(line)
  if (apache === null || failure === null) return undefined
  return {
    time: Date.parse(`${apache[2]} ${apache[1]} ${apache[4]} ${apache[3]} UTC`),
    address: withoutPort(failure[1] ?? ''),
    method: 'GET',
    target: failure[4] ?? failure[5] ?? '/',
    httpVersion: '1.1',
    status: 401,
    bytes: 0,
    user: failure[3] ?? '',
    failed: 'credentials',
  }
}
