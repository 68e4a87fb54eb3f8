import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { cliProcess } from './cli.ts'

const folders: string[] = []
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-cli-'))
  folders.push(folder)
  return folder
}
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

describe('the command line', () => {
  test('names the whole command when a part of one was typed', async () => {
    const { code, stderr } = await cliProcess(['verify'], newFolder())
    assert.equal(code, 2)
    assert.match(stderr, /unknown command 'verify'\n\(Did you mean postern audit verify\?\)/)
    assert.match((await cliProcess(['lst'], newFolder())).stderr, /unknown command 'lst'/)
  })

  test('a ban of somebody by the name that the log has says what to write', async () => {
    const { code, stderr } = await cliProcess(['ban', 'user:bob'], newFolder())
    assert.equal(code, 2)
    assert.match(stderr, /"user:bob" is not an actor\n {2}hint: did you mean principal:bob\?/)
  })

  test('shows every command and the exit codes with --help, and ends with 0', async () => {
    const { code, stdout } = await cliProcess(['--help'], newFolder())
    assert.equal(code, 0)
    for (const command of [
      'gateway',
      'dev',
      'explain',
      'ban',
      'unban',
      'why',
      'replay',
      'limits',
      'audit',
      'doctor',
      'schema',
    ])
      assert.match(stdout, new RegExp(`^  ${command}\\b`, 'm'))
    assert.match(stdout, /Exit codes: 0 done; 1 the answer is no/)
  })

  test('suggests the command that was meant, and ends with 2', async () => {
    const { code, stderr } = await cliProcess(['explian', 'x'], newFolder())
    assert.equal(code, 2)
    assert.match(stderr, /Did you mean explain\?/)
  })

  test('refuses an unknown option with 2', async () => {
    const { code, stderr } = await cliProcess(['doctor', '--jsn'], newFolder())
    assert.equal(code, 2)
    assert.match(stderr, /--json/)
  })

  test('tells every mistake of a configuration with place and hint, and ends with 2', async () => {
    const folder = newFolder()
    writeFileSync(join(folder, 'postern.config.yaml'), 'upstrem: x\nmode: of\n')
    const { code, stdout, stderr } = await cliProcess(['gateway'], folder)
    assert.equal(code, 2)
    assert.equal(stdout, '')
    assert.match(stderr, /^error: postern\.config\.yaml:1: upstrem: unknown key "upstrem"$/m)
    assert.match(stderr, /^ {2}hint: did you mean "upstream"\?$/m)
    assert.match(stderr, /^error: postern\.config\.yaml:2: mode:/m)
  })

  test('tells the same as one JSON object with --json', async () => {
    const folder = newFolder()
    writeFileSync(join(folder, 'postern.config.json'), '{ "upstrem": "x" }')
    const { code, stdout, stderr } = await cliProcess(['gateway', '--json'], folder)
    assert.equal(code, 2)
    assert.equal(stderr, '')
    const { error } = JSON.parse(stdout) as {
      readonly error: { readonly code: string; readonly exit: number; readonly issues: readonly unknown[] }
    }
    assert.deepEqual([error.code, error.exit, error.issues.length], ['POSTERN_CONFIG', 2, 1])
  })

  test('says what a gateway without a backend needs', async () => {
    const { code, stderr } = await cliProcess(['gateway'], newFolder())
    assert.equal(code, 2)
    assert.match(stderr, /hint: postern gateway --to http:\/\/127\.0\.0\.1:3000/)
  })

  test('says which port is taken and what to do, and ends with 3', async () => {
    const taken = createServer()
    await new Promise<void>(resolve => taken.listen(0, '127.0.0.1', resolve))
    const address = taken.address()
    const port = address !== null && typeof address === 'object' ? address.port : 0
    try {
      const args = ['gateway', '--to', 'http://127.0.0.1:1', '--listen', `127.0.0.1:${port}`]
      const { code, stderr } = await cliProcess(args, newFolder())
      assert.equal(code, 3)
      assert.match(stderr, new RegExp(`127\\.0\\.0\\.1:${port} is in use by another process`))
      if (process.platform === 'linux')
        assert.match(stderr, new RegExp(`another process \\(${process.pid}, `))
      assert.match(stderr, /hint: .*--listen/)
    } finally {
      taken.close()
    }
  })

  test('names the option, not the file, when the command line is what is wrong', async () => {
    const folder = newFolder()
    writeFileSync(join(folder, 'postern.config.yaml'), 'mode: observe\n')
    const args = ['gateway', '--to', 'ftp://backend', '--listen', 'abc', '--workers', 'many']
    const { code, stderr } = await cliProcess(args, folder)
    assert.equal(code, 2)
    for (const option of ['--to', '--listen', '--workers'])
      assert.match(stderr, new RegExp(`^error: ${option}: `, 'm'))
    assert.doesNotMatch(stderr, /postern\.config|NaN/)
  })

  test('does not put a gateway in front of itself, whatever it calls itself', async () => {
    for (const [to, listen] of [
      ['http://localhost:8123', '8123'],
      ['http://127.0.0.1:8123', '0.0.0.0:8123'],
      ['http://[::1]:8123', '[::]:8123'],
      ['http://203.0.113.1', '203.0.113.1:80'],
    ] as const) {
      const { code, stderr } = await cliProcess(['gateway', '--to', to, '--listen', listen], newFolder())
      assert.equal(code, 2, to)
      assert.match(stderr, /is where the gateway itself listens/)
    }
  })

  test('says what a line of inspect must be when one is not, and ends with 1', async () => {
    const folder = newFolder()
    const lines = [
      '{"path":"/?q=%3Cscript%3Ealert(1)%3C/script%3E"}',
      '{"target":"/"}',
      'no JSON',
      '{"path":"/?q=a\u2028b"}',
    ]
    writeFileSync(join(folder, 'requests.jsonl'), lines.join('\n'))
    const { code, stdout, stderr } = await cliProcess(['inspect', 'requests.jsonl'], folder)
    assert.equal(code, 1)
    const verdicts = stdout
      .trim()
      .split('\n')
      .map(line => (JSON.parse(line) as { readonly verdict: string }).verdict)
    assert.deepEqual(verdicts, ['block', 'error', 'error', 'pass'], 'U+2028 ends no line')
    assert.match(stderr, /a line that can be read is like \{"id"/)
  })

  test('guesses the backend that was meant when its scheme is missing', async () => {
    const { stderr } = await cliProcess(['gateway', '--to', 'localhost:3000'], newFolder())
    assert.match(stderr, /hint: did you mean http:\/\/localhost:3000\?/)
  })

  test('finds nothing wrong with an empty folder, and says what would be created', async () => {
    const { code, stdout } = await cliProcess(['doctor', '--json'], newFolder())
    const report = JSON.parse(stdout) as {
      readonly ok: boolean
      readonly findings: readonly { readonly check: string }[]
    }
    assert.equal(code, report.ok ? 0 : 1)
    assert.ok(report.findings.some(finding => finding.check === 'data directory'))
  })

  test('finds a backend that is down and a proxy list that trusts everybody, and ends with 1', async () => {
    const folder = newFolder()
    writeFileSync(
      join(folder, 'postern.config.yaml'),
      'upstream: http://127.0.0.1:1\nlisten: 127.0.0.1:0\nadmin: { listen: 127.0.0.1:0 }\ntrustProxies: [0.0.0.0/0]\n',
    )
    const { code, stdout } = await cliProcess(['doctor'], folder)
    assert.equal(code, 1)
    assert.match(stdout, /^bad {2}backend: .*does not answer/m)
    assert.match(stdout, /^bad {2}trusted proxies: .*whole internet/m)
    assert.match(stdout, /hint: list only the addresses of your own proxies/)
  })

  test('finds a backend on a Unix socket, and says when it is not there', async t => {
    const folder = newFolder()
    const path = join(folder, 'app.sock')
    writeFileSync(
      join(folder, 'postern.config.yaml'),
      `upstream: unix:${path}\nlisten: 127.0.0.1:0\nadmin: { listen: 127.0.0.1:0 }\n`,
    )
    const { stdout: without } = await cliProcess(['doctor'], folder)
    assert.ok(without.includes(`bad  backend: unix:${path} does not answer (ENOENT)`), without)
    const server = createServer().listen(path)
    t.after(() => server.close())
    await once(server, 'listening')
    const { stdout } = await cliProcess(['doctor'], folder)
    assert.ok(stdout.includes(`ok   backend: unix:${path} accepts connections`), stdout)
  })

  test('explains that nothing was recorded here, and ends with 3', async () => {
    const { code, stderr } = await cliProcess(['explain', '1m857b6jsg8psz800001'], newFolder())
    assert.equal(code, 3)
    assert.match(stderr, /nothing was recorded here yet/)
  })

  test('refuses to explain what is not a request id, with 2', async () => {
    const { code, stderr } = await cliProcess(['explain', 'abc'], newFolder())
    assert.equal(code, 2)
    assert.match(stderr, /X-Request-Id/)
  })

  test('never bans loopback', async () => {
    const folder = newFolder()
    mkdirSync(join(folder, '.postern'))
    const { code, stderr } = await cliProcess(['ban', '127.0.0.1'], folder)
    assert.equal(code, 2)
    assert.match(stderr, /is protected/)
  })

  test('bans, tells why, unbans, and ends with 1 when nothing stands any more', async () => {
    const folder = newFolder()
    mkdirSync(join(folder, '.postern'))
    assert.equal(
      (await cliProcess(['ban', '203.0.113.9', '--for', '1h', '--reason', 'probing'], folder)).code,
      0,
    )
    const why = await cliProcess(['why', '203.0.113.9'], folder)
    assert.equal(why.code, 0)
    assert.match(why.stdout, /203\.0\.113\.9: block until .* by manual: probing/)
    assert.equal((await cliProcess(['unban', '203.0.113.9'], folder)).code, 0)
    assert.equal((await cliProcess(['unban', '203.0.113.9'], folder)).code, 1)
    assert.equal((await cliProcess(['why', '203.0.113.9'], folder)).code, 1)
  })

  test('cannot show limits when no gateway runs, and ends with 3', async () => {
    const { code, stderr } = await cliProcess(['limits', 'show', '203.0.113.9'], newFolder())
    assert.equal(code, 3)
    assert.match(stderr, /no gateway is running/)
  })

  test('writes no colour and no bar where nobody sits, and none with NO_COLOR even when forced', async () => {
    const { stdout, stderr } = await cliProcess(['doctor'], newFolder())
    const forced = await cliProcess(['doctor'], newFolder(), { FORCE_COLOR: '1' })
    const never = await cliProcess(['doctor'], newFolder(), { FORCE_COLOR: '1', NO_COLOR: '1' })
    assert.doesNotMatch(stdout + stderr, /\u001b/)
    assert.match(forced.stdout, /\u001b/)
    assert.doesNotMatch(never.stdout + never.stderr, /\u001b/)
  })
})
