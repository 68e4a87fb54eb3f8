import { isWholeFilter, withoutCapabilities } from '../lex/ldap-filter.ts'
import { unopened } from '../lex/unopened.ts'
import { type PatternRule, pattern, type Rule, type Span } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import { isBody, type Reading } from '../value/reading.ts'
import { WORD } from '../value/words.ts'

/** Names of settings that hold the filter with which a directory is asked. */
const FILTER_SETTING =
  /^(?:[\w-]{1,24}[._-])?(?:ldap[\w-]{0,24}filter|filter[_-]?ldap|(?:user|group|login|member|role|custom_?user)s?_?(?:search|object|login|base)?_?filter|search_?filter)$/

/** The same, and lists of conditions in brackets as PostgREST takes them: `or=(name.ilike.*a*,id.eq.1)`. */
const FILTER_OR_LIST = new RegExp(`${FILTER_SETTING.source}|^(?:not\\.)?(?:or|and)$`)

/** What no sign-in asks for. */
const SECRET_ATTRIBUTE = /userpassword|unicodepwd/

/** Fields of documents that may hold a filter; an element of a list has no name. */
const MAY_HOLD_FILTER = /^$|filter|query|search/

/** Fields of forms of settings for one: `auth_source[filter]`, `s01ldap_userlist_filter`. */
const FORM_FILTER = /^[\w-]{1,40}\[[\w-]{0,24}filter\]$|^[\w-]{0,24}ldap[\w-]{0,24}filter$/

/** Whether a rule finds nothing in a body but filters that choose a capability. */
function isOfCapabilities({ expression }: PatternRule, { place, lower }: Reading): boolean {
  if (!isBody(place)) return false
  const rest = withoutCapabilities(lower)
  return rest !== lower && !expression.test(rest)
}

/** A filter that is complete breaks out of none: settings of a sign-in hold it as it is. */
function unlessWhole(rule: PatternRule): PatternRule {
  return {
    ...rule,
    find(reading: Reading): Span | undefined {
      const span = unopened(rule, reading)
      if (span === undefined || isOfCapabilities(rule, reading)) return undefined
      if (SECRET_ATTRIBUTE.test(reading.lower)) return span
      if (reading.place === 'form')
        return FORM_FILTER.test(reading.name) && isWholeFilter(reading.lower) ? undefined : span
      const isSetting =
        MAY_HOLD_FILTER.test(reading.name) && (reading.isPiece || isWholeFilter(reading.lower))
      return isSetting ? { ...span, bare: true } : span
    },
  }
}

