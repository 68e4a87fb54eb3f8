import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { archiveEscape } from '../src/body/archive-names.ts'
import { inspect } from '../src/inspect.ts'
import { finishSteps } from '../src/value/steps.ts'

/** Where an archive would be written to, found at once. */
function escapeOf(content: Buffer): string | undefined {
  return finishSteps(archiveEscape(content, { isPaused: false, work: () => undefined }))
}

/** A stored entry of a ZIP archive; the sizes that nobody reads here are left at zero. */
function zipEntry(name: string, content: string): Buffer {
  const head = Buffer.alloc(30)
  head.writeUInt32BE(0x504b0304)
  head.writeUInt16LE(Buffer.byteLength(name), 26)
  return Buffer.concat([head, Buffer.from(name), Buffer.from(content)])
}

function tarEntry(name: string, content: string, type = '0', link = ''): Buffer {
  const head = Buffer.alloc(512)
  head.write(type, 156, 'latin1')
  head.write(link, 157, 100, 'latin1')
  head.write(name, 0, 100, 'latin1')
  head.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124, 'latin1')
  head.write('ustar\0', 257, 'latin1')
  return Buffer.concat([head, Buffer.from(content.padEnd(512, '\0'))])
}

function upload(name: string, content: Buffer): readonly string[] {
  const head = `--X\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: application/x\r\n\r\n`
  const body = Buffer.concat([Buffer.from(head), content, Buffer.from('\r\n--X--\r\n')])
  const headers = ['content-type', 'multipart/form-data; boundary=X']
  return inspect({ method: 'POST', target: '/upload', headers, body }).matches.map(match => match.rule)
}

describe('archives that are unpacked outside of their folder', () => {
  test('are found by the names of their entries, not only the first', () => {
    const zip = Buffer.concat([zipEntry('a/readme.txt', 'hello'), zipEntry('a/../../x.jsp', 'x')])
    const tar = Buffer.concat([tarEntry('a.txt', 'hello'), tarEntry('../../etc/cron.d/x', 'x')])
    assert.equal(escapeOf(zip), '../x.jsp')
    assert.equal(escapeOf(tar), '../../etc/cron.d/x')
    assert.ok(upload('site.zip', zip).includes('upload/file-name'))
    assert.ok(upload('site.tar', tar).includes('upload/file-name'))
    const headers = ['content-type', 'application/zip']
    assert.equal(inspect({ method: 'PUT', target: '/x', headers, body: zip }).verdict, 'block')
  })

  test('steps that stay inside, and what is not an archive, pass', () => {
    assert.equal(escapeOf(zipEntry('a/b/../c.txt', '../../not a name')), undefined)
    assert.equal(escapeOf(Buffer.from('../../../x'.repeat(8))), undefined)
    assert.equal(escapeOf(Buffer.alloc(600)), undefined)
    assert.deepEqual(upload('site.zip', zipEntry('docs/index.html', '<p>')), [])
  })
})

/** A ZIP archive whose only entry is a link, as its directory says. */
function zipLink(target: string): Buffer {
  const listed = Buffer.alloc(46)
  listed.write('PK\u0001\u0002', 'latin1')
  listed.writeUInt16LE(0o120777, 40)
  const end = Buffer.from(`PK\u0005\u0006${'\0'.repeat(18)}`, 'latin1')
  return Buffer.concat([zipEntry('link', target), listed, end])
}

describe('links and other names of entries', () => {
  test('to files of the system are found, in ZIP and tar archives', () => {
    for (const target of [
      '/etc/passwd',
      '../../../../etc/shadow',
      '/root/.ssh/id_rsa',
      '/proc/self/environ',
    ]) {
      const expected = `../${target.replace(/^(?:\.\.)?\/+(?:\.\.\/)*/, '')}`
      assert.equal(escapeOf(zipLink(target)), expected)
      assert.equal(escapeOf(tarEntry('link', '', '2', target)), expected)
      assert.equal(escapeOf(tarEntry('link', '', '1', target)), expected)
    }
  })

  test('beside the folder, and into it, pass: monorepos and images of systems have those', () => {
    for (const target of [
      '../shared/lib',
      '/usr/share/doc/y',
      'libx.so.1',
      '/proc/mounts',
      '../../etc/alternatives/x',
    ]) {
      assert.equal(escapeOf(zipLink(target)), undefined, target)
      assert.equal(escapeOf(tarEntry('link', '', '2', target)), undefined, target)
    }
  })

  test('in headers of their own (pax, GNU) are read', () => {
    for (const head of [
      tarEntry('x', '30 path=../../../../x/shell.php\n', 'x'),
      tarEntry('././@LongLink', '../../../../x/shell.php\0', 'L'),
      tarEntry('x', '28 linkpath=/etc/passwd\n', 'x'),
      tarEntry('././@LongLink', '/etc/passwd\0', 'K'),
    ])
      assert.match(escapeOf(Buffer.concat([head, tarEntry('ok', 'x')])) ?? '', /^\.\.\//)
    assert.equal(escapeOf(tarEntry('x', '20 path=a/long/name\n', 'x')), undefined)
  })

  test('from the root of a system are found, and those of metadata that PHP reads into objects', () => {
    for (const name of ['/etc/cron.d/x', 'C:\\Windows\\x.dll', '/root/.bashrc'])
      assert.match(escapeOf(zipEntry(name, 'x')) ?? '', /^\.\.\//)
    for (const name of ['/docs/a.txt', 'etc/passwd', 'C:notes.txt'])
      assert.equal(escapeOf(zipEntry(name, 'x')), undefined, name)
    assert.ok(upload('a.jpg', zipEntry('.phar/.metadata.bin', 'O:1:"A":0:{}')).includes('upload/file-name'))
  })

  test('are found behind other bytes, and in what is packed', () => {
    const zip = Buffer.concat([zipEntry('../../x.jsp', 'x'), zipLink('a')])
    assert.equal(escapeOf(Buffer.concat([Buffer.from('GIF89a'), zip])), '../../x.jsp')
    assert.ok(upload('a.tgz', gzipSync(tarEntry('../../x.php', 'x'))).includes('upload/file-name'))
    assert.deepEqual(upload('a.tgz', gzipSync(tarEntry('package/x.js', 'x'))), [])
  })
})

describe('pictures and documents that run or fetch something', () => {
  test('a vector command with a pipe, a drawing with an entity that is fetched', () => {
    const vector = `push graphic-context\nfill 'url(https://example.com/a.jpg"|ls "-la)'\npop graphic-context`
    assert.deepEqual(upload('a.mvg', Buffer.from(vector)), ['rce/pipe-device'])
    const drawing = '<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/hostname">]><svg><text>&x;</text></svg>'
    assert.ok(upload('a.svg', Buffer.from(drawing)).includes('xxe/entity'))
  })

  test('what drawing programs declare passes', () => {
    const drawing =
      '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd" [<!ENTITY ns_svg "http://www.w3.org/2000/svg">]><svg/>'
    assert.deepEqual(upload('a.svg', Buffer.from(drawing)), [])
  })
})
