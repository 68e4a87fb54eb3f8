import { pattern, type Rule } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import { WORD } from '../value/words.ts'

/** Commands of PowerShell by name (about_Command_Syntax): those that look around, wait, fetch and write. */
const CMDLET =
  '(?:get-(?:acl|alias|childitem|ciminstance|clipboard|command|computerinfo|content|date|eventlog|help|history|host|hotfix|item(?:property)?|localgroup|localuser|location|member|module|netipaddress|process|psdrive|random|service|variable|wmiobject)|start-(?:job|process|service|sleep)|(?:stop|restart)-(?:computer|process|service)|invoke-(?:command|expression|item|restmethod|webrequest|wmimethod)|new-(?:item|localuser|object|psdrive|service)|(?:remove|copy|move|rename)-item|set-(?:content|executionpolicy|item(?:property)?|location|mppreference)|add-(?:content|localgroupmember|mppreference|type)|out-file|test-(?:connection|netconnection)|write-(?:host|output)|resolve-dnsname|import-module|clear-(?:eventlog|history))'

/** Commands of Windows behind a value that a program hands to a shell. */
export const windowsCommandRules: readonly Rule[] = [
  // Behind one word at most, but not another of these commands: people join those by such signs.
  pattern(
    'rce/cmdlet',
    new RegExp(
      `^(?![a-z]{2,12}-[a-z]{2,24}\\b)[^\\s;|&]{0,60}\\s?[;|&]{1,2}\\s{0,4}${CMDLET}(?=[\\s;|&#"')]|$)`,
    ),
    {
      score: 5,
      quotable: true,
      atStart: true,
      places: ['query', 'body', 'cookie', 'path'],
      chars: CHAR.semicolon | CHAR.pipe | CHAR.ampersand,
      attacks: [
        ';get-help',
        '";Start-Sleep -s 5',
        'x|Get-ChildItem',
        '127.0.0.1 && get-process #',
        "';get-help",
      ],
      benign: [
        'Get-Process | Stop-Process',
        'get-help',
        'a;get-helped',
        'see the list; get-help is a command',
        'x; forget-me-not',
      ],
    },
  ),
  // A wait, behind a separator: `timeout /T 5`, `choice /T 5` (timeout(1) of Windows).
  pattern(
    'rce/windows-wait',
    /(?:[;|&]|^run\s)\s{0,4}(?:timeout(?:\.exe)?\s{1,4}\/t\s{1,4}\d{1,4}|timeout(?:\.exe)?\s{1,4}\d{1,4}\s{1,4}\/nobreak|choice(?:\.exe)?\s{1,4}\/[a-z]\s[^\n]{0,40}?\/t\s{1,4}\d{1,4})(?=[\s;|&"'>#]|$)/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.slash,
      words: WORD.shell,
      attacks: [
        '|timeout /T 5',
        '"&timeout /t 5&"',
        '& timeout 5 /nobreak > nul',
        '|choice /C Y /D Y /T 5',
        'run timeout /T 5',
      ],
      benign: ['timeout /t 5', 'a | timeout', 'no choice / tea 5', 'connect; timeout 5 s'],
    },
  ),
  // A shell whose one command looks around, or shows that it was there.
  pattern(
    'rce/told-windows-shell',
    /\b(?:cmd(?:\.exe)?\s{1,4}\/[ck]\s{1,4}["']?|powershell(?:\.exe)?\s{1,4}-c(?:ommand)?\s{1,4}["']?)(?:whoami|calc(?:\.exe)?|mspaint(?:\.exe)?|ipconfig|systeminfo|net\s{1,4}(?:user|localgroup)|nslookup\s|ping\s{1,4}-n\s{0,4}\d)(?=[\s"'<>|&]|$)/,
    {
      score: 5,
      quotable: true,
      words: WORD.powershell,
      attacks: [
        'cmd.exe /c whoami',
        'cmd /c "net user a b /add"',
        'powershell -c whoami',
        'cmd /c ping -n 1 evil.example',
        'cmd.exe /c calc.exe',
      ],
      benign: ['cmd /c npm test', 'powershell -c build.ps1', 'cmd /c calculate', 'cmd whoami'],
    },
  ),
  // Programs with which whoever keeps a machine of Windows looks after it, behind a value.
  pattern(
    'rce/windows-keeper',
    /[;|&]{1,2}\s{0,2}(?:vssadmin|wbadmin|bcdedit|fsutil|nltest|dsquery|cmdkey|auditpol|takeown|icacls|diskshadow|wevtutil|esentutl|ntdsutil|manage-bde)(?:\.exe)?\s{1,2}\/?(?:list|delete|create|get|set|enum|query|export|dump|ifm|add|f|c|y|dclist|domain_trusts|user|computer|behavior|ac|activate|[a-z]:\\|\.)(?=[\s:;|&"'\\]|$)|^[^\s;|&]{0,40}[;|&]{1,2}\s?\$env:[a-z_]\w{1,30}\s{0,2}[;|&#"']{0,2}$/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.semicolon | CHAR.pipe | CHAR.ampersand,
      attacks: [
        '&vssadmin list shadows',
        'x|nltest /dclist:corp',
        '127.0.0.1;icacls c:\\ /grant x',
        ';$env:username',
      ],
      benign: [
        'vssadmin list shadows',
        'a; icacls is a program',
        'fsutil & co',
        'set $env:x; $env:PATH = 5',
        'use wevtutil; nltest',
      ],
    },
  ),
]
