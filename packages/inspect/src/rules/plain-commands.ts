import { pattern, type Rule, type Span } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import type { Reading } from '../value/reading.ts'
import { WORD } from '../value/words.ts'
import { LOOK } from './remote-commands.ts'

/** Names of one machine, or of what a device has to know of its network. */
const ONE_HOST =
  /(?:^|[._[-])(?:host|hostname|ip|ip_?addr(?:ess)?|ping_?(?:addr|host|ip)?|target_?(?:addr|host|ip)?|domain|dest(?:ination)?|addr(?:ess)?|server_?(?:addr|ip)?|gateway|netmask|dns\d?|ntp_?server\w{0,8}|iface|ifname|time_?zone|id)\]?$/
const SEPARATOR_FIRST =
  /^\s{0,2}(?:[;|]|&{1,2}|\|\||\n)\s{0,4}(?:[a-z][\w+.-]{1,24}|\/(?:[\w.-]{1,24}\/){0,4}[\w.-]{1,24})(?:\s[^\n=]{0,120})?\s{0,2}[;|&#]?\s{0,2}$/

const NEXT_LINE = /^\s{0,2}\n/
/**
 * A sentence behind an empty line, as translations have it. PowerShell and macOS start programs whatever
 * their case: a word alone, what is given an address, a path or a switch, and what no sentence begins with
 * count. No letter is a space too (U+2003): each could be read in two ways.
 */
const SENTENCE =
  /^\s{0,2}\n\s{0,4}(?!(?:curl|wget|iex|iwr|irm|gci|whoami|ipconfig|ifconfig|ping|nslookup|netstat|powershell|pwsh|cmd|bash|sh|python|perl|ruby|php|node|id|ls|ps|cat|rm|env|dir|del|uname|hostname)\b)[a-z\u00df-\u167f\u1681-\u1fff\u2c00-\u2fff\u3001-\ufefe\uff00-\uffff'\u2019]{2,24}(?::\s{0,4}$|,?\s{1,2}(?:[a-z\u00df-\u167f\u1681-\u1fff\u2c00-\u2fff\u3001-\ufefe\uff00-\uffff'\u2019",:!?%<>]{1,40}\.{0,3}(?:\s{1,2}|$)){1,40}$)/
const CAPITAL = /^\s{0,2}\n\s{0,4}[A-Z][a-z]/
/** Where a translation stands. */
const TRANSLATED = /(?:^|[._-])target\]?$/
/** One word with a dot or a digit: a host, a number. */
const PASTED = /^\s{1,8}[a-z][\w+-]{0,24}[.\d][\w.+-]{0,60}\s{0,2}$/
/** Where people live, whose lines may begin with an empty one. */
const PLACE = /(?<!ip_?|mac_?|server_?)(?:addr(?:ess)?|dest(?:ination)?)\]?$/

const LONGEST = 256

/** Nothing but a separator and what is run behind it, where one host or number belongs. */
function findSeparatorFirst(reading: Reading): Span | undefined {
  const { fromStart, text, place, lower } = reading
  if (!fromStart || text.length > LONGEST || place === 'name') return undefined
  // Last, for a text of which a rule has read the name is looked at again under every other name.
  if (!SEPARATOR_FIRST.test(lower) || !ONE_HOST.test(reading.name)) return undefined
  if (CAPITAL.test(text) && SENTENCE.test(lower) && TRANSLATED.test(reading.name)) return undefined
  if (NEXT_LINE.test(lower) && (PLACE.test(reading.name) || PASTED.test(lower))) return undefined
  return { start: 0, end: lower.length }
}

/** Functions of GNU make, and what scripts call `$` with. */
const NO_PROGRAM =
  '(?!(?:wildcard|shell|subst|patsubst|call|foreach|filter|filter-out|sort|dir|notdir|basename|addprefix|addsuffix|if|or|and|error|warning|info|eval|strip|words?|wordlist|firstword|lastword|value|origin|abspath|realpath|suffix|join|file|findstring|let|intcmp|flavor|guile|this|document|window|function|not)\\b)'

const RUN_NAME = /^(?:\w{0,16}cmd|exec|execute|command|shell|sh|cmdline|run|system|syscommand)$/
/** A program with what only a program is given, as the whole of a value. */
const GIVEN =
  /^\s{0,2}(?:(?:python\d?|perl|ruby|php)\s{1,2}(?:-[cer]\s{1,2}\S|[\w./-]{1,60}\.(?:py|pl|rb|php|sh)\b)|(?:powershell|pwsh)(?:\.exe)?\s{1,2}\S|cmd(?:\.exe)?\s{1,2}\/[a-z]\b|(?:ssh|scp|sftp)\s{1,2}(?:-\w{1,2}\s{1,2})?[\w.-]{1,40}@[\w.-]{1,60}|(?:wmic|nltest|dsquery|netsh|schtasks|sc|reg|arp|route|gpresult|query|netstat|nbtstat|tasklist|net1?)\s{1,2}(?:\/\w|-\w|process|service|user\b|computer|group|view|query|print|os\b|start\s)|certutil\s{1,2}[-/]\w|(?:copy|move|del|type|dir|xcopy|robocopy)\s{1,2}(?:\/\w\s|\\\\|[a-z]:|%\w)|(?:curl|wget|nc|ncat|telnet)\s{1,2}[\w./:-]{1,120}(?:\s{1,2}[\w./:-]{1,60}){0,3})\s{0,2}[^\n]{0,160}$/

/** Such a program in an address, under a name that says that it is run: no page links to one. */
function findGivenProgram(reading: Reading): Span | undefined {
  if (!reading.fromStart || !GIVEN.test(reading.lower) || !RUN_NAME.test(reading.name)) return undefined
  return { start: 0, end: reading.lower.length }
}