/** LDAP filters, mail protocols, and line ends where a header or a protocol would read them. */
export const directoryAndMailRules: readonly Rule[] = [
  unlessWhole(
    pattern(
      'ldap/filter',
      /\(\s{0,2}[&|!]\s{0,2}\(\s{0,2}\(?(?:\w[\w.:;-]{1,39}|[clo])\s{0,2}(?:[~<>:]{0,2}=)|\)\s{0,2}\(\s{0,2}(?:[|&]\s{0,2}(?:[()]|$)|!\s{0,2}\(|[\w.-]{1,40}[~<>]?=[^()\s]{0,40}(?:\)|\*|$))|(?:^|(?<!\\)[^(.\])\\])\*\s{0,2}\)\s{0,2}(?:\(\s{0,2}(?:[|&!]|[\w.:;-]{1,40}\s{0,2}[~<>]?=)|\)\s{0,2}(?:%00|\u0000|$|\(\s{0,2}[|&!])|%00|\u0000)|^\s{0,4}\*\s{0,2}\(\s{0,2}\)\s{0,2}[|&]|\([\w-]{1,32}=\*\)|[*)(]\s{0,2}\(\s{0,2}(?:uid|cn|mail|objectclass|userpassword|samaccountname|sn|ou|member|givenname)\s{0,2}[~<>]?=/,
      {
        score: 5,
        quotable: true,
        unlessNamed: FILTER_OR_LIST,
        chars: CHAR.paren | CHAR.star,
        attacks: [
          '((uid=admin)(!(&(1=0)(userPassword=q))))',
          '*)(uid=*))(|(uid=*',
          'admin)(&)',
          'x)(|(cn=*))',
          '*()|&',
          '*))\u0000',
          '*)(objectClass=*',
        ],
        benign: [
          'f(x)(y)',
          '(a = b) (c = d)',
          '(see note) (p. 5)',
          '(uid 5)',
          'a fix (by Anna) (!1598)',
          'void (*)(char *)',
          'if (a && (b == c))',
          'CC(=CCCC(C)(C=C)O)C',
          'if (!(n=e.target)) return',
          '^((.*))$',
          '(\\S*))',
        ],
      },
    ),
  ),
  unlessWhole(
    pattern(
      'ldap/attribute',
      /\b(?:userpassword|objectclass|samaccountname|memberof|unicodepwd|ldapdisplayname)(?:\s{0,2}:[\d.]{3,40}:=|\s{0,2}[~<>]?=\s{0,2}[*({]|[~<>]?=\s{0,2}\w(?![\w$]{0,32}\.[\w$]{1,32}[.(;,]))/,
      {
        score: 5,
        quotable: true,
        unlessNamed: FILTER_SETTING,
        words: WORD.directory,
        attacks: ['userPassword:2.5.13.18:=123', 'objectClass=*'],
        benign: [
          'memberOf the club',
          'user password = x',
          'var objectClass = t',
          'objectClass=e.target.name;',
        ],
      },
    ),
  ),
  pattern(
    'mail/command',
    /(?:^|[\r\n]|\\r\\n|\bquit)\s{0,4}(?:[av]\d{2,4}\s{1,4}(?:capability|fetch|login|logout|select|examine|create|delete|rename|subscribe|list|lsub|status|append|noop|search|store|copy|uid|starttls|authenticate|check|close|expunge)\b|(?:rcpt\s{1,4}to|mail\s{1,4}from)\s{0,4}:|(?:ehlo|helo|vrfy|expn)\s{1,4}[\w.-]{1,64}\s{0,4}[\r\n])|^\s{0,2}[\r\n]{1,2}\s{0,2}(?:quit|rset|noop|data|logout|starttls)\s{0,2}[\r\n]|(?:[\r\n]|\\n)\s{0,4}(?:bcc|mime-version|x-mailer|content-type)\s{0,4}:\s{0,4}[^\r\n]{0,80}(?:@|multipart|text\/(?!plain))/,
    {
      score: 5,
      quotable: true,
      // Interfaces for mail take whole heads.
      unlessNamed:
        /^(?:raw_?)?headers?$|^(?:raw|mime|eml|source|rfc822|body-mime|raw_?(?:e?mail|msg|message|mime)|rawmessage\.data|e?mail_?rfc822|(?:\w{1,16}:)?mime_?(?:content|message))$/,
      chars: CHAR.newline | CHAR.backslash | CHAR.space,
      words: WORD.mail,
      attacks: [
        '\r\nV100 CAPABILITY\r\nV101 FETCH 4791',
        '\nRCPT TO: test@evil.com\n',
        'x\r\nBcc: all@evil.com',
      ],
      benign: ['Subject matter', 'fetch the ball', 'reply to: bob'],
    },
  ),
  // An address, and the next orders of the conversation (RFC 5321 section 4.1).
  pattern(
    'mail/address-orders',
    /@[\w.-]{1,80}>?\s{0,2}[\r\n]\s{0,2}(?:(?:data|rset|quit)\s{0,2}(?:[\r\n]|$)|(?:vrfy|expn|ehlo|helo)\s{1,4}\S)/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.newline,
      attacks: ['a@b.example\r\nDATA\r\nSubject: x', 'a@b.example>\nRSET'],
      benign: ['a@b.example\ndata sheet', 'a@b.example data'],
    },
  ),
  pattern(
    'mail/header',
    /^[^\s]{0,80}(?:[\r\n]{1,2}|(?:\\r)?\\n)\s{0,4}(?:to|cc|reply-to|from|subject)\s{0,4}:\s{0,4}[^\r\n]{0,80}@/,
    {
      score: 5,
      quotable: true,
      bare: true,
      atStart: true,
      chars: CHAR.newline | CHAR.backslash,
      words: 0,
      attacks: ['x\r\nCc: all@evil.example', 'Ann\nTo: x@evil.example', 'x\\nFrom: a@b.example'],
      benign: ['hello there\ncc: ann@example.com'],
    },
  ),
  // An address and nothing else on the first line: who pastes the head of a mail pastes names of fields.
  pattern(
    'mail/recipient',
    /^\s{0,2}[^\s@<>,;:]{1,64}@[\w.-]{1,80}>?(?:\r?\n|\r|\\r\\n|\\n){1,2}\s{0,4}(?:to|b?cc|reply-to|from|subject|content-type|content-transfer-encoding)\s{0,2}:\s{0,4}\S/,
    {
      score: 5,
      atStart: true,
      chars: CHAR.newline | CHAR.backslash,
      words: 0,
      attacks: ['a@b.example\r\nCc: x@evil.example', 'a@b.example\nSubject: x'],
      benign: ['From: a@b.example\nTo: c@d.example', 'a@b.example\nc@d.example'],
    },
  ),
  pattern(
    'crlf/header',
    /[\r\n]\s{0,4}(?:(?:cookie\s{0,2}:\s{0,2}[\w-]{1,40}=|authorization\s{0,2}:\s{0,2}(?:basic|bearer|\S{1,80}(?:[\r\n]|$)))|(?:content-(?:security|disposition|encoding|language|location|range|md5|transfer)[a-z-]{0,24}|clear-site-data|www-authenticate|proxy-[a-z]{4,16}|strict-transport-security|cache-control|if-[a-z-]{5,16}|set-cookie|location|bcc|reply-to|subject|mime-version|content-type|content-length|transfer-encoding|x-forwarded-\w{1,8}|x-xss-protection|access-control-[\w-]{1,24}|refresh|link|host|connection|status|last-modified|http\/\d(?:\.\d)?)\s{0,4}(?::|\s\d{3}))/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.newline,
      places: ['path', 'query', 'header', 'cookie', 'name'],
      attacks: [
        'x\r\nSet-Cookie: a=b',
        '/\nSet-Cookie:crlf=injection',
        'a\r\nLocation: http://x',
        '\r\nHTTP/1.1 200 OK',
      ],
      benign: ['first\nsecond', 'a\r\nhost of things'],
    },
  ),
  pattern(
    'crlf/body-header',
    /[\r\n]\s{0,2}(?:set-cookie|content-length|transfer-encoding|http\/1\.[01]\s\d{3})\s{0,2}:?\s{0,4}[\w=;/. -]{1,80}(?:[\r\n]|$)|\b(?:get|post|head|put|delete|options)\s{1,4}\/[^\s]{0,80}\s{1,4}http\/\d/,
    {
      score: 4,
      quotable: true,
      chars: CHAR.newline | CHAR.slash,
      places: ['body', 'query', 'path', 'header', 'cookie'],
      attacks: ['a\r\nSet-Cookie: x=y\r\n', 'x GET /admin HTTP/1.1'],
      benign: ['get / post', 'host'],
    },
  ),
  // Behind one word and a line end: where people write several lines, the first is more than that.
  pattern(
    'crlf/body-split',
    /^[^\s`]{0,80}\r?\n\s{0,2}(?:set-cookie\s{0,2}:\s{0,2}\w{1,64}=|content-length\s{0,2}:\s{0,2}\d|transfer-encoding\s{0,2}:|x-xss-protection\s{0,2}:|refresh\s{0,2}:\s{0,2}\d|location\s{0,2}:\s{0,2}(?:https?:|\/)|http\/1\.[01]\s\d{3}|access-control-[\w-]{1,24}\s{0,2}:|(?:content-(?:security-policy|encoding|language)|clear-site-data|www-authenticate|proxy-auth[a-z]{6,12}|strict-transport-security)\s{0,2}:\s{0,2}\S|cookie\s{0,2}:\s{0,2}[\w-]{1,40}=|link\s{0,2}:\s{0,2}<|host\s{0,2}:\s{0,2}[\w-]{1,60}\.[\w.-]{1,60}(?:[\r\n]|$)|x-(?!ray|mas|ing|axis|men|box|factor|large)[a-z]{2,16}(?:-[a-z-]{1,24})?\s{0,2}:\s{0,2}\S)/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      chars: CHAR.newline,
      places: ['body'],
      attacks: ['x\r\nSet-Cookie: a=b', 'x\nLocation: //evil.example', '\r\nHTTP/1.1 200 OK'],
      benign: ['hello\nLocation: Berlin', 'curl -v shows\nContent-Length: 5'],
    },
  ),
  // Redis and memcached read commands line by line.
  pattern(
    'crlf/store-command',
    /[\r\n]\s{0,2}(?:flush_?(?:all|db)\s{0,2}(?:[\r\n]|$)|bg(?:save|rewriteaof)\s{0,2}(?:[\r\n]|$)|(?:hm?set|setex|setnx|[lr]push|[sz]add|mset|getset)\s{1,4}[\w:.-]{1,64}\s{1,4}\S{1,200}|script\s{1,4}(?:load|flush|kill)\b|debug\s{1,4}(?:segfault|sleep|reload)\b|client\s{1,4}(?:list|kill|pause)\b|migrate\s{1,4}[\w.-]{1,64}\s{1,4}\d|config\s{1,4}(?:get|rewrite)\s|eval\s{1,4}[\x22']|evalsha\s|(?:incr|decr|delete|touch)\s{1,4}[\w:.-]{1,64}(?:\s{1,4}\d{1,9})?\s{0,2}[\r\n]{1,2}$|(?:slaveof|replicaof)\s{1,4}[\w.-]{1,64}\s{1,4}\d|config\s{1,4}set\s{1,4}(?:dir|dbfilename)\s|(?:set|add|replace|append|prepend)\s{1,4}[^\s]{1,64}\s{1,4}\d{1,6}\s{1,4}\d{1,6}\s{1,4}\d{1,6}\s{0,2}[\r\n]|module\s{1,4}load\s{1,4}\/)|\*\d{1,3}\r?\n\$\d{1,4}\r?\n/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.newline,
      attacks: ['\r\nFLUSHALL\r\n', '*1\r\n$8\r\nflushall', 'x\r\nset x 0 0 1\r\na', '\r\nslaveof x 6379'],
      benign: ['a\nset of 5', 'one\nflush all pipes', '*1\nfirst note'],
    },
  ),
  // The same as people write it by hand, behind one word.
  pattern(
    'crlf/store-line',
    /^[^\s]{0,120}[\r\n]{1,2}(?:SET\s\S{1,64}\s\S{1,200}|(?:AUTH|KEYS|DEL|TYPE|GET)\s[^\s/]{1,64}|SAVE|INFO|MULTI|SHUTDOWN|MONITOR)\s{0,2}(?:[\r\n]|$)/,
    {
      score: 5,
      quotable: true,
      exactCase: true,
      atStart: true,
      chars: CHAR.newline,
      attacks: ['x\r\nSET a b\r\nSAVE\r\n', 'x\r\nKEYS *\r\n', '\nAUTH secret\n'],
      benign: ['hello\nset the table', 'a b\nSET a b', 'x\nGET /path'],
    },
  ),
  pattern(
    'crlf/smuggled-request',
    /[\r\n]\s{0,2}(?:get|post|head|put|delete|options|connect|patch|trace|propfind|track|move|copy|lock|unlock)\s{1,4}[^\s]{1,120}\s{1,4}http\/\d/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.newline,
      attacks: ['a\r\nGET /admin HTTP/1.1'],
      benign: ['a\nget / post'],
    },
  ),
]
