import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { faults } from '../../../test/conformance.ts'
import { parseAccessLog } from '../src/access-log.ts'
import { AccessLogReader } from '../src/access-log-reader.ts'
import { logEvent } from '../src/log-event.ts'
import type { LogRecord } from '../src/log-record.ts'

const TIME = Date.UTC(2026, 0, 31, 12, 30, 5)

function parsed(line: string): LogRecord {
  const record = parseAccessLog(line)
  assert.ok(record !== undefined, `not read: ${line}`)
  return record
}

describe('access logs', () => {
  test('reads the combined format, with the zone', () => {
    assert.deepEqual(
      parsed(
        '192.0.2.7 - alice [31/Jan/2026:14:30:05 +0200] "GET /a?b=1 HTTP/1.1" 404 12 "http://r/" "curl/8"',
      ),
      {
        time: TIME,
        address: '192.0.2.7',
        user: 'alice',
        method: 'GET',
        target: '/a?b=1',
        httpVersion: '1.1',
        status: 404,
        bytes: 12,
        referer: 'http://r/',
        agent: 'curl/8',
      },
    )
  })
  const one: readonly (readonly [name: string, line: string, expected: Partial<LogRecord>])[] = [
    [
      'the common format',
      '::1 - - [31/Jan/2026:12:30:05 +0000] "HEAD / HTTP/2" 200 -',
      { address: '::1', bytes: 0, httpVersion: '2.0' },
    ],
    [
      'a virtual host in front',
      'shop.example 192.0.2.7 - - [31/Jan/2026:12:30:05 +0000] "GET / HTTP/1.1" 200 1',
      { address: '192.0.2.7', host: 'shop.example' },
    ],
    [
      'Traefik, with a client that went away',
      '192.0.2.7 - - [31/Jan/2026:12:30:05 +0000] "GET /x HTTP/1.1" - - "-" "Nikto" 4 "-" "-" 0ms',
      { status: 0, agent: 'Nikto' },
    ],
    [
      'escaped quotes in the agent',
      '192.0.2.7 - - [31/Jan/2026:12:30:05 +0000] "GET / HTTP/1.1" 200 1 "-" "a\\"b\\x22c"',
      { agent: 'a"b"c' },
    ],
    [
      'a request that is not HTTP',
      '192.0.2.7 - - [31/Jan/2026:12:30:05 +0000] "\\x16\\x03\\x01" 400 1 "-" "-"',
      { method: '', status: 400 },
    ],
    [
      'nginx JSON',
      `{"time_iso8601":"2026-01-31T12:30:05+00:00","remote_addr":"192.0.2.7","request":"GET /x?y HTTP/1.1","status":"200","request_time":"0.25","http_user_agent":"curl"}`,
      { target: '/x?y', duration: 250, agent: 'curl' },
    ],
    [
      'Caddy',
      `{"ts":1769862605,"request":{"remote_ip":"192.0.2.7","method":"GET","host":"h","uri":"/x","headers":{"User-Agent":["curl"]}},"status":200,"size":3}`,
      { agent: 'curl', host: 'h', bytes: 3 },
    ],
    [
      'Traefik JSON',
      `{"ClientHost":"192.0.2.7","DownstreamStatus":404,"RequestMethod":"GET","RequestPath":"/x","RequestProtocol":"HTTP/1.1","time":"2026-01-31T12:30:05Z","request_User-Agent":"curl"}`,
      { status: 404 },
    ],
    [
      'Cloudflare Logpush',
      `{"ClientIP":"2001:db8::7","ClientRequestMethod":"GET","ClientRequestURI":"/x","EdgeResponseStatus":403,"EdgeStartTimestamp":1769862605000000000,"ClientRequestHost":"h"}`,
      { status: 403, address: '2001:db8::7' },
    ],
    [
      'Envoy JSON behind a container prefix',
      `2026-01-31T12:30:05.1Z stdout F {"start_time":"2026-01-31T12:30:05Z","method":"GET","x-envoy-origin-path":"/x","response_code":404,"downstream_remote_address":"192.0.2.7:4000"}`,
      { address: '192.0.2.7' },
    ],
    [
      'Envoy text',
      `[2026-01-31T12:30:05.000Z] "POST /api HTTP/2" 204 - 154 9 226 100 "192.0.2.7" "curl" "id" "h" "tcp://10.0.2.1:80"`,
      { bytes: 9, duration: 226, host: 'h' },
    ],
    [
      'an AWS load balancer',
      `https 2026-01-31T12:30:05.000Z app/lb/1 192.0.2.7:2817 10.0.0.1:80 0.086 0.048 0.037 200 200 0 57 "GET https://h:443/x?y HTTP/1.1" "curl" ECDHE TLSv1.2 arn`,
      { target: '/x?y', host: 'h', bytes: 57 },
    ],
    [
      'docker around a line',
      `{"log":"192.0.2.7 - - [31/Jan/2026:12:30:05 +0000] \\"GET /x HTTP/1.1\\" 200 1\\n","stream":"stdout"}`,
      { target: '/x' },
    ],
    [
      'syslog around a line',
      `Jan 31 12:30:05 web nginx: 192.0.2.7 - - [31/Jan/2026:12:30:05 +0000] "GET /x HTTP/1.1" 200 1 "-" "-"`,
      { address: '192.0.2.7', target: '/x' },
    ],
    [
      'a failed login in nginx’s error log',
      `2026/01/31 12:30:05 [error] 1#1: *17 user "foo": password mismatch, client: 192.0.2.7, server: _, request: "GET /p HTTP/1.1", host: "h"`,
      { status: 401, failed: 'credentials', user: 'foo', target: '/p' },
    ],
    [
      'a failed login in Apache’s error log',
      `[Sat Jan 31 12:30:05.123456 2026] [auth_basic:error] [pid 1:tid 2] [client 192.0.2.7:4000] AH01617: user foo: authentication failure for "/p": Password Mismatch`,
      { status: 401, user: 'foo', target: '/p' },
    ],
    [
      'HAProxy behind syslog',
      `Jan 31 12:30:05 web haproxy[143]: 192.0.2.7:33317 [31/Jan/2026:12:30:05.655] http-in static/srv1 10/0/30/69/109 404 2750 - - ---- 1/1/1/1/0 0/0 {h} {} "GET /x HTTP/1.1"`,
      { address: '192.0.2.7', target: '/x', status: 404, bytes: 2750 },
    ],
    [
      'Nginx Proxy Manager',
      `[31/Jan/2026:12:30:05 +0000] - 404 404 - GET https h "/x?y" [Client 192.0.2.7] [Length 150] [Gzip -] [Sent-to 10.0.0.1] "curl" "-"`,
      { address: '192.0.2.7', target: '/x?y', host: 'h', agent: 'curl' },
    ],
    [
      'a classic AWS load balancer',
      `2026-01-31T12:30:05.000Z lb 192.0.2.7:2817 10.0.0.1:80 0.086 0.048 0.037 200 200 0 57 "GET http://h:80/x?y HTTP/1.1" "curl" - -`,
      { target: '/x?y', host: 'h', bytes: 57 },
    ],
    [
      'AWS WAF',
      `{"timestamp":1769862605000,"action":"ALLOW","httpRequest":{"clientIp":"192.0.2.7","uri":"/x","args":"y=1","httpVersion":"HTTP/1.1","httpMethod":"GET"}}`,
      { address: '192.0.2.7', target: '/x?y=1' },
    ],
    [
      'AWS API Gateway',
      `{"ip":"192.0.2.7","requestTime":"31/Jan/2026:12:30:05 +0000","httpMethod":"GET","path":"/x","status":"404","responseLength":"9"}`,
      { target: '/x', status: 404, bytes: 9 },
    ],
    [
      'a load balancer of Google Cloud',
      `{"timestamp":"2026-01-31T12:30:05Z","httpRequest":{"remoteIp":"192.0.2.7","requestMethod":"GET","requestUrl":"https://h/x?y","status":404,"responseSize":"9"}}`,
      { target: '/x?y', status: 404, bytes: 9 },
    ],
    [
      'Azure Front Door',
      `{"time":"2026-01-31T12:30:05Z","properties":{"httpMethod":"GET","requestUri":"https://h:443/x","clientIp":"192.0.2.7","httpStatusCode":"404"}}`,
      { target: '/x', status: 404 },
    ],
    [
      'journald’s JSON around a line',
      `{"_HOSTNAME": "web", "MESSAGE": "192.0.2.7 - - [31/Jan/2026:12:30:05 +0000] \\"GET /x HTTP/1.1\\" 200 1"}`,
      { target: '/x' },
    ],
    [
      'JSON of an application in JSON of a log shipper, with spaces',
      `{"stream": "stdout", "log": "{\\"time\\":1769862605,\\"ip\\":\\"192.0.2.7\\",\\"method\\":\\"GET\\",\\"url\\":\\"/x\\"}\\n"}`,
      { target: '/x' },
    ],
    [
      'Postern’s own events',
      `{"type":"http","time":1769862605000,"actor":{"address":"192.0.2.7","agent":"curl"},"request":{"id":"1","method":"GET","host":"h","path":"/x","query":"y=1"},"outcome":{"status":200,"bytes":1}}`,
      { target: '/x?y=1', agent: 'curl' },
    ],
  ]
  for (const [name, line, expected] of one)
    test(`reads ${name}`, () => {
      const record = parsed(line)
      assert.equal(record.time, TIME)
      for (const [key, value] of Object.entries(expected))
        assert.equal(record[key as keyof LogRecord], value, key)
    })

  test('says undefined for lines that are not requests, and never throws', () => {
    for (const line of [
      '',
      ' ',
      'hello',
      '{}',
      '{"a":1}',
      '[]',
      '- - -',
      '"',
      '2026/01/31 12:30:05 [notice] 1#1: start',
      'x'.repeat(70_000),
    ])
      assert.equal(parseAccessLog(line), undefined)
    fc.assert(
      fc.property(fc.string({ maxLength: 300, unit: 'binary' }), noise => {
        parseAccessLog(noise)
        parseAccessLog(`192.0.2.7 - - [31/Jan/2026:12:30:05 +0000] "${noise}`)
        parseAccessLog(`{"time":${noise}`)
      }),
    )
  })
  test('a line as an event keeps the target as sent, and hides secrets in the query', () => {
    const event = logEvent(
      parsed('192.0.2.7 - - [31/Jan/2026:12:30:05 +0000] "GET /%2e%2e/x?token=a HTTP/1.1" 404 1'),
      '1',
    )
    assert.equal(event.request?.query, 'token=***')
    assert.equal(event.data?.['target'], '/%2e%2e/x?token=a')
    assert.equal(event.actor.address, '192.0.2.7')
  })
})

