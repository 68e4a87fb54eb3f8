import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from '../src/inspect.ts'

function rulesOf(target: string, type = '', body = ''): readonly string[] {
  const request = { method: 'POST', target, headers: ['content-type', type], body: Buffer.from(body) }
  return inspect(request)
    .matches.filter(match => match.score >= 5)
    .map(match => match.rule)
}

const asked = (name: string, value: string): readonly string[] =>
  rulesOf(`/x?${new URLSearchParams({ [name]: value })}`)
const sent = (name: string, value: string): readonly string[] =>
  rulesOf('/x', 'application/x-www-form-urlencoded', new URLSearchParams({ [name]: value }).toString())
const written = (name: string, value: string): readonly string[] =>
  rulesOf('/x', 'application/json', JSON.stringify({ a: { [name]: value } }))

describe('a separator and a program, whatever it is called', () => {
  test('is refused where one host or number belongs', () => {
    for (const value of [';jps', '|iwconfig', ';java -version', '| date +%s', '&& exit', '\nubus list'])
      for (const name of ['host', 'hostname', 'ping_ip', 'ntpServer1', 'timezone', 'id'])
        for (const found of [asked(name, value), sent(name, value), written(name, value)])
          assert.ok(found.includes('rce/separator-first'), `${name}=${value}: ${found}`)
  })

  test('passes in lists, in texts and behind a host', () => {
    for (const [name, value] of [
      ['host', 'a.example;b.example'],
      ['host', 'web1'],
      ['sort', '|name'],
      ['tags', ';red'],
      ['note', '; see below'],
      ['comment', '| a | b |'],
      ['user_name', '|ann'],
      ['address', '\nMain Street 5, Berlin'],
      ['billing_address', '\r\nmain street 12'],
      ['domain', '\nshop.example'],
      ['id', '\na1b2'],
    ] as const)
      for (const found of [asked(name, value), sent(name, value), written(name, value)])
        assert.deepEqual(found, [], `${name}=${value}`)
  })
})

describe('a program with its arguments', () => {
  test('is refused in an address, under a name that says that it is run', () => {
    for (const value of [
      'cmd /r dir',
      'powershell ls',
      'python3 x.py',
      'python -c 1',
      'ssh a@b.example',
      'copy \\\\a\\b',
      'nltest /dclist:',
      'curl a.example/x',
    ])
      for (const name of ['cmd', 'exec', 'command'])
        assert.ok(asked(name, value).length > 0, `${name}=${value}`)
  })

  test('what hosting and shops send under these names passes', () => {
    for (const value of ['list', 'open', 'python', 'copy file', 'python course', 'start server'])
      assert.deepEqual(asked('cmd', value), [], value)
    assert.deepEqual(sent('command', 'python3 /home/ann/app.py'), [])
    assert.deepEqual(asked('q', 'python3 x.py'), [])
  })
})

describe('options in place of a query', () => {
  test('are refused, however the dash is written', () => {
    for (const query of ['-s', '-a', '-T+10000', '-d+a%3db', '%2ds', '%2D%73', '%AD-s'.replace('-s', 's')])
      assert.deepEqual(rulesOf(`/index.php?${query}`), ['probe/program-argument'], query)
  })

  test('a query of pairs, a number and a long option pass', () => {
    for (const query of ['-s=1', '-1', '-', 'a&-s', '--help', '-created_at', 'q=-s'])
      assert.deepEqual(rulesOf(`/index.php?${query}`), [], query)
  })
})

describe('a part of a program on another host', () => {
  test('is refused without a scheme, where a page is included', () => {
    for (const name of ['template', 'include', 'view', 'lang_file', 'page'])
      for (const value of ['//evil.example/t.html', '\\\\evil.example\\a'])
        assert.ok(asked(name, value).length > 0, `${name}=${value}`)
    for (const [name, value] of [
      ['img', '//cdn.example/a.png'],
      ['url', '//cdn.example/a.js'],
      ['template', 'email/welcome.html'],
      ['template', '//'],
    ] as const)
      assert.deepEqual(asked(name, value), [], `${name}=${value}`)
  })
})

describe('many log-ins in one request', () => {
  const calls = (method: string, count: number): string =>
    `<methodCall><methodName>system.multicall</methodName><params><param><value><array><data>${`<value><struct><member><name>methodName</name><value>${method}</value></member></struct></value>`.repeat(count)}</data></array></value></param></params></methodCall>`

  test('of XML-RPC are refused under every type, and other calls are not', () => {
    for (const type of ['text/xml', 'application/xml', 'text/plain', ''])
      for (const method of ['wp.getUsersBlogs', '<string>auth.login</string>'])
        assert.ok(rulesOf('/xmlrpc.php', type, calls(method, 6)).includes('probe/many-attempts'), type)
    assert.deepEqual(rulesOf('/xmlrpc.php', 'text/xml', calls('wp.getUsersBlogs', 2)), [])
    assert.deepEqual(rulesOf('/RPC2', 'text/xml', calls('d.name', 40)), [])
  })

  test('fields of GraphQL go no deeper than a client asks', () => {
    const nested = (depth: number): string =>
      JSON.stringify({ query: `{ a(x: "}{") ${'{ a '.repeat(depth)}{ b }${' }'.repeat(depth)} }` })
    assert.deepEqual(rulesOf('/graphql', 'application/json', nested(60)), ['bounds/depth'])
    assert.deepEqual(rulesOf('/graphql', 'application/json', nested(20)), [])
  })
})

describe('documents of XML and files', () => {
  test('a root with a hyphen or a dot in its name is read as XML under every type', () => {
    const item = '<javax.naming.ldap.Rdn_-RdnEntry>\n<type>a</type>\n</javax.naming.ldap.Rdn_-RdnEntry>\n'
    for (const root of ['sorted-set', 'tree-map', 'java.util.PriorityQueue', 'a.b-c'])
      for (const type of ['application/xml', 'text/plain', 'application/octet-stream', ''])
        assert.ok(
          rulesOf('/x', type, `<${root}>\n${item.repeat(6)}</${root}>`).includes(
            'deserialisation/xml-element',
          ),
          `${root} as ${type}`,
        )
  })

  test('a call in the metadata of a picture is refused', () => {
    const picture = (metadata: string): string =>
      `--b\r\nContent-Disposition: form-data; name="f"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\nAT&TFORM\0\0\0\x10DJVUANTa ${metadata}\r\n--b--\r\n`
    const type = 'multipart/form-data; boundary=b'
    assert.notDeepEqual(rulesOf('/x', type, picture('(metadata "\\c${system(\'id\')};")')), [])
    assert.deepEqual(rulesOf('/x', type, picture('(metadata (Title "costs $5"))')), [])
  })

  test('a token asked for as a list is refused', () => {
    assert.ok(asked('user[reset_password_token][]', '0').includes('nosqli/secret-list'))
    assert.deepEqual(asked('user[reset_password_token]', '0'), [])
  })
})
