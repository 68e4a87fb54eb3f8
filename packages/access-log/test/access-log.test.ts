import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { parseAccessLog } from '../src/access-log.ts'
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
      'a request that is no HTTP',
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

  test('says undefined for lines that are no requests, and never throws', () => {
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
