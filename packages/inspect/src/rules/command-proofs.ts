import { pattern, type Rule } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import { WORD } from '../value/words.ts'

/**
 * Commands with which an intruder proves that a program runs what it is sent, as the whole of a value: they
 * break out of nothing, and no user of an application sends them.
 */
export const commandProofRules: readonly Rule[] = [
  // A command in braces has no spaces, and Java starts programs by splitting at spaces.
  pattern(
    'rce/brace-pipe',
    /\{(?:echo|base64|bash|sh|cat|curl|wget|printf),[^{}\s]{1,400}\}\s{0,2}\|\s{0,2}\{(?:base64|bash|sh|xxd|openssl|tr),/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.brace,
      words: WORD.shell,
      attacks: ['bash -c {echo,aWQ=}|{base64,-d}|{bash,-i}'],
      benign: ['{echo,x}', '{a,b}|{c,d}', 'cp {bash,sh}.1 | {x}'],
    },
  ),
  pattern(
    'rce/look-into-file',
    /^\s{0,4}(?:id|whoami|uname(?:\s-[a-z]{1,4})?|ifconfig|ipconfig(?:\s\/all)?|printenv|systeminfo)\s{0,2}>{1,2}\s{0,2}(?:[/\\~]|\.\.?[/\\]|[a-z]:|[\w-]{1,24}\.(?:txt|log|php\d?|html?|jspx?|aspx?)\s{0,4}$)/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      words: WORD.shell,
      attacks: ['id > /tmp/x', 'whoami>..\\webapps\\a.txt', 'uname -a >> x.php'],
      benign: ['id > 5', 'id >', 'whoami > what am I', 'hostname > /etc/hostname'],
    },
  ),
  // A shell that is asked who it is, and leaves the answer in a file.
  pattern(
    'rce/told-shell',
    /\b(?:ba|da|z|k)?sh\s{1,4}-c\s{1,4}["']?(?:id|whoami|uname(?:\s-[a-z]{1,3})?|ifconfig)\s{0,2}>{1,2}\s{0,2}[/.~]/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.greater,
      words: WORD.shell,
      attacks: ['bash -c id >/tmp/x', "sh -c 'whoami > /var/www/a.txt'"],
      benign: ['sh -c id', "bash -c 'make > log'", 'bash -c id > a'],
    },
  ),
  // Health checks of containers have such files as well, in documents.
  pattern(
    'rce/proof-file',
    /^\s{0,4}(?:\/(?:usr\/)?bin\/)?touch\s{1,4}\/(?:tmp|var\/tmp|dev\/shm|var\/www)\/[\w./-]{1,60}\s{0,4}$/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      chars: CHAR.slash,
      words: WORD.shell,
      attacks: ['touch /tmp/success', '/bin/touch /dev/shm/a'],
      benign: ['touch /tmp', 'touch it', 'I touch /tmp/a'],
    },
  ),
  // Settings of git that name a program to run (git-config(1)), given to it in a request.
  pattern(
    'rce/git-setting',
    /^\s{0,4}(?:-c\s{0,4}|--config[= ])?(?:core\.(?:sshcommand|fsmonitor|gitproxy)|uploadpack\.packobjectshook|diff\.external|protocol\.ext\.allow|alias\.[\w-]{1,24}\s{0,2}=\s{0,2}["']?!)(?:(?<=!)\s{0,2}\S|\s{0,2}=\s{0,2}[^\s=])/,
    {
      score: 5,
      atStart: true,
      quotable: true,
      words: WORD.process,
      attacks: [
        'core.sshCommand=touch /tmp/x',
        '-c core.fsmonitor=id',
        'protocol.ext.allow=always',
        'alias.x=!id',
      ],
      benign: [
        'core.sshCommand',
        'core.editor=vim',
        'alias.co=checkout',
        'the core.fsmonitor=true setting',
        'core.fsmonitor is unset; set it',
      ],
    },
  ),
  // A command behind a pipe that nothing is piped into.
  pattern(
    'rce/piped-proof',
    /^\s{0,2}['"]?\|{1,2}\s{0,2}(?:echo|printf|expr)\s{1,4}[^|\n]{1,120}(?:\|\|['\x22]?)?\s{0,2}$|^[\w.-]{0,40}\|(?:echo|printf)\s{1,4}[^|\s]{1,60}\|$/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      chars: CHAR.pipe,
      words: WORD.shell,
      attacks: ['|echo q8x2;#', '| echo a${b}c', '|| printf x', `'|expr 1 + 2||'`, 'x|echo q8x2|'],
      benign: ['| echo | prints |', 'a | echo b', 'cat|echo'],
    },
  ),
  // Behind an address, or the end of a string, at the start of a value.
  pattern(
    'rce/behind-address',
    /^\s{0,2}(?:(?:-[a-z]\s{1,2}(?:\d{1,4}\s{1,2})?){0,4}(?:\d{1,3}\.){3}\d{1,3}\s{0,2}(?:;|\|{1,2}|&{1,2}|`)|["']\s{0,2};)\s{0,4}(?:echo|cat|id|ls|ping|wget|curl|sh|bash|nc|whoami|uname|sleep|telnetd|busybox|reboot|touch|rm|ifconfig|nslookup|printf)(?:\s{1,4}[\w"'$`/.-]|\s{0,2}[;|&`)]|$)/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      chars: CHAR.semicolon | CHAR.pipe | CHAR.ampersand | CHAR.backtick,
      words: WORD.shell,
      attacks: [
        '12.12.12.12; echo pwn3d',
        '1.1.1.1|id',
        '"; echo "admin',
        "'; ls -la",
        '1.1.1.1&id',
        '1.1.1.1`id`',
        '-c 1 127.0.0.1|ls /',
      ],
      benign: ['10.0.0.1; host', '8.8.8.8 & dns', '"; echoes of the past', '1.2.3.4 | sleeping'],
    },
  ),
  // A file that is looked into, and a second command of nobody but an intruder.
  pattern(
    'rce/look-and-tell',
    /^\s{0,2}(?:cat|head|tail|type|more|less)\s{1,4}[\w.~-]{0,40}\/[\w./~-]{1,80}\s{0,2}(?:;|&&|\|\|)\s{0,2}(?:echo|id|ls|cat|whoami|pwd|uname|exit)\b/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      words: WORD.shell,
      attacks: ['cat var/passwd; echo end', 'head ./conf/db.php && id'],
      benign: ['cat and dog; echo', 'cat a/b', 'cat food/water; ecology'],
    },
  ),
  // A file that is made, then run: `printf ... > x; chmod +x x; x`.
  pattern(
    'rce/made-and-run',
    /\bchmod\s{1,4}(?:\+x|0?[0-7]{3})\s{1,4}((?:\.{0,2}\/)[\w./-]{1,80})\s{0,4}(?:;|&&?)\s{0,4}\1(?![\w./-])/,
    {
      score: 5,
      quotable: true,
      words: WORD.shell,
      attacks: ['printf x >> ./a ; chmod +x ./a ; ./a &', 'chmod 777 /tmp/q && /tmp/q'],
      benign: ['chmod +x ./gradlew && ./gradlew2', 'chmod +x ./a; ./b', 'chmod +x a'],
    },
  ),
  pattern(
    'rce/printed-file',
    /^\s{0,2}printf\s{1,4}[^\s;|&>]{1,120}\s{0,4}>{1,2}\s{0,4}[\w./~-]{1,80}\s{0,4}$/,
    {
      score: 5,
      bare: true,
      quotable: true,
      atStart: true,
      words: WORD.shell,
      attacks: ['printf a%%b > c', "printf '\\177ELF' >> /tmp/x"],
      benign: ['printf a', 'printf > 5 times a day'],
    },
  ),
  // At the end, behind whatever is written before it.
  pattern(
    'rce/last-look',
    /(?:;|\|{1,2}|&&)\s{0,2}(?:(?:whoami|ifconfig|ipconfig|printenv|systeminfo|uname\s{1,2}-a|echo\s{1,2}\d{3,20})\s{0,2}(?:$|[;|&#\n])|id\s{1,4}#\s{0,2}$)/,
    {
      score: 5,
      quotable: true,
      words: WORD.shell,
      chars: CHAR.semicolon | CHAR.pipe | CHAR.ampersand,
      attacks: ['hello there;whoami', 'an address && ifconfig', 'a b | whoami', 'b;id #', 'a;echo 12345'],
      benign: ['name;id', 'whoami', 'and; whoami is a command', 'a; ifconfig or ip'],
    },
  ),
  // A line of its own: a program that starts others by the line takes it for the next.
  pattern(
    'rce/line-command',
    /(?:^|[\w.:-])\s{0,2}\n\s{0,4}(?:sleep\s{1,2}\d{1,3}|whoami|uname\s{1,2}-a|ls\s{1,2}-l?a|netstat\s{1,2}-\w{1,5}|ifconfig|ipconfig(?:\s\/all)?|printenv|reboot|cat\s{1,2}\/etc\/\w{1,16}|echo\s{1,2}\d{3,20})\s{0,4}(?:\n|$)/,
    {
      score: 5,
      quotable: true,
      bare: true,
      places: ['path', 'query', 'form', 'cookie'],
      words: WORD.shell,
      chars: CHAR.newline,
      attacks: ['\nsleep 5', '127.0.0.1\nwhoami\nint x', 'x\nls -la'],
      benign: ['a\nsleep well', 'id\nname', 'first\nreboot it', 'whoami'],
    },
  ),
  // The whole value, and a separator that ends it: what the program adds behind it runs for itself.
  pattern(
    'rce/cut-short',
    /^\s{0,2}(?:whoami(?:\s\/\w{1,6})?|ifconfig(?:\s-a)?|ipconfig(?:\s\/all)?|ip a(?:ddr)?|uname\s{1,2}-[a-z]{1,3}|netstat\s{1,2}-\w{1,5}|systeminfo|printenv)\s{0,2}(?:;|\|{1,2}|&{1,2})\s{0,2}#?\s{0,2}$/,
    {
      score: 5,
      bare: true,
      quotable: true,
      atStart: true,
      chars: CHAR.semicolon | CHAR.pipe | CHAR.ampersand,
      words: WORD.shell,
      attacks: ['whoami|', 'ip a;', 'ifconfig;', 'uname -a &', 'netstat -an || #'],
      benign: ['Calc;', 'id;', 'ip;', 'whoami', 'whoami | sum', 'ip address;', 'id(1);'],
    },
  ),
  // Programs of Windows that do nothing but show that somebody started them.
  pattern(
    'rce/windows-proof',
    /(?:&&|\|\|)\s{0,2}(?:calc|notepad|mspaint)(?:\.exe)?\s{0,2}(?:$|&&|\|)|^[^|&;\n]{0,40}(?<!\.exe)(?:\||;|&)\s{0,2}(?:calc|notepad|mspaint)\.exe\s{0,2}(?:$|[|&])|^\s{0,2}[\d.,:]{1,40}\s{0,2}(?:\||&)\s{0,2}(?:calc|notepad|mspaint)\s{0,2}(?:$|[|&])|^\s{0,2}calc(?:\s{1,2}\|{1,2}|\.exe\s{0,2}[;|&]{1,2})\s{0,2}$/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.semicolon | CHAR.pipe | CHAR.ampersand,
      words: WORD.windows,
      attacks: [
        '1&&calc&&copy nul a.doc',
        '127.0.0.1|calc.exe',
        'x;calc.exe',
        '10.0.0.1|calc',
        'a&notepad.exe',
        'calc |',
        'calc.exe;',
      ],
      benign: [
        'sum|calc',
        'a=1&calc&b=2',
        'notepad.exe;calc.exe',
        'a;b.exe;calc.exe',
        'calc && done',
        'x|calculate',
        'calc | sum',
        'Calc;',
        'calc|',
      ],
    },
  ),
  // What a command says, written into a page of the server.
  pattern(
    'rce/written-page',
    /(?:^|[;|&`\n]|\$\()\s{0,4}(?:echo|printf)\s[^\n]{1,400}?>{1,2}\s{0,4}["']?[\w./\\:-]{0,80}\.(?:php\d?|phtml|jspx?|aspx?|ashx)\b/,
    {
      score: 5,
      quotable: true,
      words: WORD.shell,
      chars: CHAR.greater,
      attacks: ['|echo abc > a.php', 'x;printf abc>>/var/www/x.jsp', 'echo x > ..\\b.aspx'],
      benign: ['echo x > a.txt', 'echo of php', 'a > b.php'],
    },
  ),
  pattern(
    'rce/written-file',
    /^\s{0,2}[|;&]{1,2}\s{0,4}(?:echo|printf|id|ls|cat|whoami|uname|ifconfig|ipconfig|env|ps|dir|type(?!\s{0,4}\|))\b[^\n]{0,300}?>{1,2}\s{0,4}["']?[\w./\\:-]{1,80}/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      words: WORD.shell,
      chars: CHAR.greater,
      attacks: ['|echo 1 > a.txt|cat', ';id>x', '& dir > c:\\a.txt'],
      benign: ['| id | name >', '; echo', 'echo 1 > a.txt', '|cat|>', '|Type |<b>x</b>'],
    },
  ),
  // What a server of Python or PHP starts in place of a file.
  pattern('rce/exec-scheme', /(?:^|[^a-z0-9+.-])(?:exec|expect):\/\/[\w/.~$-]/, {
    score: 5,
    words: WORD.process,
    attacks: ['exec:///curl evil.example', 'expect://id', '\u0000exec://id'],
    benign: ['exec: //', 'my-exec://a', 'the exec://'],
  }),
  // The same as a file of settings: git runs what it names when anybody works in the folder.
  pattern(
    'rce/git-file',
    /\[core\][^[]{0,400}\n\s{0,8}(?:sshcommand|gitproxy|fsmonitor)\s{0,4}=\s{0,4}(?!(?:true|false)\b)["']?[\w./~]/,
    {
      score: 5,
      quotable: true,
      words: WORD.process,
      attacks: ['[core]\n\tbare = false\n\tsshCommand = curl http://evil.example -I\n'],
      benign: ['[core]\n\tfsmonitor = true', '[core]\n\teditor = vim', 'core.sshCommand'],
    },
  ),
  // Settings of nginx that a program writes from what it is sent: out of their line or block, and into that
  // of the server (CVE-2025-1974).
  pattern(
    'rce/nginx-setting',
    /(?:\}|\S#;|[^\s;]{4};(?=\S))\s{0,40}(?:ssl_engine|load_module)\s{1,8}[\w./-]{1,200}\s{0,4};/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.semicolon,
      attacks: [
        'CN=x #(\n){}\n }}\nssl_engine ../../../a;\n#',
        'x#;\n}\n}\n}\nload_module a.so;',
        'http://a.example#;load_module b;',
        'http://a.example;load_module b;',
      ],
      benign: [
        'load_module modules/a.so;\nevents {}',
        'events {}\nload_module',
        'ssl_engine x;',
        'user www; load_module a.so;',
        'user www;\nload_module a.so;',
      ],
    },
  ),
  // RFC 3986 appendix A: a URL has no backticks, so what stands between two is for a shell.
  pattern(
    'rce/url-command',
    /^\s{0,2}(?:https?|ftp):\/\/[^\s`"']{1,400}`[^\s`]{1,400}`[^\s`]{0,200}\s{0,2}$/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      chars: CHAR.backtick,
      attacks: ['http://a.example/b/`true`', 'https://a.example/`sleep${IFS}2`.png'],
      benign: ['`http://a.example/b`', 'http://a.example/b `id`', 'see http://a.example/`b`'],
    },
  ),
  // telnetd hands such a name to login(1): whoever it is, he is in.
  pattern('rce/login-option', /^\s{0,2}(?:user[=\s]\s{0,2})?-f\s?root\s{0,4}$/, {
    score: 5,
    atStart: true,
    words: WORD.process,
    attacks: ['USER=-f root', '-froot'],
    benign: ['-f rootless', 'root', 'rm -f root'],
  }),
  // A line of its own in the language of a monitor (Nagios, Checkmk): it runs what stands there.
  pattern('rce/monitor-command', /\n\s{0,4}command\s\[\d{1,12}\]\s[a-z_]{4,60}/, {
    score: 5,
    quotable: true,
    chars: CHAR.bracket,
    attacks: ['x\nGET hosts\nColumns: name\nCOMMAND [1] SHUTDOWN_PROGRAM'],
    benign: ['[1] COMMAND', 'a\ncommand [options] file', 'x\n[1700000000] EXTERNAL COMMAND: A'],
  }),
  // Windows puts a program together that came as text.
  pattern(
    'rce/decoded-program',
    /[;|&]\s{0,4}certutil(?:\.exe)?\s{1,4}[-/]decode(?:hex)?\s{1,4}\S{1,160}\s{1,4}\S/,
    {
      score: 5,
      quotable: true,
      words: WORD.shell,
      attacks: ['echo TVqQ>>a.b64 & certutil -decode %TEMP%\\a.b64 %TEMP%\\a.exe'],
      benign: ['certutil -decode', 'open a prompt and type certutil -decode a.b64 a.cer'],
    },
  ),
]
