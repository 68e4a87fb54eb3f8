import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { AccessLogReader } from '../src/access-log-reader.ts'
import type { LogRecord } from '../src/log-record.ts'

const STAMP = '[31/Jan/2026:12:30:05 +0000]'
const ADDRESS = '203.0.113.9'
const TIME = Date.UTC(2026, 0, 31, 12, 30, 5)

interface Case {
  readonly name: string
  /** One line, or several of one file, of which the last is looked at. */
  readonly lines: string | readonly string[]
  /** What differs from `GET /x?y=1` of 203.0.113.9 with 404. */
  readonly expected?: Partial<LogRecord>
}

const cases: readonly Case[] = readFileSync(join(import.meta.dirname, 'formats.ndjson'), 'utf8')
  .trim()
  .split('\n')
  .map((line): Case => JSON.parse(line))

function lastOf(lines: string | readonly string[]): LogRecord | 'nothing' | undefined {
  const log = new AccessLogReader()
  let last: LogRecord | 'nothing' | undefined
  for (const line of typeof lines === 'string' ? [lines] : lines) last = log.read(line)
  return last
}

describe('lines of many servers and collectors', () => {
  for (const { name, lines, expected } of cases)
    test(`are read: ${name}`, () => {
      const record = lastOf(lines)
      assert.ok(typeof record === 'object', `not read: ${JSON.stringify(lines)}`)
      assert.ok(Math.abs(record.time - TIME) < 1_000, `time ${record.time}`)
      const wanted = { address: ADDRESS, method: 'GET', target: '/x?y=1', status: 404, ...expected }
      for (const [key, value] of Object.entries(wanted))
        assert.equal(record[key as keyof LogRecord], value, key)
    })

  test('a line without a time takes that of what collected it, and is not read without one', () => {
    const line = `INFO:     ${ADDRESS}:54321 - "GET /x?y=1 HTTP/1.1" 404 Not Found`
    assert.equal(lastOf(line), undefined)
    const collected = lastOf(JSON.stringify({ log: `${line}\n`, time: '2026-01-31T12:30:05.123Z' }))
    assert.ok(typeof collected === 'object')
    assert.deepEqual([collected.time, collected.target], [TIME + 123, '/x?y=1'])
  })

  test('a client cannot choose whom a log accuses: by a name, a path, a header or an agent', () => {
    const other = '198.51.100.66'
    for (const line of [
      `${ADDRESS} - ${other} a ${STAMP} "GET /x HTTP/1.1" 404 1`,
      `[2026-01-31 12:30:05 +0000] [7] [INFO] ${ADDRESS} - ${other} ${other} ${STAMP} "GET /x HTTP/1.1" 404 1`,
      `Started GET "/x" for ${other} at 2026-01-31 12:30:05 +0000" for ${ADDRESS} at 2026-01-31 12:30:05 +0000`,
      `Started GET "/xStarted GET "/y" for ${ADDRESS} at 2026-01-31 12:30:05 +0000`,
      `time=2026-01-31T12:30:05Z remote_addr=${ADDRESS} method=GET uri="/x remote_addr=${other}" status=404 remote_addr=${other}`,
      JSON.stringify({
        ts: '2026-01-31T12:30:05Z',
        peer_address: 'x',
        headers: { 'client-ip': other },
        remoteAddr: ADDRESS,
        verb: 'GET',
        reqPath: '/x',
        code: 404,
      }),
      `2026-01-31 12:30:05,123 INFO ${ADDRESS}:54321 - "GET /x?${other}:1 HTTP/1.1" 404`,
    ]) {
      const record = lastOf(line)
      assert.ok(typeof record === 'object', line)
      assert.equal(record.address, ADDRESS, line)
    }
  })

  test('whole URLs are those of the log where its first line has one, else what a client tried to reach', () => {
    const line = (url: string): string => `${ADDRESS} - - ${STAMP} "GET ${url} HTTP/1.1" 200 1`
    const varnish = new AccessLogReader()
    const targets = ['http://shop.example/a', 'http://shop.example', 'http://other.example/b'].map(url => {
      const record = varnish.read(line(url))
      return typeof record === 'object' ? record.target : record
    })
    assert.deepEqual(targets, ['/a', '/', 'http://other.example/b'])
    const nginx = new AccessLogReader()
    nginx.read(line('/'))
    const tried = nginx.read(line('http://shop.example/a'))
    assert.equal(typeof tried === 'object' && tried.target, 'http://shop.example/a')
  })
})
