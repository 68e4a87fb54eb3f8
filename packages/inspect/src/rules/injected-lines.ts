import { pattern, type Rule, type Span } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import type { Reading } from '../value/reading.ts'
import { isOperandParameter } from '../value/value-setting.ts'
import { WORD } from '../value/words.ts'

/** Behind one word a line of its own that begins as a field of a head does. */
const FIELD_BEHIND = /^[^\s]{1,200}[\r\n]{1,4}[a-z][\w-]{0,40}\s{0,2}:(?!\/\/)/

/** The same under a name of what is one word: an address, a host. */
function findFieldBehind(reading: Reading): Span | undefined {
  const found = FIELD_BEHIND.exec(reading.lower)
  if (found === null || !isOneWord(reading.name)) return undefined
  return { start: 0, end: found[0].length }
}

function isOneWord(name: string): boolean {
  return isOperandParameter(name) || /^(?:host|url|redirect(?:_?ur[il])?|domain|origin)$/.test(name)
}

/** Lines that a value adds to a file of settings or to a head, when a program writes it into one. */
export const injectedLineRules: readonly Rule[] = [
  // crontab(5), with the user that only the table of the system has.
  pattern(
    'rce/cron-line',
    /(?:^|[\r\n])[ \t]{0,4}(?:@(?:reboot|hourly|daily)[ \t]{1,4}|(?:[*\d][*\d/,-]{0,10}[ \t]{1,4}){5})root[ \t]{1,4}["']?[\w./$(]/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.star | CHAR.newline,
      words: WORD.process,
      attacks: [
        '* * * * * root id > /tmp/x',
        'ssh-rsa AAAA x\n*/5 * * * * root curl x',
        'a\n@reboot root /tmp/x',
      ],
      benign: ['* * * * * root', '5 * * * * php artisan schedule:run', '0 0 * * * /usr/bin/backup root x'],
    },
  ),
  // A line that loads or starts a program, in the settings of a web server, a tunnel, a database, a client.
  pattern(
    'rce/setting-line',
    /[\r\n]\s{0,4}(?:loadmodule\s{1,4}\w{1,40}|load_module|plugin|up|down|route-up|tls-verify|ipchange|client-connect|(?:zend_)?extension\s{0,2}=|shared_preload_libraries\s{0,2}=|auto_prepend_file\s{0,2}=|ld_preload\s{0,2}=|on-download-complete\s{0,2}=|proxycommand|localcommand)\s{0,4}["']?(?:\/tmp\/|\/var\/tmp\/|\/dev\/shm\/|\/(?:usr\/)?bin\/(?:ba|da)?sh\b)/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.newline,
      words: WORD.file | WORD.shell,
      attacks: [
        'x\nLoadModule foo /tmp/x.so',
        'remote a 1194\nup "/bin/sh -c id"',
        '1\nauto_prepend_file=/tmp/x',
        'a\r\nProxyCommand /bin/bash -c id',
      ],
      benign: [
        'a\nLoadModule rewrite_module modules/mod_rewrite.so',
        'a\nup /etc/openvpn/update-resolv-conf',
        'look\nup /tmp',
        'a\nextension=gd.so',
      ],
    },
  ),
  {
    id: 'crlf/field-behind',
    family: 'crlf',
    score: 5,
    quotable: false,
    atStart: true,
    chars: CHAR.newline,
    words: 0,
    places: ['query', 'body', 'cookie'],
    needs: [FIELD_BEHIND],
    find: findFieldBehind,
    // By the name of the parameter: the cases are in `test/rule-cases.ts`.
    attacks: [],
    benign: ['Name:\nPhone: 5', 'a\nb: c'],
  },
  // Where a program that is given options writes what it fetches.
  pattern(
    'rce/written-option',
    /(?:^|\s)-{1,2}(?:o|output|output-document)[ =]{1,2}\/(?:etc|root|var\/(?:www|spool))\/[\w./-]{1,80}(?:\s|$)/,
    {
      score: 5,
      quotable: true,
      words: WORD.file,
      attacks: ['-K /tmp/x -o /etc/cron.d/x', '--output=/var/www/x.php'],
      benign: ['-o /tmp/x', '--output=/var/log/x', 'x -o /etcetera'],
    },
  ),
]
