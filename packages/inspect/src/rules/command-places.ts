import { pattern, type Rule, type Span } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import type { Reading } from '../value/reading.ts'
import { SHELL_PROGRAM, WINDOWS_PROGRAM } from '../value/value-setting.ts'
import { WORD } from '../value/words.ts'
import { ANYWHERE } from './remote-commands.ts'

/** Names under which scripts that intruders leave behind take what they run. */
const WEBSHELL_NAME =
  /^(?:\w{0,16}cmd|c|exec|execute|(?:(?:sys|system|shell|os|run|exec)_?)?command|shell|sh|x|cmdline|run|system|pass|ant|z\d)$/
/** `npm-command: whoami` names the command that the client runs. */
const WEBSHELL_HEADER = /^(?:x-(?:[\w-]{1,20}-)?)?(?:cmd|command|exec|shell)$/
/** Commands, whole values, that show an intruder where they are. */
const WEBSHELL_VALUE =
  /^\s{0,2}(?:(?:id|whoami|ifconfig|ipconfig|systeminfo|tasklist|netstat|uname|printenv|lastlog|telnetd)(?:\s{1,2}[-/][\w-]{1,12}){0,3}|ps\s{1,2}aux|(?:cat|type|ls|dir|curl|wget|nc|ping|nslookup|net|ps|rm|head|tail|less|more|find|chmod)\s{1,2}(?:[-/~.]|https?:|[a-z]:\\|user\b|\d{1,3}(?:\.\d{1,3}){3}|[\w.-]{1,60}\.[a-z]{2,10}\b)[^\n]{0,200}|echo\s{1,2}(?:[\w"'$-]{1,60}|%\w{1,24}%)(?:\s{0,2}>{1,2}\s{0,2}[\w./~-]{1,80})?|calc(?:\.exe)?|sleep\s\d{1,3}|(?:chmod\s\+?[\dx]{1,4}|nohup|mkdir|touch)\s{1,2}[./~][^\n]{0,120}|(?:useradd|adduser)\s[\w-][^\n]{0,80}|service\s[\w.-]{1,40}\s(?:start|stop|restart)|\/(?:tmp|var\/tmp|dev\/shm)\/[\w.-]{1,60})\s{0,2}[;&|]{0,2}\s{0,2}$/

/** The same of a document, where programs that run commands for people take others as well. */
const FIRST_LOOK = /^\s{0,2}(?:id|whoami|uname(?: -\w{1,4})?|ifconfig|ipconfig|cat \/etc\/\w{1,24})\s{0,2}$/
const RUN_FIELD =
  /^(?:\w{0,16}cmd|exec|execute|shell|system|command|cmdline|entry_?point|(?:run|shell|os)_?command)$/
/** A program that is fetched from an address by numbers, as all that such a field says. */
const FETCHED_ANYWHERE = new RegExp(
  `^\\s{0,2}(?:busybox\\s{1,2})?(?:curl|wget|fetch|tftp|ftpget|lynx)\\s[^\\n|;&]{0,60}?${ANYWHERE}[^\\n|;&]{0,120}$`,
)
/** Names of commands of one kind (`captureCommand`), and what nobody gives such a one but to look around. */
const COMMAND_OF_KIND = /^\w{1,20}_?(?:command|cmd_?line)$/
const LOOK_AROUND =
  /^\s{0,2}(?:id|whoami|ipconfig|ifconfig|(?:ping|nslookup|telnet|wget|nc)\s{1,2}(?:-\w{1,2}\s{1,2}(?:\d{1,3}\s{1,2})?){0,2}(?:https?:|\d{1,3}(?:\.\d{1,3}){3}|[\w-]{1,60}(?:\.[\w-]{1,60}){0,4}\.[a-z]{2,10}\b)[^\n]{0,200})\s{0,2}[;&|]{0,2}\s{0,2}$/

/** Names of what is an address by numbers, also inside an object of a form. */
const NUMBERED_ADDRESS = /(?:^|[._[-])(?:ip|ip_?addr(?:ess)?|ping_?ip)\]?$/

/** A command as the whole value, under a name that says it will be run, or that it is an address. */
function findWebshellParameter(reading: Reading): Span | undefined {
  const { place, lower } = reading
  const isFirst = place !== 'header' && FIRST_LOOK.test(lower)
  // What a shell is handed in a list is run wherever the list stands.
  if (isFirst && (reading.name === SHELL_PROGRAM || reading.name === WINDOWS_PROGRAM))
    return { start: 0, end: lower.length, id: 'rce/shell-look', bare: false }
  if (place === 'body' && !isFirst) return findFetched(reading)
  const isAround = place !== 'header' && LOOK_AROUND.test(lower)
  const isRun = WEBSHELL_VALUE.test(lower)
  // Asked for the name last: most values do not begin as a command.
  if (!isFirst && !isAround && !isRun) return undefined
  const { name } = reading
  const isNamed =
    (isFirst && NUMBERED_ADDRESS.test(name)) ||
    (place === 'body'
      ? RUN_FIELD.test(name)
      : (isAround && COMMAND_OF_KIND.test(name)) || (isRun && isWebshellName(place, name, lower)))
  return isNamed ? { start: 0, end: lower.length } : undefined
}

/** A program from an address by numbers, under a name that says it will be run. */
function findFetched(reading: Reading): Span | undefined {
  const { lower } = reading
  const isFetched = FETCHED_ANYWHERE.test(lower) && RUN_FIELD.test(reading.name)
  return isFetched ? { start: 0, end: lower.length } : undefined
}

function isWebshellName(place: Reading['place'], name: string, lower: string): boolean {
  if (!(place === 'header' ? WEBSHELL_HEADER : WEBSHELL_NAME).test(name)) return false
  // One letter names many things.
  return name.length > 1 || /\s/.test(lower.trim()) || /^\s{0,2}(?:whoami|ifconfig|ipconfig)/.test(lower)
}

/** Names of lists that hold names of columns, among which one is `id`. */
const LIST_NAME = /sort|order|field|column|select|include|expand|group|attr|key|prop|list|ids$|^(?:q|s|f|by)$/
const SHORT =
  /^(?:[\w.-]{1,24}(?:[;|&]{1,2}id;?|\r?\n{1,2}id\r?\n)|(?:\d{1,6}\s){0,4}[\w.-]{1,24}(?:;|&&|\|\|)id(?:\s\d{1,6}){0,4}\s{0,2})$/

/** Behind a number or an address, which no list of names begins with. */
const NUMBERED =
  /^(?:(?=[^;|&]{0,40}\d)[\da-f.:-]{1,40}(?:;|&&|\|\|)id;?|\d{1,3}(?:\.\d{1,3}){3}\s{0,2}(?:[;|&]{1,2}|\r?\n)\s{0,2}(?:id|whoami|reboot|halt|poweroff|uname|ifconfig|ipconfig|telnetd|printenv)(?:\s[^\n]{0,80})?)$/

/** Names of what a program is to reach. */
const HOST_NAME =
  /(?:^|[._[-])(?:host|hostname|ip|ip_?addr(?:ess)?|ping_?ip|target|target_?addr|domain|dest(?:ination)?|server|addr)\]?$/
/** A host, and what an intruder tries first. */
const BEHIND_HOST =
  /^[\w.:-]{0,60}\s?(?:[;|]|&&?|\|\|)\s?(?:id|ps|ls|pwd|dir|env|whoami|uname|ifconfig|ipconfig)\s?(?:[;|#]|&&?)?\s?#?$/

/** Nothing but a short command between separators. */
const SEPARATED =
  /^\s{0,2}(?:ifconfig|ipconfig|whoami|uname)?(?:[;|]|&&?|\|\||\r?\n)\s?(?:id|whoami|ifconfig|ipconfig|uname(?: -\w{1,4})?|cat \/etc\/\w{1,24})\s?(?:[;|#]|&&?|\r?\n)\s?#?\s{0,2}$/

/** Names of one name, file or address: a list of columns has others. */
const ONE_NAME =
  /(?:host|server|topic|device|interface|user|file|domain|path|addr(?:ess)?|ssid|password|time_?zone)(?:_?name)?$/
/** `General;id`: the shortest command, hung onto one word, where no list of names is asked for. */
function findShortCommand(reading: Reading): Span | undefined {
  const { place, lower } = reading
  if (SEPARATED.test(lower)) return { start: 0, end: lower.length, id: 'rce/separated-look' }
  if (BEHIND_HOST.test(lower) && HOST_NAME.test(reading.name)) return { start: 0, end: lower.length }
  if (place === 'body') {
    const isHung = NUMBERED.test(lower) || (SHORT.test(lower) && ONE_NAME.test(reading.name))
    return isHung ? { start: 0, end: lower.length } : undefined
  }
  return SHORT.test(lower) && !LIST_NAME.test(reading.name) ? { start: 0, end: lower.length } : undefined
}

const NAME_CALL =
  /\b(?:system|exec|eval|passthru|shell_exec|popen|proc_open|assert|phpinfo|call_user_func|__import__|execsync|getruntime)\s{0,2}\(/

/** A call in the name of a parameter of a query or a form. */
function findNameCall(reading: Reading): Span | undefined {
  const { lower } = reading
  const found = NAME_CALL.exec(lower)
  // Of a document, a name stands under what it is part of, and may be any text.
  if (found === null || reading.name !== lower) return undefined
  return { start: found.index, end: found.index + found[0].length }
}

/** Commands that need no separator, because of the place where they stand or of the program that reads it. */
export const commandPlaceRules: readonly Rule[] = [
  {
    id: 'rce/parameter',
    family: 'rce',
    score: 5,
    quotable: false,
    chars: 0,
    words: WORD.shell,
    places: ['query', 'body', 'cookie', 'header'],
    atStart: true,
    needs: [WEBSHELL_VALUE, FIRST_LOOK, LOOK_AROUND, FETCHED_ANYWHERE],
    find: findWebshellParameter,
    // By the name of the parameter: the cases are in `test/command-places.test.ts`.
    attacks: [],
    benign: ['id', 'whoami'],
  },
  {
    id: 'rce/short-command',
    family: 'rce',
    score: 5,
    quotable: false,
    chars: CHAR.semicolon | CHAR.pipe | CHAR.ampersand | CHAR.newline,
    words: WORD.shell,
    places: ['query', 'form', 'cookie', 'body', 'file-name'],
    atStart: true,
    needs: [SHORT, NUMBERED, SEPARATED, BEHIND_HOST],
    find: findShortCommand,
    // By the name of the parameter: the cases are in `test/command-places.test.ts`.
    attacks: [],
    benign: ['name;ids', 'a; id'],
  },
  {
    id: 'code/name-call',
    family: 'code',
    score: 5,
    quotable: false,
    chars: CHAR.paren,
    words: WORD.call | WORD.runtime | WORD.java,
    places: ['name'],
    needs: [NAME_CALL],
    find: findNameCall,
    // By where the name stands: the cases are in `test/command-places.test.ts`.
    attacks: [],
    benign: ["[system('id');a]", 'count(id)', 'system[a]', 'exec'],
  },
  // The whole value is a call of a shell with what shows an intruder where he is: an example of nothing.
  pattern(
    'code/shell-call',
    /^\s{0,4}@?\(?(?:system|passthru|shell_exec|exec|popen|proc_open|eval|assert)\)?\s?\(\s?["'](?:id|whoami|uname(?: -\w{1,4})?|pwd|ifconfig|ipconfig|ls(?: -\w{1,4})?|cat \/etc\/\w{1,24}|phpinfo\(\);?)["']\s?[,)]/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      chars: CHAR.paren,
      words: WORD.call,
      attacks: ["system('id');", '@exec("whoami")', "(popen)('id','r')"],
      benign: ['system("pause");', 'exec(cmd)', "see system('id')"],
    },
  ),
  // Dynamic Data Exchange: a spreadsheet that opens the export runs the program.
  pattern(
    'rce/formula',
    /(?:^|[\s,;"'\t])[=+@-][^\n|]{0,60}?\b(?:cmd|msexcel|mshta|powershell|pwsh|rundll32|regsvr32|wscript|cscript|dde)\s{0,2}\|\s{0,2}['"]?[^'"\n]{0,120}['"]?\s{0,2}!['"]?[\w$!]/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.bang,
      words: WORD.windows | WORD.shell,
      attacks: [
        "=cmd|' /C calc'!A0",
        "@SUM(1+9)*cmd|' /C calc'!A0",
        '+cmd|"/c powershell x"!_xlbgnm.A1',
        "=cmd|' /C x'!'A1'",
      ],
      benign: ['=SUM(A1:A9)', '=HYPERLINK("https://example.com","x")', '- cmd | run!', '=Sheet1!A1'],
    },
  ),
  // A shell that reads what stands behind it.
  pattern('rce/here-string', /(?:\$0|\$\{?shell\}?|\b(?:ba|z|k|da)?sh)\s{0,2}<<<?\s{0,2}[\w"'$(]/, {
    score: 5,
    quotable: true,
    chars: CHAR.less,
    words: 0,
    attacks: [';$0<<<id', 'bash<<<$(id)', 'sh << EOF'],
    benign: ['push << 2', 'a << b', 'cash <<5'],
  }),
  pattern(
    'code/lua',
    /\b(?:os\.execute|io\.popen)\s{0,2}(?:\(\s{0,2}["'[]|["']|\[\[)|\bos\s{0,2}\[\s{0,2}["'][^"'\]\n]{0,24}["'](?:\s{0,2}\.\.\s{0,2}["'][^"'\]\n]{0,24}["']){0,8}\s{0,2}\]\s{0,2}\(|\b_g\s{0,2}(?:\.os\b|\[\s{0,2}["'])|\bredis\.p?call\s{0,2}\(\s{0,2}["']|\bstring\.dump\s{0,2}\(|\bdebug\.(?:getinfo|getregistry|sethook)\s{0,2}\(|\bpackage\.loadlib\s{0,2}\(|\bloadstring\s{0,2}\(\s{0,2}["'[]|\bos:cmd\s{0,2}\(\s{0,2}["'[]/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.paren | CHAR.apostrophe | CHAR.quote | CHAR.bracket,
      words: WORD.runtime,
      attacks: [
        'debug.getinfo(1)',
        "os.execute'id'",
        'os.execute"id"',
        'os.execute[[id]]',
        "os['exe'..'cute']('id')",
        "os.execute('id')",
        'local f = io.popen("id", "r")',
        'os:cmd("id").',
      ],
      benign: ['os.execute', 'io.popen (see below)', 'cos.execute'],
    },
  ),
  // Tcl, as devices run it: a connection, a pipe or a program between brackets.
  pattern(
    'code/tcl',
    /\[\s{0,4}(?:socket\s{1,4}(?:-\w{1,12}\s{1,4}){0,3}(?:[\w-]{1,40}(?:\.[\w-]{1,40}){1,4}|\$\w{1,24})\s{1,4}[\d$]|open\s{1,4}["{]\s{0,2}\||exec\s{1,4}(?:\/(?:usr\/)?s?bin\/|(?:sh|bash|cmd|cmd\.exe|wget|curl|nc|tftp|busybox|cat)\s{1,4}[-/\w$])[^\]\n]{0,120}\])/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.bracket,
      attacks: [
        'set s [socket 198.51.100.7 4444 ]',
        '[socket -async evil.example $port]',
        '[open "|$cmd"]',
        '[exec /bin/id]',
        '[exec sh -c $cmd]',
      ],
      benign: ['[socket client 5] connected', '[exec summary]', '[open issues] | closed', '[exec cat]'],
    },
  ),
  // Active server pages: what stands between the marks is run where it is written.
  pattern(
    'code/scriptlet',
    /<%[!=@#\s]{0,6}(?:out\.print|response\.|request\.|session\.|application\.|runtime\b|system\.(?:out|getproperty)|new\s{1,4}java|java\.|process\s|string\s|int\s|if\s{0,2}\(|for\s{0,2}\(|while\s{0,2}\(|try\s{0,2}\{|class\.forname|server\.|eval\b|execute\b|dim\s|set\s{1,4}\w{1,16}\s{0,2}=|global\.|process\.|require\s{0,2}\()|<jsp:(?:scriptlet|expression|declaration|usebean|include|forward)\b|<cf(?:execute|file|script|query|include)\b|<cfset\s[^<>]{0,80}\(/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.less,
      words: 0,
      attacks: [
        '<%out.println(1+1);%>',
        '<% Response.Write(1) %>',
        '<cfexecute name="id">',
        '<jsp:scriptlet>',
      ],
      benign: ['<%= user.name %>', '<% end %>', '5 <% of all', '<conf>'],
    },
  ),
  // The string of an application ended with a call, or its statement, and the rest of the line commented out.
  pattern(
    'code/php-stacked',
    /^[\w -]{0,24}(?:["']\s{0,2}\)?\s{0,2}[;.]|;)\s{0,2}(?:exit|die|print|echo|printf|var_dump|print_r|system|phpinfo|eval|assert|passthru|exec|readfile|file_get_contents)\s{0,2}\([^\n]{0,120}\)\s{0,2}\)?\s{0,2}(?:;\s{0,2}(?:\/\/|#|\/\*|(?:exit|die)\b)|\.\s{0,2}["'])|^\d{1,6}\s{0,2};\s{0,2}(?:system|passthru|exec|shell_exec|phpinfo|eval)\(\s{0,2}[^\n]{0,80}\)\s{0,2};?\s{0,2}$/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      chars: CHAR.semicolon | CHAR.apostrophe | CHAR.quote,
      words: WORD.php | WORD.call,
      attacks: ["a;exit(md5('x'));//", '";exit(md5(1));#', "'.print(md5(1)).'", '1;system("id")'],
      benign: ["a.print('x')", 'it; exit (here)', "x;print('a');"],
    },
  ),
  // Servers of downloads and of monitoring take the command to run as a call of theirs.
  pattern(
    'rce/rpc-execute',
    /<methodname>\s{0,8}(?:execute(?:2|(?:\.\w{1,12}){1,3})|system\.exec\w{0,8}|os\.exec\w{0,8})\s{0,8}</,
    {
      score: 5,
      quotable: true,
      chars: CHAR.less,
      words: WORD.process,
      attacks: ['<methodName>execute.capture</methodName>', '<methodName>system.exec</methodName>'],
      benign: ['<methodName>system.listMethods</methodName>', '<methodName>wp.getPosts</methodName>'],
    },
  ),
  // Git runs what stands behind it.
  pattern('rce/remote-helper', /^\s{0,2}(?:ext::\S|ssh:\/\/-\w)/, {
    score: 5,
    atStart: true,
    chars: CHAR.colon,
    words: WORD.shell,
    attacks: ['ext::sh -c id', 'ssh://-oProxyCommand=id/x'],
    benign: ['text::x', 'ssh://git@host.example/x.git'],
  }),
]
