import { pattern, type Rule, type Span } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import type { Reading } from '../value/reading.ts'
import { WORD } from '../value/words.ts'

/** Headers whose values have a grammar, and what none of them may hold. */
const ODD: readonly (readonly [name: RegExp, odd: RegExp])[] = [
  // RFC 7239 section 6: addresses, names, ports, `unknown`, lists of them.
  [
    /^(?:x-|true-)?(?:forwarded-(?:for|host|server|port|proto)|real-ip|client-ip|cluster-client-ip|originating-ip|cf-connecting-ip|fastly-client-ip|remote-(?:ip|addr))$/,
    /['"`$(){}<>|;\\]|\.\.|\/(?!\/)/,
  ],
  // The same section: brackets are for addresses of IPv6.
  [/^forwarded$/, /=\s{0,4}"?\[\d{1,3}\./],
  // RFC 9110 section 7.2: a name or an address, and a port.
  [/^host$/, /['"`$(){}<>|;\\\s]|\.\.|\//],
  // RFC 4918 section 10.4: addresses, which are written in ASCII (RFC 3986).
  [/^(?:if|lock-token)$/, /[\u0080-\uffff]/],
  // SOAP 1.1 section 6.1.1: an address, in which all these are encoded (RFC 3986).
  [/^soapaction$/, /[`|<>\\]|;\s{0,4}[a-z/.]{1,24}(?:[\s"']|$)|\.\.\//],
  // RFC 4130 section 6.2: a token, or a text in quotes.
  [/^as2-(?:to|from)$/, /^\\/],
  // The program that Apache Tika starts to read pictures.
  [/^x-tika-ocr\w{1,24}path$/, /["'\\/]/],
  // RFC 9110 section 12.5.4. A Firefox that finds no list of languages sends where it looked for one.
  [
    /^accept-(?:language|charset|encoding)$/,
    /['"`$(){}<>|\\]|\.\.|(?<!chrome:\/?|chrome:\/\/global(?:\/locale)?)\//,
  ],
]

/** A value that no client makes under the name of its header. */
function findOddHeader({ name, lower }: Reading): Span | undefined {
  for (const [names, odd] of ODD) {
    if (!names.test(name)) continue
    const found = odd.exec(lower)
    if (found !== null) return { start: found.index, end: found.index + found[0].length }
  }
  return undefined
}

/** What headers hold that no client sends: their values have a grammar, unlike those of parameters. */
export const headerFormRules: readonly Rule[] = [
  {
    id: 'probe/header-form',
    family: 'probe',
    score: 5,
    quotable: false,
    chars:
      CHAR.apostrophe |
      CHAR.quote |
      CHAR.backtick |
      CHAR.dollar |
      CHAR.paren |
      CHAR.brace |
      CHAR.less |
      CHAR.pipe |
      CHAR.semicolon |
      CHAR.backslash |
      CHAR.dots |
      CHAR.wide,
    words: 0,
    places: ['header'],
    find: findOddHeader,
    // By the name of the header: the cases are in `test/header-forms.test.ts`.
    attacks: [],
    benign: ['10.1.2.3, 10.1.2.4', "it's"],
  },
  // Ranges that wrap around, or so many that a server never ends joining them (RFC 9110 section 17.15).
  pattern(
    'probe/ranges',
    /^bytes=(?:[\d-]{1,24}\s{0,2},\s{0,2}){24}|^bytes=(?:[\d-]{1,40}\s{0,2},\s{0,2}){0,6}(?:\d{1,19})?-?\d{18}/,
    {
      score: 5,
      atStart: true,
      chars: CHAR.equals,
      places: ['header'],
      attacks: [
        `bytes=${'5-0,'.repeat(30)}1`,
        'bytes=0-18446744073709551615',
        'bytes=-18446744073709551615',
        'bytes=-17208,-9223372036854758792',
      ],
      benign: ['bytes=0-499', 'bytes=0-0,-1', 'bytes=9500-'],
    },
  ),
  // RFC 9112 section 6.1: codings by their names, and the last one is `chunked`, once.
  pattern(
    'crlf/transfer-coding',
    /^(?!(?:(?:gzip|x-gzip|deflate|compress|x-compress|br|zstd|identity)\s{0,2},\s{0,2}){0,3}chunked\s{0,2}$)[^\n]{0,80}\bx?chunked/,
    {
      score: 5,
      atStart: true,
      places: ['header'],
      words: WORD.header,
      attacks: [
        'chunked, chunked',
        'xchunked',
        'chunked;x=1',
        'chunked, identity',
        'x, chunked',
        '"chunked"',
      ],
      benign: ['chunked', 'gzip, chunked', 'Chunked', 'gzip,chunked ', 'deflate, gzip, chunked'],
    },
  ),
  // The scope of a key is a day, a region and a service (Signature Version 4).
  pattern(
    'probe/credential-scope',
    /^aws4-hmac-sha256\s{1,4}credential=[^\s,/]{0,128}(?:\/(?!\d{8}\/)|[\s,]|$)/,
    {
      score: 5,
      atStart: true,
      chars: CHAR.equals,
      places: ['header'],
      attacks: [
        'AWS4-HMAC-SHA256 Credential=crushadmin/',
        'AWS4-HMAC-SHA256 Credential=x, SignedHeaders=host',
      ],
      benign: [
        'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261127/eu-west-1/s3/aws4_request, SignedHeaders=host',
      ],
    },
  ),
  // A program for mail takes what follows for its options.
  pattern('rce/mail-option', /\s-[xX]\s{0,2}\/[\w./-]{1,80}\.\w{2,5}(?:\s|$)|\s-oqueuedirectory\s{0,2}=/, {
    score: 5,
    quotable: true,
    chars: CHAR.space,
    words: WORD.page | WORD.file,
    attacks: ['x -X/var/www/x.php @y'],
    benign: ['curl -X /a', 'tar -x /tmp/a'],
  }),
  // A proof of a password that is nothing (RFC 7616 section 3.4.1: as many digits as the hash has).
  pattern('session/empty-response', /^digest\s[^\n]{0,600}\bresponse\s{0,2}=\s{0,2}""/, {
    score: 5,
    atStart: true,
    chars: CHAR.quote,
    places: ['header'],
    attacks: ['Digest username="admin", realm="x", nonce="a", uri="/", response="", qop=auth'],
    benign: ['Digest username="a", response="6629fae49393a05397450978507c4ef1"', 'Basic eDp5'],
  }),
]
