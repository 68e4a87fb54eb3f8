import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { ConfigError, Engine } from '@postern/core'
import { conformance } from '../../../test/conformance.ts'
import { SOURCE_FLAGS } from '../../../test/source-flags.ts'
import { type ReplaySummary, replay } from '../src/replay/replay.ts'
import { CLI, cli } from './cli.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-replay-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** A line of the combined format, so many seconds after noon. */
function line(seconds: number, address: string, request: string, status = 200): string {
  const time = new Date(Date.UTC(2026, 4, 4, 12) + seconds * 1_000).toISOString()
  return `${address} - - [04/May/2026:${time.slice(11, 19)} +0000] "${request}" ${status} 512 "-" "Mozilla/5.0"`
}

async function replayed(args: readonly string[]): Promise<ReplaySummary> {
  const { code, stdout, stderr } = await cli(['replay', '--json', '--quiet', ...args], folder)
  assert.equal(code, 0, stderr)
  return JSON.parse(stdout) as ReplaySummary
}

function write(name: string, lines: readonly string[]): string {
  writeFileSync(join(folder, name), `${lines.join('\n')}\n`)
  return name
}

describe('a replay', () => {
  for (const name of ['gone.log', 'gone.log.gz'])
    test(`of a file that is taken away before it is read says so: ${name}`, () =>
      assert.rejects(
        replay({ files: [join(folder, name)], engine: () => assert.fail('nothing is decided') }),
        error => error instanceof ConfigError && /gone\.log.*does not exist/.test(error.message),
      ))

  test('of a compressed log that ends in the middle says what to do', () => {
    const whole = gzipSync(
      Array.from({ length: 50 }, (_, i) => line(i, '192.0.2.1', `GET /${i} HTTP/1.1`)).join('\n'),
    )
    writeFileSync(join(folder, 'torn.log.gz'), whole.subarray(0, whole.length - 20))
    return assert.rejects(
      replay({ files: [join(folder, 'torn.log.gz')], engine: async clock => new Engine({ clock }) }),
      error => error instanceof ConfigError && /torn\.log\.gz.*is not a whole gzip file/.test(error.message),
    )
  })

  test('of a log that ends in the middle: the printed command unpacks what there is', async t => {
    const work = mkdtempSync(join(tmpdir(), 'postern-torn-'))
    t.after(() => rmSync(work, { recursive: true }))
    // Random, or the last block would hold all of it.
    const lines = Array.from({ length: 5_000 }, (_, at) =>
      line(at, '192.0.2.1', `GET /${randomUUID()} HTTP/1.1`),
    )
    const whole = gzipSync(lines.join('\n'))
    writeFileSync(join(work, "Ann's torn.log"), whole.subarray(0, whole.length - 20))
    const { code, stderr } = await cli(['replay', "Ann's torn.log"], work)
    assert.equal(code, 2)
    const [, command = ''] = /hint: unpack it first: (.*)$/m.exec(stderr) ?? []
    spawnSync('sh', ['-c', command], { cwd: work })
    assert.ok(readFileSync(join(work, 'unpacked.log'), 'utf8').startsWith(lines[0] ?? 'none'))
    assert.equal((await cli(['replay', 'unpacked.log'], work)).code, 0)
  })

  test('of a log is the same whatever its name, its packing and its encoding', async () => {
    const lines = Array.from({ length: 30 }, (_, at) => line(at, '192.0.2.1', `GET /.env?${at} HTTP/1.1`))
    const plain = Buffer.from(`${lines.join('\n')}\n`)
    const wide = Buffer.from(`\ufeff${plain}`, 'utf16le')
    const forms: Readonly<Record<string, Buffer>> = {
      'plain.log': plain,
      'plain.log.gz': plain,
      'packed.log': gzipSync(plain),
      'twice.log.2': Buffer.concat([gzipSync(plain.subarray(0, 999)), gzipSync(plain.subarray(999))]),
      'packed.log.zst': zstdCompressSync(plain),
      'marked.log': Buffer.concat([Buffer.from('\ufeff'), plain]),
      'wide.log': wide,
      'wide-other-order.log': Buffer.from(wide).swap16(),
    }
    const { report: expected } = await replayed([write('expected.log', lines)])
    assert.ok(expected.blocked > 0)
    for (const [name, bytes] of Object.entries(forms)) {
      writeFileSync(join(folder, name), bytes)
      const { report, malformed } = await replayed([name])
      assert.deepEqual([name, malformed, report], [name, 0, expected])
    }
    const { status, stdout } = spawnSync(
      process.execPath,
      [...SOURCE_FLAGS, CLI, 'replay', '-', '--json', '--quiet'],
      {
        cwd: folder,
        input: forms['packed.log'],
        encoding: 'utf8',
      },
    )
    assert.deepEqual([status, (JSON.parse(stdout) as ReplaySummary).report], [0, expected])
  })

  test('of a log that is packed as cannot be read here says what to run', async () => {
    for (const [program, begin] of [
      ['bzip2', 'BZh91AY&SY'],
      ['xz', Buffer.from('fd377a585a000004', 'hex')],
    ] as const) {
      writeFileSync(join(folder, "Ann's packed.bin"), begin)
      const { code, stderr } = await cli(['replay', "Ann's packed.bin"], folder)
      assert.equal(code, 2)
      assert.match(stderr, new RegExp(`is packed with ${program}, which cannot be read here`))
      assert.match(stderr, new RegExp(`hint: unpack it first: ${program} -dc < .*Ann.*packed\\.bin`))
    }
  })

  test('states the earliest and the latest time of a log that is not in order', async () => {
    const noon = Date.UTC(2026, 4, 4, 12)
    for (const seconds of [
      [0, 5, 9],
      [9, 5, 0],
      [5, 0, 9],
      [5, 9, 0],
    ]) {
      const log = write(
        'unordered.log',
        seconds.map(at => line(at, '192.0.2.1', 'GET / HTTP/1.1')),
      )
      const { from, to } = await replayed([log])
      assert.deepEqual([from, to], [noon, noon + 9_000])
    }
  })

  test('tells by rule, actor and route what would have been refused, with examples', async () => {
    const log = write('attack.log', [
      line(0, '192.0.2.1', 'GET /products HTTP/1.1'),
      line(1, '192.0.2.1', "GET /products?q=O'Brien HTTP/1.1"),
      line(
        2,
        '203.0.113.9',
        "GET /products?id=1'%20UNION%20SELECT%20password%20FROM%20users-- HTTP/1.1",
        500,
      ),
      line(3, '203.0.113.9', 'GET /search?q=%3Cscript%3Ealert(1)%3C/script%3E HTTP/1.1'),
    ])
    const { lines, report } = await replayed([log])
    assert.equal(lines, 4)
    assert.deepEqual([report.requests, report.allowed, report.blocked], [4, 2, 2])
    assert.ok(
      report.rules.some(rule => rule.key.startsWith('inspect/sqli/') && rule.examples[0]?.includes('UNION')),
    )
    assert.deepEqual(
      report.actors.map(actor => [actor.key, actor.count]),
      [['203.0.113.9', 2]],
    )
    assert.deepEqual(report.routes.map(route => route.key).sort(), ['GET /products', 'GET /search'])
  })

  test('runs on the time of the log: the same requests over an hour are not a flood', async () => {
    writeFileSync(join(folder, 'tight.yaml'), 'limits: { address: 20/1m }\nscenarios: false\n')
    const quick = write(
      'quick.log',
      Array.from({ length: 60 }, (_, i) => line(Math.floor(i / 2), '192.0.2.1', `GET /p/${i} HTTP/1.1`)),
    )
    const slow = write(
      'slow.log',
      Array.from({ length: 60 }, (_, i) => line(i * 60, '192.0.2.1', `GET /p/${i} HTTP/1.1`)),
    )
    assert.equal((await replayed(['--config', join(folder, 'tight.yaml'), quick])).report.throttled, 40)
    assert.equal((await replayed(['--config', join(folder, 'tight.yaml'), slow])).report.throttled, 0)
  })

  test('tells what scenarios would have found, and the measure holds afterwards', async () => {
    const log = write('probing.log', [
      ...Array.from({ length: 80 }, (_, i) =>
        line(i / 10, '203.0.113.9', `GET /missing-${i}.html HTTP/1.1`, 404),
      ),
      line(20, '203.0.113.9', 'GET / HTTP/1.1'),
    ])
    const { report } = await replayed([log])
    assert.ok(
      report.findings.some(finding => finding.examples.includes('address 203.0.113.9')),
      JSON.stringify(report.findings),
    )
    assert.ok(report.rules.some(rule => rule.key.startsWith('remediation/')))
  })

  test('counts and shows lines that are not access log entries', async () => {
    const log = write('mixed.log', [
      line(0, '192.0.2.1', 'GET / HTTP/1.1'),
      'hello',
      '{"level":"info"}',
      line(1, 'not-an-address', 'GET / HTTP/1.1'),
    ])
    const { malformed, malformedExamples, report } = await replayed([log])
    assert.equal(malformed, 3)
    assert.match(malformedExamples[0]?.place ?? '', /mixed\.log:2$/)
    assert.equal(report.requests, 1)
  })

  test('compares two configurations: what the other would refuse, and what it would let pass', async () => {
    writeFileSync(
      join(folder, 'old.yaml'),
      'inspect: false\nscenarios: false\nroutes: { /old: { methods: [POST] } }\n',
    )
    writeFileSync(join(folder, 'new.yaml'), 'scenarios: false\n')
    const log = write('both.log', [
      line(0, '192.0.2.1', 'GET /search?q=%3Cscript%3Ealert(1)%3C/script%3E HTTP/1.1'),
      line(1, '192.0.2.1', 'GET /old HTTP/1.1'),
      line(2, '192.0.2.1', 'GET / HTTP/1.1'),
    ])
    const { against } = await replayed(['--config', join(folder, 'old.yaml'), '--against', 'new.yaml', log])
    assert.deepEqual([against?.difference.newlyRefused, against?.difference.newlyAllowed], [1, 1])
    assert.match(against?.difference.refusedBy[0]?.key ?? '', /^inspect\/xss\//)
    assert.deepEqual(
      against?.difference.allowedFrom.map(rule => rule.key),
      ['protocol/method'],
    )
  })

  test('reads JSON lines', async () => {
    const log = write('lines.json', [
      JSON.stringify({
        time: '2026-05-04T12:00:00Z',
        remote_addr: '192.0.2.1',
        method: 'GET',
        uri: '/',
        status: 200,
      }),
      JSON.stringify({
        ts: 1777896001.5,
        request: { remote_ip: '192.0.2.1', method: 'GET', uri: '/?q=%3Cscript%3Ealert(1)%3C/script%3E' },
        status: 200,
      }),
    ])
    const { report } = await replayed([log])
    assert.deepEqual([report.requests, report.blocked], [2, 1])
  })

  test('says what share of the lines was read, and ends with 1 when it was none', async () => {
    const part = write('part.log', [line(0, '192.0.2.1', 'GET / HTTP/1.1'), 'Listening on port 3000'])
    const some = await cli(['replay', part], folder)
    assert.equal(some.code, 0)
    assert.match(some.stdout + some.stderr, /1 of 2 lines read \(50\.0 %\)/)
    const none = await cli(['replay', write('none-read.log', ['Listening on port 3000'])], folder)
    assert.equal(none.code, 1)
    assert.match(none.stdout + none.stderr, /0 of 1 line read/)
  })

  test('decides as the gateway does on a path that begins with several slashes', async () => {
    const log = write('slashes.log', [line(0, '192.0.2.1', 'GET //favicon.ico HTTP/1.1')])
    assert.equal((await replayed([log])).report.allowed, 1)
  })

  test('follows the hops of a list of addresses as far as the configuration trusts them', async () => {
    writeFileSync(
      join(folder, 'trusting.yaml'),
      'trustProxies: [198.51.100.0/24]\nlimits: { address: 1/1m }\n',
    )
    const request = 'GET / HTTP/1.1'
    const log = write('hops.log', [
      line(0, '203.0.113.1, 198.51.100.7', request),
      line(0, '203.0.113.2, 198.51.100.7', request),
    ])
    assert.equal((await replayed(['--config', join(folder, 'trusting.yaml'), log])).report.throttled, 0)
    writeFileSync(join(folder, 'distrusting.yaml'), 'limits: { address: 1/1m }\n')
    assert.equal((await replayed(['--config', join(folder, 'distrusting.yaml'), log])).report.throttled, 1)
  })

  test('says which log is not there, and ends with 2', async () => {
    const { code, stderr } = await cli(['replay', 'none.log'], folder)
    assert.equal(code, 2)
    assert.match(stderr, /none\.log: there is no such file/)
  })

  const { path: log, skip } = conformance('logs/elastic-apache_logs.log')
  test('goes through a real log of Apache end to end', { skip }, async () => {
    const { lines, malformed, report } = await replayed([log])
    assert.deepEqual([lines, malformed, report.requests], [10_000, 0, 10_000])
    assert.ok(report.allowed > 9_500, `${report.allowed} allowed`)
  })
})
