import { pattern, type Rule, type Span } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import type { Reading } from '../value/reading.ts'
import { WORD } from '../value/words.ts'

const LINES: readonly ('path' | 'query' | 'header' | 'cookie' | 'form')[] = [
  'path',
  'query',
  'header',
  'cookie',
  'form',
]

const LOW_BYTES = /[^\0-\x7f]{2}\s{0,2}[a-z][\w-]{1,40}\s{0,2}:/gi

/** Chinese and Japanese have words of such characters, and any word behind them: `连不上wifi: ...`. */
const WRITTEN = /^[\u3000-\u9fff]{2}/
const ACTING =
  /^..\s{0,2}(?:set-cookie2?|location|refresh|cookie|authorization|status|host|connection|upgrade|(?:content|access-control|transfer|cache|proxy|www|strict|accept|sec|if|x)-\w[\w-]*)\s{0,2}:/i

// In the sender's case: that of these letters changes their bytes.
function findLowBytes({ text }: Reading): Span | undefined {
  for (const { index, 0: found } of text.matchAll(LOW_BYTES)) {
    const isBreak = (text.charCodeAt(index) & 255) === 13 && (text.charCodeAt(index + 1) & 255) === 10
    if (isBreak && (!WRITTEN.test(found) || ACTING.test(found)))
      return { start: index, end: index + found.length }
  }
  return undefined
}

