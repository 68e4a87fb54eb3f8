import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from '../src/inspect.ts'

function rulesOf(type: string, body: string): readonly string[] {
  const request = { method: 'POST', target: '/x', headers: ['content-type', type], body: Buffer.from(body) }
  return inspect(request)
    .matches.filter(match => match.score >= 5)
    .map(match => match.rule)
}

const ofJson = (value: unknown): readonly string[] => rulesOf('application/json', JSON.stringify(value))
const ofForm = (fields: Readonly<Record<string, string>>): readonly string[] =>
  rulesOf('application/x-www-form-urlencoded', new URLSearchParams(fields).toString())

describe('a line that is a directive, behind the one that the value was to be', () => {
  for (const line of [
    'ssl_engine /proc/1/fd/14;',
    'alias /;',
    'content_by_lua_block { x }',
    'SetHandler application/x-httpd-php',
    'php_value memory_limit 1',
    'ScriptAlias /x "/bin"',
    'CustomLog "|sh" x',
    'AuthorizedKeysCommand /bin/x',
    'PermitRootLogin yes',
    'ProxyCommand nc x 1',
    'sshCommand = touch x',
    '[core]\n\tx = 1',
    'script-shell=/tmp/x',
    'init_connect=grant',
    'ExecStartPre=-/bin/sh',
    'root preexec = x',
    'dhcp-script=/x',
    'extend x /bin/sh',
    'slaveof 198.51.100.7 6379',
    'x ALL=(ALL) NOPASSWD: ALL',
    'y::0:0::/root:/bin/sh',
    'user_pref("a","b");',
    'auto_append_file = x',
    'graph x.php -s now',
    "PROXY_PASS='`id`",
    'on-download-complete=/x.sh',
  ]) {
    test(line, () => {
      assert.ok(ofForm({ zq: `127.0.0.1\n${line}` }).includes('rce/injected-directive'), 'in a form')
      assert.ok(ofJson({ zq: `127.0.0.1\r\n${line}` }).includes('rce/injected-directive'), 'in a document')
    })
  }

  test('files, texts and settings of many lines have directives', () => {
    const file = 'server {\nalias /;\nExecStart=/usr/bin/x\nPermitRootLogin yes\n'
    for (const name of [
      'config',
      'nginx_conf',
      'unitfile',
      'message',
      'content',
      'advanced_options',
      'notes',
    ])
      assert.ok(!ofForm({ [name]: file }).includes('rce/injected-directive'), name)
  })

  test('lines of addresses, lists and prose pass', () => {
    for (const value of [
      'Ann Smith\n5 Root Street\nOxford',
      'first\nalias Bob',
      'milk\neggs\nbread = 2',
      'a\nuser preferences (all)',
      'x\ngraph of sales',
      'one\nexec summary\n',
      'Tel: 5\nall = (all)',
    ])
      assert.deepEqual(ofForm({ zq: value }), [], value)
  })
})

describe('the name of a setting that loads or runs something', () => {
  test('as the value of a field for names', () => {
    for (const setting of ['auto_prepend_file', 'allow_url_include', 'php_value auto_append_file']) {
      assert.ok(ofJson({ name: setting, value: '/tmp/x' }).includes('rce/loading-setting'), setting)
      assert.ok(ofForm({ key: setting, value: '/tmp/x' }).includes('rce/loading-setting'), setting)
    }
  })

  test('as an argument in a list, also where documents hold commands', () => {
    for (const setting of ['core.sshCommand', 'core.gitProxy', 'diff.external', 'protocol.ext.allow'])
      assert.ok(ofJson({ args: ['config', setting, 'x'] }).includes('rce/loading-setting'), setting)
  })

  test('other settings, and questions about these, pass', () => {
    assert.deepEqual(ofJson({ name: 'memory_limit', value: '256M' }), [])
    assert.deepEqual(ofJson({ args: ['config', 'core.editor', 'vim'] }), [])
    assert.deepEqual(ofForm({ q: 'auto_prepend_file' }), [])
    assert.deepEqual(ofJson({ name: 'LD_PRELOAD', value: '/usr/lib/libjemalloc.so.2' }), [])
  })
})