const STATUS_404 = '"GET /missing HTTP/1.1" 404 120 "-" "Firefox"'
const STAMP = '[31/Jan/2026:12:30:05 +0000]'

describe('an address field that lists several', () => {
  const cases: readonly (readonly [
    name: string,
    line: string,
    address: string,
    before: string | undefined,
  ])[] = [
    [
      'two in a common line',
      `203.0.113.9, 198.51.100.7 - - ${STAMP} ${STATUS_404}`,
      '198.51.100.7',
      '203.0.113.9',
    ],
    [
      'three in a common line, the last two inside',
      `203.0.113.9, 10.0.0.7, 127.0.0.1 - alice ${STAMP} ${STATUS_404}`,
      '203.0.113.9',
      undefined,
    ],
    [
      'two behind a virtual host',
      `shop.example 203.0.113.9, 198.51.100.7 - - ${STAMP} ${STATUS_404}`,
      '198.51.100.7',
      '203.0.113.9',
    ],
  ]
  for (const [name, line, address, before] of cases)
    test(name, () => {
      const record = parsed(line)
      assert.equal(record.address, address)
      assert.equal(record.forwardedFor, before)
      assert.equal(record.status, 404)
    })

  for (const field of ['ClientHost', 'client_ip', 'remote_addr', 'clientip', 'c-ip', 'ip'])
    test(`in JSON as ${field}`, () => {
      const line = {
        time: '2026-01-31T12:30:05Z',
        [field]: '203.0.113.9,198.51.100.7:4711',
        method: 'GET',
        uri: '/',
        status: 200,
      }
      const { address, forwardedFor } = parsed(JSON.stringify(line))
      assert.deepEqual([address, forwardedFor], ['198.51.100.7', '203.0.113.9'])
    })

  for (const [name, address, expected] of [
    ['an array', ['203.0.113.9', '198.51.100.7:4711'], ['198.51.100.7', '203.0.113.9']],
    ['an array of one', ['203.0.113.9'], ['203.0.113.9', undefined]],
    ['IPv6 with ports', '[2001:db8::1]:3000, [2001:db8::2]:80', ['2001:db8::2', '2001:db8::1']],
  ] as const)
    test(`G9 in JSON as ${name}`, () => {
      const line = {
        time: '2026-01-31T12:30:05Z',
        remote_addr: address,
        method: 'GET',
        uri: '/',
        status: 200,
      }
      const { address: found, forwardedFor } = parsed(JSON.stringify(line))
      assert.deepEqual([found, forwardedFor], expected)
    })

  test('G9 a log that names the forwarded list only is read by it; beside the sender it is not trusted', () => {
    const line = { time: '2026-01-31T12:30:05Z', method: 'GET', uri: '/', status: 200 }
    const list = { http_x_forwarded_for: '203.0.113.9, 10.0.0.1' }
    assert.equal(parsed(JSON.stringify({ ...line, ...list })).address, '203.0.113.9')
    assert.equal(
      parsed(JSON.stringify({ ...list, ...line, remote_addr: '198.51.100.7' })).address,
      '198.51.100.7',
    )
  })

  test('never yields more than the address it was sent from: a client cannot choose whom a log accuses', () => {
    fc.assert(
      fc.property(fc.array(fc.ipV4(), { minLength: 0, maxLength: 20 }), claimed => {
        const list = [...claimed, '198.51.100.7'].join(', ')
        assert.equal(parsed(`${list} - - ${STAMP} ${STATUS_404}`).address, '198.51.100.7')
      }),
    )
  })
})

