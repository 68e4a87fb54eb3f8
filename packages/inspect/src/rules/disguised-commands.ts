import { isTellingCommand, looksAround } from '../lex/shell-words.ts'
import { pattern, type Rule, type Span } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import type { Reading } from '../value/reading.ts'
import { WORD } from '../value/words.ts'

/**
 * Where a shell begins a command in the middle of a line: behind a separator, or inside of a substitution. A
 * backtick behind a space sets code in Markdown.
 */
const SEPARATED = '(?:[;|&]|(?<=\\w)`|\\$\\()\\s{0,4}'
/** The same, or at the start of one. */
const BEGINS = `(?:(?:^|\\n)\\s{0,4}|${SEPARATED})`

/** Programs that braces call at the start of a command (bash(1), "Brace Expansion"). */
const IN_BRACES =
  'cat|sleep|ping6?|nslookup|dig|echo|printf|nc|ncat|wget|curl|python\\d?|perl|bash|rm|chmod|uname|telnet|socat|busybox'
/** Those that are names of fields and functions as well: lists of these stand in lines of their own. */
const ALSO_NAMES = 'ls|id|host|ruby|php|node|sh|mv|cp|touch|tar|find|tail|head|sed|awk|tee|env|kill'

/** A word with quotes in its middle, and arguments. */
const QUOTED_WORD = /^\s{0,4}([a-z]{1,12}(?:(['"])[a-z]{0,12}\2[a-z]{0,12}){1,6})(?<!''|"")(?=\s|$)/

/** Whether a command says something where nothing else is given to it. */
function isTold(word: string): boolean {
  return word.length > 1 && (looksAround(word) || isTellingCommand(word))
}

/** Commands whose name a shell puts together first, so that no list of names knows them. */
export const disguisedCommandRules: readonly Rule[] = [
  // Its letters as numbers: `$'\x69\x64'` (bash(1), "QUOTING").
  pattern(
    'rce/escaped-word',
    new RegExp(`${BEGINS}\\$'(?:\\\\x[\\da-f]{2}|\\\\[0-7]{2,3}|\\\\u[\\da-f]{4}){2}`),
    {
      score: 5,
      quotable: true,
      chars: CHAR.backslash,
      attacks: ["x;$'\\x69\\x64'", "x\n$'\\151\\144'", "a$($'\\u0069\\u0064')"],
      benign: ["$'\\n'", "it cost $'5'", "x = $'\\x69\\x64'"],
    },
  ),
  // What was given a name a moment before is run by it.
  pattern(
    'rce/assigned-command',
    /(?:^|[;|&\n('"]|(?<=\w)`)\s{0,4}([a-z_]\w{0,15})=(?!=)(?:"[^"\n]{1,80}"|'[^'\n]{1,80}'|[^\s;&|]{1,64})\s{0,2}(?:;|&&?|\n)[^\n]{0,100}?(?<=[;|&\n]\s{0,4})\$\{?\1\b/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.dollar,
      attacks: [
        'x;a="ls -l";${a,,}',
        'x;a=i;b=d;$a$b',
        'x=id&&$x',
        'x|a="ID";${a,,}',
        '1\nc=cat\n$c /etc/hosts',
      ],
      benign: ['$a=1; $b=$a; echo $b', 'a=1; b=$a', 'price=5;total=$5', 'a=b;${c}'],
    },
  ),
  // A string as the input of a filter that makes a command of it (bash(1), "Here Strings").
  pattern(
    'rce/filtered-command',
    new RegExp(`${SEPARATED}[a-z]\\w{1,10}\\b[^()\\n;|&\`]{0,40}<<<\\s{0,2}["'$\\w]`),
    {
      score: 5,
      quotable: true,
      chars: CHAR.less,
      attacks: ["x;$(tr A-Z a-z<<<'ID')", 'x`rev<<<di`', '1;bash<<<id'],
      benign: ['see <<<here', 'x; y <<< z', 'a <<<b', 'type `bc <<< "1+1"` for it'],
    },
  ),
  // Quotes in its middle, which a shell drops: `w'h'oami`.
  {
    id: 'rce/quoted-word',
    family: 'rce',
    score: 5,
    quotable: true,
    chars: CHAR.apostrophe | CHAR.quote,
    words: 0,
    atStart: true,
    needs: [QUOTED_WORD],
    find({ lower, fromStart }: Reading): Span | undefined {
      const [whole, word] = (fromStart ? QUOTED_WORD.exec(lower) : null) ?? []
      if (whole === undefined || word === undefined || !isTold(word.replace(/["']/g, ''))) return undefined
      return { start: 0, end: whole.length, bare: true }
    },
    attacks: ["w'h'o'am'i", 'wh""oami', "un'am'e -a"],
    benign: ["rock'n'roll", "d'n'd", "the 'id'", '"id"', "O'Brien's", "l'''", "id''"],
  },
  // Arguments without a space.
  pattern(
    'rce/brace-call',
    new RegExp(`(?:${BEGINS}\\{(?:${IN_BRACES})|${SEPARATED}\\{(?:${ALSO_NAMES})),[^{}\\s]{1,120}\\}`),
    {
      score: 5,
      quotable: true,
      chars: CHAR.brace,
      words: WORD.shell,
      attacks: ['x;{sleep,5}', '127.0.0.1|{nslookup,x.example}', 'x`{echo,1}`', '1\n{cat,/a}', '1;{id,-u}'],
      benign: ['a|{b,c}', '{cat, dog}', '{id,name}', 'user\n{host,port}', 'set `{echo,1}` so', 'x{cat,y}'],
    },
  ),
  // A substitution in a substitution, of one of the programs that intruders look around with.
  pattern(
    'rce/doubled-substitution',
    /\$\(\s{0,2}`\s{0,2}(?:id|ls|dir|cat|pwd|whoami|uname|hostname|ifconfig|ipconfig|sleep|ping|curl|wget|nslookup|nc|echo|printenv)\b[^`\n]{0,120}`\s{0,2}\)/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.backtick,
      words: WORD.shell,
      attacks: ['$(`dir`)', '$(`cat /etc/passwd`)', 'x$( `id` )'],
      benign: ['$(`#${id}`)', '$(`div`)', 'see `ls` (listing)'],
    },
  ),
  // The line break as it is written in a string, for a program that writes the value into one.
  pattern(
    'rce/written-newline',
    /^[;|&]{0,2}\s?(?:\\r)?\\n\s{0,2}(?:(?:\/usr)?\/s?bin\/)?(?:id|whoami|uname|ls|cat|pwd|ifconfig)(?:\s[-/][\w/-]{1,40})?\s?(?:\\n|[;|&])\s{0,2}$|^[\w.-]{0,24}[;|&]{1,2}\s?(?:(?:\/usr)?\/s?bin\/)?(?:id|whoami|uname)(?:\\r)?\\n\s{0,2}$/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      chars: CHAR.backslash,
      attacks: [
        '\\nid|',
        '\\n/usr/bin/id\\n',
        'a;id\\n',
        '\\n/bin/ls -al\\n',
        '|\\r\\nwhoami;',
        ';/usr/bin/id\\n',
      ],
      benign: ['name\\nid\\n', '\\nid: 5\\n', 'id\\n', 'a;ids\\n'],
    },
  ),
]
