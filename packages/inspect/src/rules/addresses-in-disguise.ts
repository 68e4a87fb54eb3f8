import { findOddAddress } from '../lex/odd-address.ts'
import { pattern, type Rule, type Span } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import type { Reading } from '../value/reading.ts'
import { WORD } from '../value/words.ts'

const SENT_TO =
  /^(?:next|return(?:_?(?:url|to|path|uri))?|redirect(?:_?(?:url|to|uri))?|redir|goto|continue|dest(?:ination)?|forward|back(?:_?url)?|success_?url|login_?url|logout_?url|target_?url|ref_?url|from_?url|url_?return|rurl|checkout_?url)$/
const HOST_ALONE =
  /^[\t\r\n\u0000]{0,4}\/{2}(?:[\w-]{1,60}\.){1,6}[a-z]{2,24}(?::\d{1,5})?(?:[/?#\\]|\s{0,2}$)|^[\t\r\n\u0000]{1,4}\/{1,4}[\w-]/

function findTargetHost(reading: Reading): Span | undefined {
  if (!reading.fromStart) return undefined
  const found = HOST_ALONE.exec(reading.lower)
  return found === null || !SENT_TO.test(reading.name) ? undefined : { start: 0, end: found[0].length }
}

/** A socket by its name, however long, and a page behind it. */
function findSocketProxy({ lower }: Reading): Span | undefined {
  const start = lower.indexOf('unix:')
  const bar = start < 0 ? -1 : lower.indexOf('|http', start)
  if (bar < 0 || !/^s?:\/\//.test(lower.slice(bar + 5, bar + 9))) return undefined
  return /\s/.test(lower.slice(start, bar)) ? undefined : { start, end: bar + 5 }
}

/** Addresses that a check of one program takes for a path of the site, and a browser or a server does not. */
export const disguisedAddressRules: readonly Rule[] = [
  // A host alone, under a name that says that the browser is sent there: pages of the same site begin with
  // one slash.
  {
    id: 'ssrf/target-host',
    family: 'ssrf',
    score: 5,
    quotable: false,
    atStart: true,
    chars: CHAR.slash,
    words: 0,
    places: ['query', 'form', 'cookie'],
    needs: [HOST_ALONE],
    find: findTargetHost,
    // By the name of the parameter: the cases are in `test/reach.test.ts`.
    attacks: [],
    benign: ['//cdn.example/a.js', '/a.html'],
  },
  // The same as the path of a request: what joins it to a slash of its own sends the browser there.
  pattern(
    'ssrf/path-host',
    /^\/(?:%2f|%5c|\\){1,2}[\w.-]{1,60}\.[a-z]{2,24}(?:[/%?#]|$)|^\/{2,4}[\w-]{1,60}(?:\.[\w-]{1,60}){1,4}\/(?:%2f|%5c|\.|%2e){2,4}$/,
    {
      score: 5,
      places: ['path'],
      chars: CHAR.percent | CHAR.backslash | CHAR.dots,
      attacks: ['/%2f%2fevil.example%2f%2e%2e', '//evil.example/%2f..', '/%5cevil.example'],
      benign: ['/%2fhome%2fann%2fa.txt', '//a.example/b', '/a%2fb.html'],
    },
  ),
  // WHATWG URL, section 4.4: browsers take a backslash for a slash, and drop tabs and line ends.
  // Where a browser is sent: another host than the one that a check of prefixes sees.
  pattern(
    'ssrf/odd-redirect',
    /^\s{0,2}(?:\/\/[\w.:%-]{0,80}(?:;@?|@)[\w.-]{1,80}\.[a-z]{2,24}(?:[/?#:]|\s{0,2}$)|\/{2,4}[\w.-]{1,80}\/?(?:%2f|%252f|\/)\.\.$|(?:\\\/\\\/|:\\{2})[\w.-]{1,80}\.[a-z]{2,24}|https?:(?:\/\/[\w.-]{1,80}(?:\\\.|%(?:25){0,2}(?:2f|5c|3f|23)[^/@?#\s]{0,80}@)|[\r\n\t]{1,2}\/{0,2})[\w.-]{1,80}|\u3031[\w.-]{2,80}\.[a-z]{2,24})/,
    {
      score: 5,
      atStart: true,
      chars: CHAR.slash | CHAR.backslash | CHAR.wide | CHAR.newline,
      places: ['query', 'form', 'cookie'],
      attacks: [
        '//;@evil.example',
        '//www.shop.example@evil.example/',
        '//evil.example/%2f..',
        '\\/\\/evil.example/',
        ':\\\\evil.example',
        'https://evil.example\\.shop.example',
        'http:\nevil.example',
        'https://shop.example%2F:1@evil.example/',
        'http://shop.example%23@evil.example',
        '\u3031evil.example',
      ],
      benign: [
        '//shop.example/a',
        '// a comment; b@c',
        'https://ann@shop.example/',
        'https://ann:p%2Fw@shop.example/',
        '//cdn.example/..a',
        '//div[@class=1]',
        '//a@b',
      ],
    },
  ),
  pattern(
    'ssrf/disguised-host',
    /^\s{0,2}(?:\/[\\]{1,4}\/{0,2}|\\{1,2}\/\\{0,2}|\/[\t\r\n]{1,4}\/|\/{3,12}|https?:[\\/]?\\{1,3}\/?)(?:[\w-]{1,60}\.){1,6}[a-z]{2,24}(?::\d{1,5})?(?:[/?#\\]|\s{0,2}$)/,
    {
      score: 5,
      atStart: true,
      chars: CHAR.backslash | CHAR.slash,
      places: ['query', 'form', 'cookie'],
      attacks: [
        '/\\evil.example',
        '/\t/evil.example/x',
        '///evil.example',
        'https:/\\evil.example',
        '\\/evil.example',
      ],
      benign: [
        '//cdn.example/a.js',
        '/a.html',
        'https://a.example/',
        '\\\\server\\share',
        'https: see example.com',
      ],
    },
  ),
  // The ending that a check looks for, in the fragment or the query, which do not belong to the host.
  pattern(
    'ssrf/host-ending',
    /^\s{0,2}https?:\/\/[\w.:-]{1,80}[#?]\.(?:[\w-]{1,60}\.){1,5}[a-z]{2,24}(?::\d{1,5})?(?:\/|\s{0,2}$)/,
    {
      score: 5,
      atStart: true,
      chars: CHAR.scheme,
      places: ['query', 'form', 'cookie', 'body'],
      attacks: [
        'http://evil.example#.shop.example/',
        'https://evil.example:8080?.shop.example',
        'http://198.51.100.7#.shop.example/x',
      ],
      benign: [
        'https://shop.example/#.Vk3xYrerS00',
        'https://shop.example#.main',
        'https://shop.example/a?.b.example',
        'https://shop.example?a=.b.example',
        'see http://shop.example#.a.example/',
      ],
    },
  ),
  pattern('ssrf/schemed-host', /^\s{0,2}https?:(?:[\w-]{1,60}\.){1,6}[a-z]{2,24}(?:\/|\s{0,2}$)/, {
    score: 5,
    atStart: true,
    words: WORD.host,
    places: ['query', 'form', 'cookie'],
    attacks: ['https:evil.example', 'http:evil.example/x'],
    benign: ['https://a.example/', 'https: see example.com', 'http:8080'],
  }),
  // Apache's proxy takes a name of a socket for where to send a request, and what follows it for the request.
  {
    id: 'ssrf/socket-proxy',
    family: 'ssrf',
    score: 5,
    quotable: false,
    chars: CHAR.pipe,
    words: 0,
    needs: [/unix:[\s\S]*\|http/],
    find: findSocketProxy,
    attacks: ['unix:AAAAAAAA|http://evil.example/', `unix:${'A'.repeat(5_000)}|https://evil.example/`],
    benign: ['unix: a|b', 'unix:/run/a.sock', 'unix: see | http://a.example'],
  },
  // The server is asked for what stands in the path, and that is the server itself.
  pattern(
    'ssrf/path-address',
    /\/(?:https?|ftp|gopher|file):\/{0,3}(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|0\.0\.0\.0|\[[:0]{1,8}1?\])(?::\d{1,5})?(?:\/|$)|\/file:\/{1,3}(?:etc|proc|root|home|var|c:)\//,
    {
      score: 5,
      places: ['path'],
      words: WORD.host,
      attacks: ['/proxy/http://127.0.0.1/', '/http:/localhost:8080/x', '/get/file:///etc/x'],
      benign: ['/proxy/https://cdn.example/a.png', '/http/127.0.0.1'],
    },
  ),
  pattern(
    'ssrf/cloud-name',
    /^\s{0,2}https?:\/\/(?:metadata|instance-data|rancher-metadata)(?::80)?(?:\/|\s{0,2}$)/,
    {
      score: 5,
      atStart: true,
      words: WORD.host,
      attacks: ['http://metadata/', 'http://instance-data/latest'],
      benign: ['http://metadata.example.com/', 'metadata'],
    },
  ),
  // A number or a tunnel for a name: whoever checks a list of names and addresses does not know it.
  {
    id: 'ssrf/odd-address',
    family: 'ssrf',
    score: 5,
    quotable: true,
    chars: CHAR.colon | CHAR.slash,
    words: 0,
    needs: [/(?::[/\t\n\r]|:\\|\/\/|\\\\|\\\/|\/\\)/],
    find: ({ lower, fromStart }: Reading): Span | undefined => {
      const found = findOddAddress(lower)
      return fromStart || (found !== undefined && found.start > 0) ? found : undefined
    },
    attacks: [
      'http://[64:ff9b::7f00:1]/',
      'http://[2002:7f00:1::]/',
      'http://[::127.0.0.1]/',
      'http://000000000000177.0.0.1/',
      'http://127.0.0.1./',
      '//0x7f.1/',
      '\\/0x7f.1/',
      '/\\0x7f.1',
      'go\tpher://127.0.0.1/',
      'http://127\t.0.0.1/',
      'http://a@127.0.0.1:80@example.com/',
    ],
    benign: [
      'http://127.0.0.1:8080/',
      'http://[::1]:3000/',
      'http://[2001:db8::1]/',
      'C:/2024/a.txt',
      'http://a.example:80/\nhttp://10.0.0.1/',
      '//0.5',
      '// 127.1',
      'http://www.1.example/',
    ],
  },
  // Names that resolve to one address for who checks them and to another for who fetches; loopback addresses
  // that nothing listens on by name.
  pattern(
    'ssrf/rebinding',
    /\b[\da-f]{8}\.[\da-f]{8}\.rbndr\.us\b|\.1u\.ms\b|\brebind(?:er)?\.(?:it|network)\b|\bhttps?:\/\/127\.(?:[1-9]\d{0,2}\.\d{1,3}|0\.(?!1\.1\b)[1-9]\d{0,2})\.\d{1,3}(?![\d.])/,
    {
      score: 5,
      quotable: true,
      words: WORD.host,
      attacks: ['http://7f000001.c0a80001.rbndr.us/', 'http://127.127.127.127/', 'http://127.0.9.1/'],
      benign: ['http://127.0.0.1/', 'http://127.0.0.53/', 'http://127.0.1.1/', 'rebind the keys'],
    },
  ),
  // A share of Windows by its wide letters, which become plain ones where a file is named after it.
  pattern('ssrf/disguised-share', /[\uff3c\u2216]{2}[\w\uff0e.-]{1,80}[\uff3c\u2216]/, {
    score: 5,
    chars: CHAR.wide,
    attacks: ['\uff3c\uff3cevil\uff0eexample\uff3c\uff3cc$\uff3can\uff0ejpg'],
    benign: ['\uff3c\uff3c \u5927\u7279\u4fa1 \uff0f\uff0f', '\\\\server\\c$\\a.jpg'],
  }),
]