describe('a prefix with a process number', () => {
  for (const prefix of [
    'Jun  1 12:00:00 web nginx[77]: ',
    '<190>Jun  1 12:00:00 web nginx[77]: ',
    '2026-06-01T12:00:00+02:00 web nginx[77]: ',
    '2026-06-01T12:00:00.000000Z web httpd[1234]: ',
    '2026-06-01T12:00:00.123456+0200 web nginx[77]: ',
    'Jun  1 12:00:00 nginx[77]: ',
    'Jun  1 12:00:00 web nginx(access)[77]: ',
    'Jun  1 12:00:00 web docker/4f5d[77]: ',
    '<134>1 2026-06-01T12:00:00Z web nginx 77 - - ',
    '<134>1 2026-06-01T12:00:00.1+02:00 web nginx 77 ID47 [a@1 k="] \\" ["][b] \u{feff}',
    'web-1  | ',
    '0|web  | ',
    '[pod/web-6d4/nginx] ',
  ])
    test(`G10 is taken off: ${prefix}`, () => {
      const record = parsed(`${prefix}203.0.113.9 - bob ${STAMP} ${STATUS_404}`)
      assert.deepEqual(
        [record.address, record.user, record.host, record.time],
        ['203.0.113.9', 'bob', undefined, TIME],
      )
    })
})