/** Shares are named by such words, and what they do by others: `$AAPL head and shoulders`. */
const NO_NEWS = '(?!\\s{0,4}(?:\\$[a-z]{1,6}\\s{1,3}){1,8}[a-z]{2,6}\\s{1,3}[a-z]{1,24}(?:[\\s,.;:!?]|$))'

/** Commands by the grammar around them, whatever the program is called. */
export const plainCommandRules: readonly Rule[] = [
  {
    id: 'rce/separator-first',
    family: 'rce',
    score: 5,
    quotable: false,
    atStart: true,
    chars: CHAR.semicolon | CHAR.pipe | CHAR.ampersand | CHAR.newline,
    words: 0,
    places: ['query', 'body', 'cookie'],
    needs: [SEPARATOR_FIRST],
    find: findSeparatorFirst,
    // By the name of the parameter: the cases are in `test/plain-commands.test.ts`.
    attacks: [],
    benign: [';jps', '|name', '&a'],
  },
  {
    id: 'rce/given-program',
    family: 'rce',
    score: 5,
    quotable: false,
    atStart: true,
    chars: 0,
    words: WORD.shell,
    places: ['query'],
    needs: [GIVEN],
    find: findGivenProgram,
    // By the name of the parameter: the cases are in `test/plain-commands.test.ts`.
    attacks: [],
    benign: ['python x.py', 'cmd /r dir'],
  },
  // The whole value is what a program prints, or what a file holds.
  pattern(
    'rce/whole-substitution',
    new RegExp(
      `^[\\w.:-]{0,32}\\$\\(\\s{0,2}${NO_PROGRAM}[a-z][\\w-]{1,16}\\s{1,4}[\\w./$~-]{1,60}(?:\\s[^()\\n]{0,80})?\\)\\s{0,2}$|\\$\\(\\s?<\\s?[\\w./~-]{1,60}\\s?\\)`,
    ),
    {
      score: 5,
      quotable: true,
      chars: CHAR.dollar,
      places: ['query', 'form', 'cookie', 'header'],
      attacks: ['$(md5sum x)', 'a.example$(xxd /tmp/x)', '$(<flag)', 'x$(< /tmp/a)'],
      benign: [
        '$(wildcard *.c)',
        '$(this) find',
        '$(CC) -o a',
        '$(Build.BuildId)',
        "$('#a b')",
        '$(5 off)',
        'compute $(md5sum file) in bash',
        '$(document).ready',
      ],
    },
  ),
  pattern(
    'rce/service-state',
    /[;|&]\s{0,4}(?:service\s{1,4}(?:--status-all\b|[\w.-]{1,40}\s{1,4}(?:status|start|stop|restart|reload)\s{0,2}(?:[;|&#]|$))|systemctl\s{1,4}(?:-{1,2}\w[\w-]{0,20}\s{1,4})?(?:status|start|stop|restart|enable|disable|list-units)\b)/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.semicolon | CHAR.pipe | CHAR.ampersand,
      words: WORD.shell,
      places: ['query', 'form', 'cookie', 'header', 'path'],
      attacks: ['127.0.0.1 && service mysql status', ';service --status-all', 'x|systemctl stop a'],
      benign: ['food & service', 'room; service starts at 5', '& service team status report'],
    },
  ),
  // A file of the system by a pattern with stars, given to what shows it.
  pattern(
    'rce/starred-file',
    /\b(?:cat|head|tail|less|more|nl|tac|rev|od|xxd|strings|base64|grep\s{1,4}\S{1,24})\s{1,4}\/(?=[\w?*[\]-]{0,24}[?*])[\w?*[\]-]{1,24}\/[\w?*[\]./-]{1,40}/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.slash,
      words: WORD.shell,
      attacks: ['cat /e*c/p*d', ';head /e??/passwd', 'nl /*/passwd'],
      benign: ['cat /etc', 'cat */x', 'cat a/*/b', 'more /home/*'],
    },
  ),
  // Variables that nobody set are nothing to a shell, and hide what stands behind them.
  pattern(
    'rce/unset-words',
    new RegExp(
      `(?:[|&]|;(?! )|(?:^|; |\\n)${NO_NEWS})\\s{0,4}(?:\\$\\{?[a-z_]\\w{0,11}\\}?\\s{1,3}){1,8}(?:cat|ls|id|whoami|uname|wget|curl|nc|ncat|bash|sh|ping|rm|head|tail|python\\d?|perl|php)\\s{1,3}[$/\\w.-]`,
    ),
    {
      score: 5,
      quotable: true,
      chars: CHAR.dollar,
      words: WORD.shell,
      places: ['query', 'form', 'cookie', 'header', 'path'],
      attacks: [';$a $a cat $a $at test.txt', '|$u $u wget x', '$u $u cat /x', '\n$u cat $u /x'],
      benign: [
        '$sudo is cat',
        'costs $5 cat food',
        '$a cat',
        '$aapl head and shoulders pattern',
        'up:\n$tsla $gme head fake',
        '$eth fell; $btc head to 100k',
      ],
    },
  ),
  // What shows an intruder where he is, and an end of the command behind which anything may follow.
  pattern('rce/look-ended', new RegExp(`^\\s{0,2}(?!id\\b)${LOOK}\\s{0,2}(?:;|&&|\\|\\|)\\s{0,2}\\S`), {
    score: 5,
    quotable: true,
    atStart: true,
    chars: CHAR.semicolon | CHAR.ampersand | CHAR.pipe,
    words: WORD.shell,
    places: ['query', 'form', 'cookie', 'header'],
    attacks: ["whoami;0'0'", 'ifconfig&&ls', 'uname -a||x'],
    benign: ['whoami', 'identity;a'],
  }),
]
