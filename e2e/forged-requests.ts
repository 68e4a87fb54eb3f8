// Requests whose bodies, queries and cookies parsers read in different ways, each with an attack somewhere.
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib'

/** One request, byte for byte. */
export interface ForgedRequest {
  readonly kind: string
  readonly method: string
  readonly target: string
  readonly headers: readonly (readonly [string, string])[]
  readonly body: Buffer
}

/** Numbers from 0 up to 1 that repeat for a seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** What a forge needs: chance, and the attack that some parser shall read. */
class Forge {
  readonly attack: string
  readonly #random: () => number

  constructor(seed: number, attack: string) {
    this.#random = seededRandom(seed)
    this.attack = attack
  }

  below(count: number): number {
    return Math.floor(this.#random() * count)
  }

  chance(share: number): boolean {
    return this.#random() < share
  }

  one<T>(...choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T
  }

  many(least: number, most: number, make: () => string): string[] {
    return Array.from({ length: least + this.below(most - least + 1) }, make)
  }

  /** The text with a few small pieces put in, taken out or said twice, where parsers disagree. */
  scratch(text: string, pieces: readonly string[]): string {
    let scratched = text
    for (let left = this.one(0, 0, 0, 1, 1, 2, 3); left > 0; left--) {
      const at = this.below(scratched.length + 1)
      const length = this.one(0, 0, 0, 1, 2)
      const put = this.chance(0.75) ? this.one(...pieces) : scratched.slice(at, at + this.below(9))
      scratched = scratched.slice(0, at) + put + scratched.slice(at + length)
    }
    return scratched
  }
}

const PLAIN = ['7', 'hello', 'a b', '', 'x=y', '{"a":1}', '<p>', '[1]', '%', '"', "it's"]
const SMALL = [
  '\r\n',
  '\n',
  '\r',
  ' ',
  '\t',
  '\0',
  '"',
  "'",
  ';',
  ',',
  '=',
  '&',
  '\\',
  ':',
  '%',
  '--',
  '\u000b',
  '\u00a0',
]
const NAMES = [
  'id',
  'a',
  'q',
  'user[name]',
  'a.b',
  'a[]',
  '__proto__',
  'id"',
  'i;d',
  '_charset_',
  'a[b',
  ' id',
  'id\0',
]

/** Percent-encoded, more or less. */
function escaped(forge: Forge, text: string): string {
  const style = forge.below(5)
  return [...text]
    .map(letter => {
      const code = letter.codePointAt(0) ?? 0
      if (style === 0 && /[\w.*-]/.test(letter)) return letter
      if (style <= 1 && letter === ' ') return '+'
      if (style === 1 && !/[&=;+%#]/.test(letter)) return letter
      if (style === 3 && forge.chance(0.5) && /\w/.test(letter)) return letter
      if (style === 4 && forge.chance(0.1) && code < 0x80)
        return forge.one(`%u00${hex(code)}`, `%25${hex(code)}`)
      return [...Buffer.from(letter)]
        .map(byte => `%${forge.chance(0.5) ? hex(byte) : hex(byte).toUpperCase()}`)
        .join('')
    })
    .join('')
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0')
}

function pairs(forge: Forge, separators: readonly string[]): string {
  const fields = forge.many(0, 3, () => `${forge.one(...NAMES)}=${forge.one(...PLAIN)}`)
  const attack = escaped(forge, forge.attack)
  const field = forge.one(
    `id=${attack}`,
    `id=${attack}`,
    `${attack}=1`,
    attack,
    `a[${attack}]=1`,
    `a[b][]=${attack}`,
    `=${attack}`,
    `id==${attack}`,
    `id=1&id=${attack}`,
    `id\0=${attack}`,
  )
  fields.splice(forge.below(fields.length + 1), 0, field)
  let text = fields[0] ?? ''
  for (const next of fields.slice(1)) text += forge.one(...separators) + next
  return forge.scratch(text, SMALL)
}

function forgedQuery(forge: Forge): ForgedRequest {
  const query = pairs(forge, ['&', '&', '&', ';', '&&', '&amp;', '?'])
  // What HTTP itself refuses in a target is none of our concern.
  const target = [...query].map(letter => (/[!-"$-~]/.test(letter) ? letter : escapedByte(letter))).join('')
  return { kind: 'query', method: 'GET', target: `/?${target}`, headers: [], body: Buffer.alloc(0) }
}

function escapedByte(letter: string): string {
  return [...Buffer.from(letter)].map(byte => `%${hex(byte)}`).join('')
}

const FORM = 'application/x-www-form-urlencoded'
const CHARSETS = [
  'utf-8',
  'latin1',
  'utf-16',
  'utf-16le',
  'utf-16be',
  'utf-7',
  'utf-32',
  'ibm037',
  'cp037',
  'cp500',
  'shift_jis',
  'gbk',
  'x',
  'utf_16',
  '"utf-16"',
  'us-ascii',
  'idna',
  'rot13',
  'hex',
  'IBM1047',
  'iso-2022-kr',
  'hz',
  'utf-8-sig',
  'UTF8',
  'cp1026',
  'x-utf-16le-bom',
]

/** The body in the charset that the type names, when it can be written so here; else as it is. */
function inCharset(forge: Forge, text: string, charset: string): Buffer {
  const name = charset.replaceAll('"', '').toLowerCase().replace('_', '-')
  if (forge.chance(0.2)) return Buffer.from(text)
  if (name === 'utf-16' && forge.chance(0.5)) return Buffer.from(`\ufeff${text}`, 'utf16le')
  if (name === 'utf-16le' || name === 'x-utf-16le-bom') return Buffer.from(text, 'utf16le')
  if (name === 'utf-16be' || name === 'utf-16') return Buffer.from(text, 'utf16le').swap16()
  if (name === 'utf-32')
    return Buffer.from([...text].flatMap(letter => [0, 0, 0, letter.codePointAt(0) ?? 0]))
  if (EBCDIC_NAMES.has(name)) return Buffer.from([...text].map(letter => EBCDIC.get(letter) ?? 0x6f))
  if (name === 'utf-7')
    return Buffer.from(
      text.replace(
        /[^\w ,./:?-]+/g,
        run => `+${Buffer.from(run, 'utf16le').swap16().toString('base64').replace(/=+$/, '')}-`,
      ),
    )
  return Buffer.from(text)
}

const EBCDIC_NAMES = new Set(['ibm037', 'cp037', 'cp500', 'ibm1047', 'cp1026'])
/** Code page 037, the part that attacks are written in (IBM, code page 37). */
const EBCDIC = new Map<string, number>()
for (const [from, letters] of [
  [0x81, 'abcdefghi'],
  [0x91, 'jklmnopqr'],
  [0xa2, 'stuvwxyz'],
  [0xc1, 'ABCDEFGHI'],
  [0xd1, 'JKLMNOPQR'],
  [0xe2, 'STUVWXYZ'],
  [0xf0, '0123456789'],
] as const)
  for (const [index, letter] of [...letters].entries()) EBCDIC.set(letter, from + index)
for (const [letter, byte] of [
  ' @',
  '.K',
  '<L',
  '(M',
  '+N',
  '&P',
  '*\\',
  ')]',
  ';^',
  '-`',
  '/a',
  ',k',
  '%l',
  '_m',
  '>n',
  '?o',
  ':z',
  '#{',
  '@|',
  "'}",
  '=~',
  '"\x7f',
].map(pair => [pair[0] as string, pair.charCodeAt(1)] as const))
  EBCDIC.set(letter, byte)

/** The body compressed, and a header that says so, or only one of the two. */
function compressed(forge: Forge, body: Buffer): { body: Uint8Array; headers: [string, string][] } {
  if (!forge.chance(0.08)) return { body, headers: [] }
  const coding = forge.one('gzip', 'deflate', 'x-gzip', 'identity', 'gzip, gzip', 'br', 'aws-chunked')
  const packed =
    coding === 'deflate'
      ? forge.one(deflateSync, deflateRawSync)(body)
      : coding.includes('gzip')
        ? gzipSync(body)
        : body
  return { body: forge.chance(0.7) ? packed : body, headers: [['content-encoding', coding]] }
}

function withBody(forge: Forge, kind: string, type: string | undefined, body: Buffer): ForgedRequest {
  const packed = compressed(forge, body)
  const headers: [string, string][] = [...packed.headers]
  if (type !== undefined) headers.push(['content-type', type.replace(/[^\t -~\u0080-\u00ff]/g, ' ').trim()])
  return { kind, method: 'POST', target: '/', headers, body: Buffer.from(packed.body) }
}

function forgedForm(forge: Forge): ForgedRequest {
  const charset = forge.one(...CHARSETS)
  const type = forge.one(
    FORM,
    FORM,
    FORM,
    `${FORM}; charset=${charset}`,
    `${FORM};charset=${charset};charset=utf-8`,
    `${FORM} ; CHARSET = ${charset}`,
    `${FORM}, application/json`,
    `application/json; ${FORM}`,
    ` ${FORM.toUpperCase()}`,
    `${FORM};boundary=x`,
  )
  const start = forge.one(
    '',
    '',
    '',
    '',
    '\ufeff',
    '{"a":1}&',
    '<html>&',
    '[1]&',
    `_charset_=${charset}&`,
    '--x\r\n',
    '&',
    `encoding=${charset}&`,
  )
  const text = start + pairs(forge, ['&', '&', '&', '&', ';', '\r\n', '&&', '&amp;'])
  return withBody(
    forge,
    'form',
    type,
    type.includes(charset) ? inCharset(forge, text, charset) : Buffer.from(text),
  )
}

function disposition(forge: Forge, name: string): string {
  return forge.one(
    `Content-Disposition: form-data; name="${name}"`,
    `Content-Disposition: form-data; name="${name}"`,
    `content-disposition:form-data;name=${name}`,
    `Content-Disposition: form-data; name='${name}'`,
    `Content-Disposition: form-data; filename=""; name="${name}"`,
    `Content-Disposition: form-data; name="${name}"; filename=`,
    `Content-Disposition: form-data; name="${name}"; filename*=utf-8''a.txt`,
    `Content-Disposition: form-data; name="${name}"; filename="a.txt"`,
    `Content-Disposition: form-data; name="${name}"; xfilename="a.txt"`,
    `Content-Disposition: form-data; name*=utf-8''${name}`,
    `Content-Disposition: form-data; name*0="${name}"; name*1="x"`,
    `Content-Disposition: form-data; name="b"; name="${name}"`,
    `Content-Disposition: attachment; name="${name}"`,
    `Content-Disposition: form-data;\r\n name="${name}"`,
    `Content-Disposition\t:\tform-data; name="${name}"`,
    `X: y\r\nContent-Disposition: form-data; name="${name}"`,
    `Content-Disposition: form-data; name="${name};filename=a.txt"`,
    `Content-Disposition: =?utf-8?Q?form-data?=; name="=?utf-8?B?${Buffer.from(name).toString('base64')}?="`,
  )
}

function forgedPart(forge: Forge, value: string): Buffer {
  const attackInHead = forge.chance(0.15) && value === forge.attack
  const head = attackInHead
    ? forge.one(
        `Content-Disposition: form-data; name="f"; filename="${value}"`,
        `Content-Disposition: form-data; name="${value}"`,
        `Content-Disposition: form-data; name="${value.replaceAll("'", '%27')}"`,
        `Content-Disposition: form-data; name="f"; filename*=utf-8''${encodeURIComponent(value).replaceAll("'", '%27')}`,
        `Content-Disposition: form-data; name="f"; filename="=?utf-8?B?${Buffer.from(value).toString('base64')}?="`,
        `Content-Disposition: form-data; name="f"; filename="a"; filename="${value}"`,
      )
    : disposition(forge, forge.one(...NAMES))
  const lines = [head]
  const charset = forge.one(...CHARSETS)
  const encoding = forge.one('base64', 'quoted-printable', '8bit', 'x')
  let content: Uint8Array = Buffer.from(value)
  if (forge.chance(0.15)) {
    lines.push(`Content-Transfer-Encoding: ${encoding}`)
    if (encoding === 'base64' && forge.chance(0.7))
      content = Buffer.from(Buffer.from(content).toString('base64'))
    if (encoding === 'quoted-printable')
      content = Buffer.from(
        value.replace(/[^a-zA-Z]/g, letter => `=${hex(letter.charCodeAt(0)).toUpperCase()}`),
      )
  }
  if (forge.chance(0.2)) {
    lines.push(
      `Content-Type: ${forge.one('text/plain', 'application/octet-stream', 'multipart/mixed; boundary=y', 'application/json')}; charset=${charset}`,
    )
    content = inCharset(forge, Buffer.from(content).toString('latin1'), charset)
  }
  if (forge.chance(0.1))
    lines.push(
      forge.one(
        'X-Y',
        'Content-Length: 1',
        ' folded',
        'A: b\0',
        ':',
        'Content-Disposition: form-data; name="f"; filename="b"',
      ),
    )
  if (forge.chance(0.1)) lines.reverse()
  const end = forge.one('\r\n', '\r\n', '\r\n', '\r\n', '\n', '\r')
  return Buffer.concat([
    Buffer.from(`${lines.join(end)}${forge.one(end + end, end + end, end + end, end, '\r\n\n', '\r\n\r\n')}`),
    content,
  ])
}

function forgedMultipart(forge: Forge): ForgedRequest {
  const boundary = forge.one(
    'x',
    'x',
    'x',
    'ab cd',
    "a'b",
    '--x',
    'x"y',
    '',
    'a'.repeat(71),
    'x,y',
    'x\\y',
    'x;y',
    'xy',
  )
  const type = forge.one(
    `multipart/form-data; boundary=${boundary}`,
    `multipart/form-data; boundary=${boundary}`,
    `multipart/form-data; boundary=${boundary}`,
    `multipart/form-data; boundary="${boundary}"`,
    `multipart/form-data; boundary="${boundary}"; boundary=y`,
    `multipart/form-data; boundary=y; boundary=${boundary}`,
    `multipart/form-data; charset=utf-16; boundary=${boundary}`,
    `Multipart/Form-Data;BOUNDARY=${boundary};a=b`,
    `multipart/mixed; boundary=${boundary}`,
    `multipart/form-data, boundary=${boundary}`,
    `multipart/form-data boundary=${boundary}`,
    `multipart/form-data; boundary = ${boundary}`,
    `multipart/form-data; boundary*=utf-8''${boundary}; boundary=y`,
    `multipart/form-data; boundary=${boundary} ; x`,
    `multipart/form-datax; boundary=${boundary}`,
    `multipart/related; type="multipart/form-data"; boundary=${boundary}`,
    `application/json, multipart/form-data; boundary=${boundary}`,
  )
  const values = forge.many(0, 3, () => forge.one(...PLAIN))
  values.splice(forge.below(values.length + 1), 0, forge.attack)
  const end = forge.one('\r\n', '\r\n', '\r\n', '\n', '\r')
  const pieces: Buffer[] = [
    Buffer.from(
      forge.one('', '', '', end, 'preamble\r\n', `a=1&id=${escaped(forge, forge.attack)}&`, '--y\r\n'),
    ),
  ]
  for (const value of values) {
    pieces.push(
      Buffer.from(
        `${forge.one('--', '--', '--', '--', '-', '', '---', ' --')}${boundary}${forge.one('', '', '', '', ' ', '\t', '--', 'z', ' x')}${end}`,
      ),
      forgedPart(forge, value),
      Buffer.from(forge.one(end, end, end, '\r\n', '', '\n')),
    )
  }
  pieces.push(
    Buffer.from(
      forge.one(
        `--${boundary}--${end}`,
        `--${boundary}--`,
        '',
        `--${boundary}`,
        `--${boundary}--${end}--${boundary}${end}`,
      ),
    ),
  )
  const body = Buffer.from(forge.scratch(Buffer.concat(pieces).toString('latin1'), SMALL), 'latin1')
  return withBody(forge, 'multipart', type, body)
}

function jsonText(forge: Forge, text: string): string {
  const style = forge.below(5)
  const inside = [...text].map(letter => jsonLetter(forge, letter, style)).join('')
  return forge.one(`"${inside}"`, `"${inside}"`, `"${inside}"`, `"${inside}"`, `'${inside}'`)
}

function jsonLetter(forge: Forge, letter: string, style: number): string {
  const plain = letter === '"' || letter === '\\' ? `\\${letter}` : letter
  if (style === 0) return plain
  // To lenient parsers a backslash before any letter says nothing.
  if (style === 4 && forge.chance(0.8)) return /[bfnrtu"\\]/.test(letter) ? plain : `\\${letter}`
  if (style === 1 || forge.chance(0.3)) {
    const code = hex(letter.charCodeAt(0))
    return `\\u00${forge.chance(0.5) ? code : code.toUpperCase()}`
  }
  return letter === '/' && forge.chance(0.5) ? '\\/' : plain
}

function forgedJson(forge: Forge): ForgedRequest {
  const attack = jsonText(forge, forge.attack)
  const plain = (): string =>
    forge.one('1', '"a"', 'null', '[]', '{}', 'NaN', '1e999', '"\\ud800"', 'true', "'a'", '/*x*/1', '"\\x41"')
  const value = forge.one(
    attack,
    `[${plain()},${attack}]`,
    `{"a":{"b":${attack}}}`,
    `{${attack}:1}`,
    `${'['.repeat(forge.one(3, 60, 300))}${attack}`,
    jsonText(forge, `{"a":"${forge.attack}"}`),
  )
  const text = forge.one(
    `{"id":${value}}`,
    `{"id":${value}}`,
    `{"a":${plain()},"id":${value},"b":${plain()}}`,
    `{"id":${value},"id":${plain()}}`,
    `{"id":${plain()},"id":${value}}`,
    `{"a":${plain()}}{"id":${value}}`,
    `{"id":${value}}x`,
    `{"a":1}\n{"id":${value}}\n`,
    `\ufeff{"id":${value}}`,
    `)]}',\n{"id":${value}}`,
    `/* a */{"id":${value},}`,
    `{id:${value}}`,
    `{"id":${value}`,
    `${value}`,
  )
  const charset = forge.one(...CHARSETS)
  const type = forge.one(
    'application/json',
    'application/json',
    'application/json',
    `application/json; charset=${charset}`,
    'application/vnd.api+json',
    'text/json',
    'Application/JSON;x=y',
    'application/json, text/plain',
    'application/problem+json',
    'text/plain; a=json',
    'application/x-json-stream',
    `application/json; boundary=x`,
  )
  const scratched = forge.scratch(text, SMALL)
  const body = forge.chance(0.2) ? inCharset(forge, scratched, charset) : Buffer.from(scratched)
  return withBody(forge, 'json', type, body)
}

function xmlText(forge: Forge, text: string): string {
  const style = forge.below(4)
  if (style === 0) return `<![CDATA[${text}]]>`
  return [...text]
    .map(letter => {
      const code = letter.charCodeAt(0)
      if (style === 1 || '<>&"\''.includes(letter))
        return forge.one(`&#${code};`, `&#x${hex(code)};`, `&#0${code};`)
      if (style === 2 && forge.chance(0.1))
        return forge.one(`<!-- -->${letter}`, `<![CDATA[${letter}]]>`, `<?x?>${letter}`)
      return letter
    })
    .join('')
}

function forgedXml(forge: Forge): ForgedRequest {
  const charset = forge.one(...CHARSETS)
  const attack = xmlText(forge, forge.attack)
  const element = forge.one(
    `<id>${attack}</id>`,
    `<id>${attack}</id>`,
    `<id a="${attack}"/>`,
    `<id a='1' b = "${attack}" />`,
    `<n:id xmlns:n="urn:n">${attack}</n:id>`,
    `<id>&e;</id>`,
    `<id>1</id>${attack}`,
    `<id a="&e;"/>`,
    `<id b=${forge.one("it's", '6"', "'", '"')}>${attack}</id>`,
    `<id b='"'>${attack}</id>`,
    `<!-- ${forge.one("it's", '>', '->', '-- ', '<')} --><id>${attack}</id>`,
    `<?x ${forge.one("it's", '6"', '>', '<!--', '<![CDATA[')}?><id>${attack}</id>`,
    `<![CDATA[${forge.one("it's", '<!--', ']]', '<?x', '"')}]]><id>${attack}</id>`,
    `<${forge.one('id', 'n:id', '\u00e9', '_', 'i.d')}\n>${attack}</id>`,
  )
  const text = [
    forge.one(
      '',
      '',
      `<?xml version="1.0" encoding="${charset}"?>`,
      '<?xml version="1.1"?>',
      `<?xml version='1.0' encoding='${charset}' standalone='yes'?>`,
      '\ufeff',
      ' \n',
    ),
    element.includes('&e;')
      ? `<!DOCTYPE a [<!ENTITY e "${attack.replaceAll('"', '&#34;')}">]>`
      : forge.one(
          '',
          '',
          '',
          '<!DOCTYPE a>',
          '<!-- a -->',
          `<!DOCTYPE a [<!-- ${forge.one("it's", ']>', '6"')} -->]>`,
          `<!DOCTYPE a [<?x ${forge.one("it's", ']>', '6"')}?>]>`,
          '<!DOCTYPE a PUBLIC "-//a//b" "c\'d">',
          "<?x it's?>",
        ),
    `<a>${forge.one('', 'text', '<b/>')}${element}${forge.one('', 'text', '<b/>')}</a>`,
  ].join('')
  const type = forge.one(
    'application/xml',
    'text/xml',
    `text/xml; charset=${charset}`,
    'application/soap+xml',
    'image/svg+xml',
    'application/xml;x',
  )
  const scratched = forge.scratch(text, SMALL)
  const body =
    text.includes(charset) || type.includes(charset)
      ? inCharset(forge, scratched, charset)
      : Buffer.from(scratched)
  return withBody(forge, 'xml', type, body)
}

function forgedCookie(forge: Forge): ForgedRequest {
  const styles = [
    (text: string) => text,
    (text: string) => `"${text}"`,
    (text: string) =>
      `"${[...text].map(letter => (/\w/.test(letter) ? letter : `\\${letter.charCodeAt(0).toString(8).padStart(3, '0')}`)).join('')}"`,
    (text: string) => `"${text.replace(/["\\']/g, '\\$&')}"`,
    (text: string) => escaped(forge, text),
    (text: string) => encodeURIComponent(text),
    (text: string) => `j:${JSON.stringify([text])}`,
    (text: string) => `"${encodeURIComponent(text)}"`,
  ]
  const attack = forge.one(...styles)(forge.attack)
  const cookies = forge.many(
    0,
    3,
    () =>
      `${forge.one('a', 'b', '$Version', '$Path', 'a[b]', '__Host-x')}=${forge.one('1', '"x;y"', '"', '', '"a', 'x"y"')}`,
  )
  cookies.splice(
    forge.below(cookies.length + 1),
    0,
    forge.one(
      `id=${attack}`,
      `id=${attack}`,
      `id = ${attack}`,
      `${attack}=1`,
      attack,
      `a[id]=${attack}`,
      `=${attack}`,
    ),
  )
  const separator = forge.one('; ', ';', ', ', ',', ' ; ', ';;', '\t;')
  const cookie = forge
    .scratch(cookies.join(separator), SMALL)
    .replace(/[\r\n\0\u000b]|[^\0-\u00ff]/g, '')
    .trim()
  return { kind: 'cookie', method: 'GET', target: '/', headers: [['cookie', cookie]], body: Buffer.alloc(0) }
}

const FORGES = [forgedMultipart, forgedForm, forgedJson, forgedXml, forgedQuery, forgedCookie]

/** The request of this seed. The same seed gives the same request. */
export function forgedRequest(seed: number, attack: string): ForgedRequest {
  const forge = new Forge(seed, attack)
  return forge.one(...FORGES)(forge)
}