describe('W3C extended logs', () => {
  const read = (...lines: readonly string[]): readonly (LogRecord | 'nothing' | undefined)[] => {
    const log = new AccessLogReader()
    return lines.map(line => log.read(line))
  }

  test('IIS: columns in the order that the file names, spaces in the agent as plus', () => {
    const [, , record] = read(
      '#Software: Microsoft Internet Information Services 10.0',
      '#Fields: date time c-ip cs-method cs-uri-stem cs-uri-query sc-status time-taken cs(User-Agent)',
      '2026-01-31 12:30:05 203.0.113.9 GET /a b=1 404 12 Mozilla/5.0+(X11)\r',
    )
    assert.deepEqual(record, {
      time: TIME,
      address: '203.0.113.9',
      method: 'GET',
      target: '/a?b=1',
      httpVersion: '1.1',
      status: 404,
      bytes: 0,
      duration: 12,
      agent: 'Mozilla/5.0 (X11)',
    })
  })

  test('CloudFront: tabs, escaped agents, seconds', () => {
    const [, record] = read(
      '#Fields: date time sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(User-Agent) cs-uri-query time-taken',
      '2026-01-31\t12:30:05\t120\t203.0.113.9\tGET\td1.cloudfront.net\t/a\t404\tMozilla/5.0%20(X11)\t-\t0.25',
    )
    assert.deepEqual(record, {
      time: TIME,
      address: '203.0.113.9',
      method: 'GET',
      target: '/a',
      httpVersion: '1.1',
      status: 404,
      bytes: 120,
      duration: 250,
      host: 'd1.cloudfront.net',
      agent: 'Mozilla/5.0 (X11)',
    })
  })

  test('a file cut off in front of its directive is read by the defaults', () => {
    const [iis, cloudfront] = read(
      '2026-01-31 12:30:05 10.0.0.1 GET /a - 443 - 203.0.113.9 curl/8 - 200 0 0 12',
      '2026-01-31\t12:30:05\tFRA2\t120\t203.0.113.9\tGET\td1.cloudfront.net\t/a\t200\t-\tcurl/8\t-',
    )
    for (const record of [iis, cloudfront]) {
      assert.ok(typeof record === 'object')
      assert.deepEqual(
        [record.address, record.target, record.status, record.agent],
        ['203.0.113.9', '/a', 200, 'curl/8'],
      )
    }
  })

  test('lines with too few columns, and directives that name none of ours, are not records', () => {
    assert.deepEqual(
      read('2026-01-31 12:30:05', '#Fields: x y z', '2026-01-31 12:30:05 a b c', '', '#Date: x'),
      [undefined, 'nothing', undefined, 'nothing', 'nothing'],
    )
  })
})

describe('logs that were not read', () => {
  const { path: folder, skip } = faults('logs')
  if (skip !== false) test('are not on this machine', context => context.skip(skip))
  for (const name of skip === false ? readdirSync(folder) : [])
    test(name, () => {
      const log = new AccessLogReader()
      const lines = readFileSync(join(folder, name), 'utf8').split('\n')
      const read = lines.map(line => log.read(line))
      assert.equal(read.filter(record => record === undefined).length, 0)
      assert.ok(read.filter(record => typeof record === 'object').length >= 43)
    })
})
