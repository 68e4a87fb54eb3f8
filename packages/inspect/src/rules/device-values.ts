import { pattern, type Rule, type Span } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import type { Reading } from '../value/reading.ts'
import { FETCHED } from '../value/value-setting.ts'
import { WORD } from '../value/words.ts'
import { ANYWHERE, LOOK } from './remote-commands.ts'

/** Nothing but base64 where a shell puts in what a command prints. */
const CODED = /^[^\s`$]{0,24}(?:`|\$\()\s{0,2}([A-Za-z0-9+/]{6,400}={0,2})\s{0,2}[`)][^\s`$]{0,24}$/
/** A line for a shell: a program by its path, or one that is started first. */
const LINE_OF_SHELL =
  /^\s{0,4}(?:\/(?:usr\/)?s?bin\/\w|(?:ba|da|z)?sh\s|(?:curl|wget|nc|ncat|busybox|tftp|telnetd|ping|cat|echo|chmod|rm|python\d?|perl|php)\s|(?:id|whoami|reboot|ls)\s{0,2}(?:[;|&>]|$))/

/** A command in base64 where one is to be run: what fetches the value from a device undoes it. */
function findCodedSubstitution({ text, fromStart }: Reading): Span | undefined {
  const found = fromStart ? CODED.exec(text) : null
  if (found === null) return undefined
  const line = Buffer.from(found[1] as string, 'base64').toString('latin1')
  return LINE_OF_SHELL.test(line) ? { start: 0, end: text.length } : undefined
}

const FROM_ANYWHERE = new RegExp(
  `^\\s{0,2}(?:(?:https?|ftp):\\/\\/)?${ANYWHERE}(?::\\d{1,5})?(?:\\/|\\s{0,2}$)`,
)

/** What a program that a list names is to fetch, from an address by numbers. */
function findFetchedItem(reading: Reading): Span | undefined {
  const { lower } = reading
  if (!FROM_ANYWHERE.test(lower) || reading.name !== FETCHED) return undefined
  return { start: 0, end: lower.length }
}

/** A program where anybody may leave one, and a script by its path. */
const LEFT =
  '(?:\\/(?:tmp|var\\/tmp|dev\\/shm)\\/[\\w.-]{1,60}|(?:\\/[\\w.-]{1,30}){1,6}\\.(?:sh|py|pl|elf|bin|rb)|\\.\\/[\\w.-]{1,40}\\.(?:sh|elf|bin))'

/** What programs of devices and old pages hand on to a shell, or take apart themselves. */
export const deviceValueRules: readonly Rule[] = [
  {
    id: 'rce/coded-substitution',
    family: 'rce',
    score: 5,
    quotable: false,
    atStart: true,
    chars: CHAR.backtick | CHAR.dollar,
    words: 0,
    places: ['query', 'body', 'cookie', 'header'],
    needs: [CODED],
    find: findCodedSubstitution,
    attacks: ['`L2Jpbi9zaCAtYyBpZA==`', '$(d2dldCBodHRwOi8vYS8=)', 'x`Y3VybCBh`y'],
    benign: ['`useEffect`', '`c2FsdXRhdGlvbnM=`', '$(document)', '`AbstractFactoryBean`'],
  },
  {
    id: 'rce/fetched-item',
    family: 'rce',
    score: 5,
    quotable: false,
    atStart: true,
    chars: 0,
    words: WORD.host,
    places: ['body'],
    needs: [FROM_ANYWHERE],
    find: findFetchedItem,
    // By what stands before it in a list: the cases are in `test/command-places.test.ts`.
    attacks: [],
    benign: ['http://198.51.100.7/x', 'http://10.0.0.1/x'],
  },
  pattern(
    'rce/left-program',
    new RegExp(
      `(?<!\\/[\\w.-]{1,60}\\s{0,2})[;|&]\\s{0,2}${LEFT}(?=\\s{0,2}(?:[;|&#>\`"')]|$))|^[^\\s\`]{0,60}(?:\`|\\$\\()\\s?${LEFT}(?:[\\s>][^\`)\\n]{0,60})?[\`)][^\\s\`]{0,60}$`,
    ),
    {
      score: 5,
      quotable: true,
      chars: CHAR.semicolon | CHAR.pipe | CHAR.ampersand | CHAR.backtick | CHAR.dollar,
      attacks: ['x|/tmp/x.sh', '`/tmp/x.sh`', 'a";/tmp/x;#', '$(/opt/a/run.py >/tmp/o)', '&./x.sh'],
      benign: ['see `/tmp/x.log` for more', '/tmp/x; /tmp/y', 'a & /tmp/x is', '(/tmp/x)', 'a;/opt/x'],
    },
  ),
  // A command whose output goes into a file, where what it prints is put in: nothing is printed then.
  pattern(
    'rce/written-substitution',
    /^["']?(?:`|\$\()\s?[a-z][\w./-]{0,40}(?:\s[^`)\n]{0,80})?(?<![=-])>{1,2}\s?\/[\w./-]{1,80}\s?[`)]["']?$/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      chars: CHAR.backtick | CHAR.dollar,
      attacks: ['"`ls > /tmp/d`"', '$(hostname>/www/x)'],
      benign: ['`a -> /b`x', '`Map<K, V>`', '`x => /re/`', '$(a) > /b'],
    },
  ),
  // A program for an interpreter, as the whole of a value.
  pattern(
    'rce/interpreter-code',
    /^\s{0,4}(?:\/(?:usr\/)?(?:local\/)?bin\/)?(?:php|perl|python\d?(?:\.\d{1,2})?|ruby|node|lua)\s{1,4}-{1,2}(?:r|e|c|eval|run)\s{0,4}["']?[^\n]{0,120}?(?:\b(?:system|exec|passthru|shell_exec|popen|spawn|eval)\s?\(|\bos\.|\bsubprocess\.|child_process|\bsocket\b)/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      words: WORD.shell,
      places: ['query', 'form', 'cookie', 'header'],
      attacks: [`php -r 'system("ls")' #`, 'python3 -c "import os;os.listdir()"', "perl -e 'exec(q(x))'"],
      benign: ['php -r', "python -c 'print(1)'", 'node --eval 1+1', 'ruby -e "puts 1"'],
    },
  ),
  // A call that starts a program, inside of what a program that draws or counts is to evaluate.
  pattern(
    'code/inner-start',
    /[:[;,={]\s{0,2}(?:php\s{1,2})?(?:system|popen|passthru|shell_exec|proc_open)\s?\(\s?\\?["'][^"'\n]{1,120}\\?["']\s?\)/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.paren,
      words: WORD.php,
      attacks: ["[33:system('hostname')]", "{php system('ls')}", '0,popen("x")'],
      benign: ['system("x")', 'file system ("x")', 'a system (see: "x")'],
    },
  ),
  // What a program that takes arguments replaces by the lines of a file.
  pattern(
    'traversal/argument-file',
    /^\s{0,4}(?:[\w-]{1,24}\s)?@\/(?:etc|proc|root|var|home|opt|sys)\/[\w.-]/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      chars: CHAR.at,
      words: WORD.file,
      places: ['query', 'form', 'cookie', 'header', 'body'],
      attacks: ['@/etc/issue', 'connect-node @/proc/version'],
      benign: ['ann@/etc', '@/components/etc', '@ann /etc/x', 'curl -d @/etc/x now'],
    },
  ),
  // What a server puts into the environment of a program, between separators (RFC 3875 section 4.1).
  pattern(
    'rce/server-variable',
    /[;|&`]\s{0,2}\$\{?(?:HTTP_[A-Z_]{2,40}|QUERY_STRING|PATH_INFO|REMOTE_USER|REQUEST_URI)\}?\s{0,2}(?:[;|&`'"]|$)/,
    {
      score: 5,
      quotable: true,
      exactCase: true,
      chars: CHAR.dollar,
      attacks: ["';$HTTP_USER_AGENT;'", '|${HTTP_X_CMD}', '`$QUERY_STRING`'],
      benign: [
        '$http_user_agent',
        'if ($http_cookie ~ x)',
        "log '$remote_user [$time_local]'",
        '; $http_host is',
        "'$remote_addr | $http_user_agent | $status'",
      ],
    },
  ),
  // Perl opens a pipe for a name that begins or ends with one.
  pattern('rce/pipe-first', new RegExp(`^\\s{0,2}\\|\\s{0,2}${LOOK}\\s{0,2};`), {
    score: 5,
    quotable: true,
    atStart: true,
    chars: CHAR.pipe,
    words: WORD.shell,
    attacks: ['|id;|x.txt', '| whoami;'],
    benign: ['| id | name |', '|identity;'],
  }),
  // The option of a shell and its program, in a list that is written as one text.
  pattern('rce/option-list', new RegExp(`^\\s{0,2}-c\\s?[;,|]\\s?${LOOK}\\s{0,2}$`), {
    score: 5,
    atStart: true,
    chars: CHAR.semicolon | CHAR.pipe | CHAR.space,
    words: WORD.shell,
    attacks: ['-c;id', '-c|whoami', '-c, uname -a'],
    benign: ['-c', '-c;idle', '-cid', 'x -c, id'],
  }),
  // A call of Perl that takes a variable, and the rest of the line commented out.
  pattern('code/perl-variable', /[,;]\s{0,2}(?:system|exec|eval)\s{0,2}\$\w{1,16}\s{0,2}(?:#|;)/, {
    score: 5,
    quotable: true,
    chars: CHAR.dollar,
    words: WORD.process,
    attacks: ['-r$x="ls /",system$x# 2>x', ';exec $c;'],
    benign: ['system $5', 'x; system $HOME is', 'exec $x'],
  }),
  // Clients that read orders by lines start a shell behind the mark.
  pattern(
    'rce/line-escape',
    new RegExp(
      `[\\r\\n]\\s{0,2}!\\s{0,2}(?:${LOOK}|\\/(?:usr\\/)?s?bin\\/\\w{1,20})(?:\\s[^\\n]{0,80})?(?:[\\r\\n]|$)`,
    ),
    {
      score: 5,
      quotable: true,
      chars: CHAR.bang,
      words: WORD.shell,
      attacks: ['-o /x -n y\n!id\n', 'a\n! /bin/sh'],
      benign: ['a\n!important', 'x\n! identify', '!id'],
    },
  ),
]