/** Line ends behind which a value goes on as something else: a header, a request, an entry of a log. */
export const headerInjectionRules: readonly Rule[] = [
  pattern('crlf/any-header', /^[^\s]{0,300}[\r\n]{1,4}\s{0,2}x-[a-z][\w-]{1,40}\s{0,2}:/, {
    score: 5,
    quotable: true,
    atStart: true,
    chars: CHAR.newline,
    places: LINES,
    attacks: ['http://evil.example\r\nX-Injected: yes', '\r\nX-Forwarded-Host: x'],
    benign: ['hello\nthere', 'a\nx-ray: broken arm'.replace('x-ray: ', 'x-ray ')],
  }),
  // A field of a header in a name, where none of the lines is a sentence.
  pattern('crlf/name-field', /^[^\s]{0,80}\r\n[\w-]{1,40}:/, {
    score: 5,
    atStart: true,
    chars: CHAR.newline,
    places: ['name', 'path'],
    attacks: ['\r\nA:b', 'x\r\nLink: y'],
    benign: ['a b\r\nc: d', 'a\r\nb', 'a\nb: c'],
  }),
  // What a PBX (Asterisk) reads as an order of its own.
  pattern(
    'crlf/exchange-order',
    /[\r\n]{1,4}\s{0,2}(?:application|action)\s{0,2}:\s{0,4}(?:try)?(?:system|exec|agi|originate|command|macro|goto)\b/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.newline,
      places: LINES,
      attacks: ['1000@from-internal/n\r\nApplication: system\r\nData: id', 'x\nAction: Originate'],
      benign: ['Application: systems engineer', 'a\nAction: order the parts'],
    },
  ),
  // The name that scanners give to a header of their own.
  pattern(
    'crlf/probe-header',
    /[\r\n]\s{0,4}(?:[\w-]{0,24}crlf[\w-]{0,24}\s{0,2}:|[\w-]{1,24}\s{0,2}:\s{0,2}[\w-]{0,16}crlf-?_?inject)/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.newline,
      places: LINES,
      attacks: ['\r\ntest:crlfinjection=1\r\n', 'x\r\nX-CRLF-Test: 1'],
      benign: ['a\ncrlf injection: a primer', 'line ends: crlf'],
    },
  ),
  // Line ends as a program writes them, for a server that undoes them.
  pattern(
    'crlf/escaped-header',
    /^[^\s]{0,120}(?:\\r\\n|\\[rn])\s{0,2}(?:set-cookie|location|content-[a-z-]{3,30}|transfer-encoding|clear-site-data|access-control-[a-z-]{5,24}|link|http\/1\.[01]\s\d{3}|cookie|authorization|refresh|host|x-[\w-]{1,40})\s{0,2}(?::|[a-z]{2})/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      chars: CHAR.backslash,
      places: LINES,
      attacks: ['\\r\\nSet-Cookie: x=1', 'x\\nX-Injected: 1'],
      benign: ['c:\\new\\location', 'a\\nb: c', 'GET / HTTP/1.1\\r\\nHost: a'],
    },
  ),
  // Encoded so that the break is there once what was decoded is decoded again.
  pattern('crlf/nested-break', /%%0[ad]0[ad]\s{0,2}[a-z][\w-]{2,30}\s{0,2}:/, {
    score: 5,
    chars: CHAR.percent,
    places: LINES,
    attacks: ['/%%0a0aSet-Cookie:crlf=injection', '%%0d0aLocation: //x'],
    benign: ['100%%0a', '%%0a0a'],
  }),
  pattern('crlf/request-inside', /\shttp\/\d(?:\.\d)?\r?\n\s{0,2}[a-z][\w-]{1,24}\s{0,2}:/, {
    score: 5,
    quotable: true,
    chars: CHAR.newline,
    places: LINES,
    attacks: ['http://a/../x.jsp HTTP/1.2\r\nHost: evil.example\r\n'],
    benign: ['HTTP/1.1\nis old', 'speaks http/2\n- fast'],
  }),
  // Whoever writes the value into a file of settings writes a second one. What people send has no line end
  // that is a carriage return alone.
  pattern('crlf/setting', /^[^\s]{0,80}\r[ \t]{0,2}[a-z][\w.-]{1,40}\s{0,2}=\s{0,2}[\w./:-]{1,80}\s{0,4}$/, {
    score: 5,
    atStart: true,
    chars: CHAR.newline,
    places: ['query'],
    attacks: ['cache\rsecurity_level = weak', 'x\rallow=any'],
    benign: ['cache\r\nsecurity_level = weak', 'a\rb', 'first line\rx = 1 and more'],
  }),
  // Who reads the log takes the second line for an entry of its own.
  pattern(
    'crlf/log-line',
    /^[^\s]{0,80}[\r\n]{1,4}\s{0,2}(?:\[?\d{4}-\d{2}-\d{2}[t\s]\d{2}:\d{2}|\[?(?:info|warn|warning|error|debug|notice|fatal|critical)\]?\s{0,2}[:\]|-]\s{0,2}\w|\[\d{2}\/\w{3}\/\d{4}:)/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      chars: CHAR.newline,
      places: ['path', 'query', 'header', 'cookie'],
      attacks: ['admin\nINFO: user admin logged in', 'x\r\n2026-01-01 10:00:00 login ok'],
      benign: ['first line\nINFO: see below', 'a\nb'],
    },
  ),
  // Bytes that no name of a file has, between its extension and what is appended.
  pattern(
    'traversal/null-extension',
    /\.(?:php\d?|phtml|jspx?|aspx?|html?|txt|png|jpe?g|gif|ini|log|conf|xml|pl|cgi|sh|exe)\u0000|\/(?:passwd|shadow|services|hosts)\u0000/,
    {
      score: 5,
      chars: CHAR.control,
      places: ['body', 'form'],
      attacks: ['x.php\u0000', '/etc/passwd\u0000.jpg'],
      benign: ['a.b\u0000', 'php\u0000'],
    },
  ),
  // The second of two programs takes what the first one kept of the path for a query.
  pattern(
    'traversal/question',
    /\.(?:php\d?|phtml|jspx?|aspx?|ashx|cgi|pl|cfm|do|action)\?(?:[\w.-]{0,40}\.\w{2,5}|\.|\/)/,
    {
      score: 5,
      chars: CHAR.slash,
      words: WORD.page,
      places: ['path'],
      attacks: ['/client/index.php?.php/gsb/users.php', '/admin.php?ooo.php'],
      benign: ['/index.php', '/a?b'],
    },
  ),
  // A server that keeps the low byte of each character makes a line end of these, and a header of the rest.
  {
    id: 'crlf/low-bytes',
    family: 'crlf',
    score: 5,
    quotable: true,
    isAnywhere: true,
    chars: CHAR.wide,
    words: 0,
    places: LINES,
    needs: [LOW_BYTES],
    find: findLowBytes,
    attacks: [
      'x\u010d\u010aSet-Cookie: a=b',
      '\u560d\u010aLocation:/x',
      '\u560d\u560aSet-Cookie:a=b',
      '\u4e0d\u4e0aX-Injected: 1',
    ],
    benign: [
      '\u010c\u010aabc: x',
      '\u010d\u010a',
      '\u4f8b\u3048abc: x',
      '\u8fde\u4e0d\u4e0awifi: x',
      '\u4e0d\u4e0ahttps://a.example',
      '\u300d\u300aPython: x',
    ],
  },
]
