import { pattern, type Rule, type Span } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import type { Reading } from '../value/reading.ts'

/** A page on a host that is named without a scheme, as a share of files is. */
const NETWORK_PATH = /^\s{0,2}[/\\]{2}(?:[\w-]{1,60}\.){1,6}[a-z]{2,24}(?::\d{1,5})?[/\\][^\s]{1,160}$/
const INCLUDED =
  /^(?:(?:page|tpl|template|inc(?:lude)?|view|module|layout|lang|conf(?:ig)?)_?(?:file|path|name)?|php_?file|include_?\w{0,12})$/

function findNetworkPath(reading: Reading): Span | undefined {
  if (!reading.fromStart || !NETWORK_PATH.test(reading.lower) || !INCLUDED.test(reading.name))
    return undefined
  return { start: 0, end: reading.lower.length }
}

/** Addresses that no standard knows, and some program reads: a check takes them for names or for nothing. */
export const addressFormRules: readonly Rule[] = [
  // A number by its letter: `o177.0.0.1` (programs that take the octal mark of other languages).
  pattern(
    'ssrf/lettered-number',
    /:\/\/0?[oq][0-7]{1,4}\.(?:0?[oq])?\d{1,4}\.(?:0?[oq])?\d{1,4}\.(?:0?[oq])?\d{1,4}(?![\w.-])/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.scheme,
      attacks: ['http://o177.0.0.1/', 'http://0o177.0.0.1', 'http://q177.0.0.1:80/'],
      benign: [
        'http://o2.example/',
        'http://q1.0.0.example/',
        'http://10.0.0.1/',
        'http://o177.0.0.1.example/',
      ],
    },
  ),
  // This machine in version 6, without the brackets that RFC 3986 section 3.2.2 asks for.
  pattern(
    'ssrf/bare-loopback',
    /^\s{0,2}(?:https?|ftp):\/\/(?=[0:])0{0,4}:(?:[0:]{0,30}:)?0{0,3}1(?::\d{1,5})?(?:[/?#]|\s{0,2}$)/,
    {
      score: 5,
      atStart: true,
      chars: CHAR.scheme,
      places: ['query', 'form', 'cookie'],
      attacks: ['http://0000::1:80/', 'http://::1/', 'http://0:0:0:0:0:0:0:1'],
      benign: ['http://[::1]:3000/', 'http://a::1/', '::1'],
    },
  ),
  // RFC 3986 sections 3.1 and 3.2.3: a scheme begins with a letter, and a port is digits. Numbers and places
  // in files are written behind a name with dots, too.
  pattern(
    'ssrf/odd-part',
    /^\s{0,2}(?:\d{1,3}:\/\/[\w-]{1,60}\.[\w.-]{1,60}|(?:(?:https?:\/\/)?(?:localhost|(?:\d{1,3}\.){3}\d{1,3})|https?:\/\/[\w-]{1,60}(?:\.[\w-]{1,60}){1,4}):(?:\+\d|0{1,3}\d{5}))/,
    {
      score: 5,
      atStart: true,
      chars: CHAR.colon,
      places: ['query', 'form', 'cookie', 'body'],
      attacks: [
        '0://evil.example:80;http://shop.example:80/',
        'localhost:+11211',
        'localhost:00011211',
        'http://shop.example:+80/',
      ],
      benign: [
        'https://a.example:8080/',
        '10:30',
        'a.b:0',
        '12://',
        '1.2.3.4:00022',
        'PO.2026.11:0001234',
        'main.ts:+12',
      ],
    },
  ),
  // Where one program sees the end of the host, and the next one a name before an `@`.
  pattern('ssrf/split-host', /^\s{0,2}https?:\/\/[\w.:-]{1,80}\s{0,2}[&#]{1,2}\s{0,2}@[\w.-]{1,80}/, {
    score: 5,
    atStart: true,
    chars: CHAR.at,
    places: ['query', 'form', 'cookie', 'body'],
    attacks: ['http://1.1.1.1 &@2.2.2.2# @3.3.3.3/', 'https://shop.example#@evil.example/'],
    benign: [
      'https://a.example/#@ann',
      'https://a.example @ann',
      'https://ann@a.example/',
      'http://a.example & b',
    ],
  }),
  // Letters that become dots and slashes where a name is looked up (UTS #46): 。, ／, ℀.
  pattern(
    'ssrf/folded-host',
    /^\s{0,2}(?:(?:https?:)?\/\/[a-z\d][\w.-]{0,60}[\u3002\uff0e\uff61][a-z]{2,24}(?=[/?#:]|\s{0,2}$)|https?:\/\/[\w.-]{1,60}[\uff0f\u2044\u2215\u29f8\u2100\u2101\u2105\u2106][\w-]{0,60}(?:\.[\w-]{1,60}){1,5}(?=[/?#:]|\s{0,2}$))/,
    {
      score: 5,
      atStart: true,
      chars: CHAR.wide,
      places: ['query', 'form', 'cookie'],
      attacks: [
        '//evil\u3002example',
        'http://evil\uff0eexample/x',
        'http://a.example\uff0fx.b.example',
        'https://evil.c\u2100.example.com',
      ],
      benign: [
        'https://\u4f8b\u3048.example/',
        'https://a.example/\u8a73\u7d30\u3002',
        'http://a.example\u3002\u8acb\u770b',
        'see //a\u3002b',
        'http://a.example\uff0fb',
      ],
    },
  ),
  // Options behind an address: a program that fetches it writes what it got where they say (curl(1)).
  pattern(
    'rce/address-option',
    /^\s{0,2}(?:https?|ftp):\/\/[^\s"'<>]{1,200}\s{1,4}(?:-o\s{0,2}[\w./~-]{1,80}\s{0,2}$|--(?:output|output-document|output-dir|upload-file|post-file|config|use-askpass|directory-prefix)[\s=]{1,2}[\w./~])/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      chars: CHAR.scheme,
      attacks: [
        'https://a.example -o test.py',
        'http://a.example/x -O /tmp/x',
        'http://a.example --output=x.php',
      ],
      benign: ['https://a.example -- see there', 'https://a.example -o', 'https://a.example - output of it'],
    },
  ),
  // What people call the first script that they have a server fetch and run.
  pattern(
    'rfi/shell-file',
    /^\s{0,4}(?:https?|ftps?):\/\/[\w.-]{1,80}(?::\d{1,5})?\/(?:[\w.~-]{1,24}\/)?(?:r57|c99|c100|b374k|wso|sh3ll|(?:php|web|cmd|rev(?:erse)?|asp|jsp)?[_-]?shell|cmd|evil|backdoor|pwn\w{0,4}|exploit|rce|malicious|payload)\d{0,3}\.(?:txt|inc|dat|php\d?|jsp|aspx?)(?:[?#\u0000]|\s{0,2}$)/,
    {
      score: 5,
      atStart: true,
      chars: CHAR.scheme,
      places: ['query', 'form', 'cookie'],
      attacks: [
        'https://evil.example/r57.txt',
        'http://evil.example/a/shell.txt?',
        'ftp://a.example/cmd.php',
      ],
      benign: [
        'https://example.com/shell.html',
        'https://example.com/shells.txt',
        'https://a.example/b/c/d/shell.txt',
        'https://example.com/report.txt',
        'see https://evil.example/cmd.php',
      ],
    },
  ),
  {
    id: 'rfi/network-path',
    family: 'rfi',
    score: 5,
    quotable: false,
    atStart: true,
    chars: CHAR.slash,
    words: 0,
    places: ['query', 'form', 'cookie'],
    needs: [NETWORK_PATH],
    find: findNetworkPath,
    // By the name of the parameter: the cases are in `test/plain-commands.test.ts`.
    attacks: [],
    benign: ['//cdn.example/a.html', '/a.html'],
  },
  // A page of the server behind a question mark, which the server that fetches it takes for its name.
  pattern(
    'rfi/hidden-page',
    /https?:\/\/[\w.:-]{1,80}\/[^\s"'<>?#]{1,120}\?\.(?:php\d?|phtml|jspx?|aspx?)(?=[#?&"'\s>]|$)/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.scheme,
      attacks: ['<img src=http://evil.example/a.txt?.php#.jpg>', 'http://evil.example/x.jpg?.jsp'],
      benign: [
        'https://a.example/x.php?b=.php',
        'https://a.example/?.phpx',
        'https://a.example/search?q=a.php',
      ],
    },
  ),
]
