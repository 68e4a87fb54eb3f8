import { CHAR } from '../features.ts'
import type { Reading } from '../reading.ts'
import { pattern, type Rule, type Span } from '../rule.ts'
import { isInSentence } from '../sentence.ts'
import { WORD } from '../words.ts'

const SENSITIVE =
  /(?:^|[\s"'=:(,;|>/\\])(?:[/\\]{1,4}|[a-z]:[/\\]{1,4}|\.{1,2}[/\\])?(?:etc[/\\]{1,4}(?:\.?[/\\]){0,4}(?:passwd|shadow|group|hosts|issue|motd|sudoers|crontab|fstab|ssh[/\\]|apache2[/\\]|nginx[/\\]|mysql[/\\]|letsencrypt[/\\]|resolv\.conf|environment|profile|php|httpd|my\.cnf|security[/\\]|os-release|init\.d[/\\]|kubernetes[/\\]|redis[/\\]|postgresql[/\\]|cron\.|sysconfig[/\\]|hostname$|master\.passwd|\*|[a-z]{0,6}\?)|proc[/\\]{1,4}(?:self|version|\d{1,6}|cpuinfo|mounts|net|cmdline|environ|sched_debug|interrupts|meminfo|modules|partitions|filesystems|kallsyms|kcore)|var[/\\]{1,4}(?:www[/\\]|backups[/\\]|log[/\\]|lib[/\\]|spool|mail[/\\]|run[/\\])|(?:windows|winnt)[/\\]{1,4}(?:win\.ini|system32|repair|system\.ini|php\.ini)|boot\.ini|boot[/\\]grub|run[/\\]secrets[/\\]|usr[/\\]local[/\\](?:apache2?|nginx|etc)[/\\]|opt[/\\]\w{1,24}[/\\]conf[/\\]|xampp[/\\]|inetpub[/\\]|(?:web|meta)-inf[/\\]|\.ssh[/\\]|sys[/\\](?:class|kernel|devices)|root[/\\]\.|~[/\\]\.(?:bash_history|zsh_history|aws|kube|netrc|pgpass)|home[/\\][\w.-]{1,24}[/\\]\.)/

/** A file named in the middle of a sentence is talked about, not asked for. */
function findSensitiveFile(reading: Reading): Span | undefined {
  const found = SENSITIVE.exec(reading.lower)
  if (found === null) return undefined
  const span = { start: found.index, end: found.index + found[0].length }
  const isMentioned =
    isAmongWords(reading.lower, span.start) || isInSentence(reading.lower, span.start, span.end)
  return isMentioned ? { ...span, score: 3 } : span
}

/** Whether a file stands by itself among three other words at least, or on a line of its own: what opens it would take them for a part of its name. */
function isAmongWords(lower: string, start: number): boolean {
  if (start > 0 && !/[\s(*`]/.test(lower[start] ?? '')) return false
  const value = lower.trim()
  return /\n\s{0,8}\S/.test(value) || value.split(/\s{1,32}/, 4).length === 4
}

/** Paths that leave their directory, and files that only an intruder asks for. */
export const traversalRules: readonly Rule[] = [
  pattern(
    'traversal/steps',
    /(?:^|[=/\\"'\s,;:(])(?:\.{2,4}|\.%00\.|\.;\.|\.\.;)[/\\]{1,4}(?:[\w.-]{0,32}[/\\]{1,4}){0,4}?\.{1,4}[/\\]|(?:^|[/\\])\.\.;[/\\]/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.dots,
      places: ['path', 'query', 'header', 'cookie', 'file-name', 'name'],
      attacks: [
        '../../../x',
        '....//....//etc',
        '..\\..\\boot',
        '/static/img/../../x',
        '.../.../WINDOWS/win.ini',
      ],
      benign: ['../image.png', 'wait... / what', '1..2'],
    },
  ),
  pattern(
    'traversal/source-file',
    /^\.\.[/\\](?:\.\.[/\\]){0,4}(?:[\w-]{1,32}[/\\]){0,4}(?:\.(?:env|git|ssh|aws|npmrc|netrc|htpasswd)\b|[\w.-]{1,40}\.(?:json|env|[cm]?[jt]sx?|py|rb|php|java|go|cs|ya?ml|toml|ini|conf|key|pem|p12|db|sqlite3?|sql|bak|lock|properties|log)$)/,
    {
      score: 5,
      atStart: true,
      chars: CHAR.dots,
      places: ['query', 'cookie', 'file-name'],
      attacks: ['../package.json', '../src/server.ts', '../.env', '../config/database.yml'],
      benign: ['../image.png', '../page', '../docs/guide.html'],
    },
  ),
  pattern(
    'traversal/body-steps',
    /^[^\s]{0,64}?(?:\.{2,3}[/\\]{1,4}){2}[^\s]{0,128}$|(?:\.{2}[/\\]{1,2}){4}/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.dots,
      places: ['body'],
      attacks: ['../../../etc/x', '..\\..\\windows'],
      benign: ['see ../../src/index.ts for more', "import x from '../../a.ts'"],
    },
  ),
  pattern(
    'traversal/rooted',
    /^(?:[\w.-]{0,32}[/\\]{1,4}){0,8}(?:\.{2,160}|\.%2e|0x2e\.?\s?|\.{4,160})(?:[/\\]|0x2f|0x5c)|^[/\\]{1,4}\.{1,2}[/\\]{1,4}\.\.|\.{4,160}[/\\]\.\.\/|(?:\.\.0x(?:5c|2f)){1,8}/,
    {
      score: 4,
      atStart: true,
      chars: CHAR.dots,
      places: ['query', 'body', 'header', 'cookie', 'file-name', 'path'],
      attacks: ['/../file', '/..../..../x'],
      benign: ['a.b/c', 'x..y'],
    },
  ),
  pattern(
    'traversal/root-escape',
    /^[/\\]{1,4}(?:\.{2,160}[/\\]|\.{1,2}[/\\]{1,4}\.{2}|\.{3,160})|^[/\\](?:[^/\\\s]{1,24}[/\\]){0,4}\.{2,160}[/\\]{1,4}(?:\.{2,160}|\{)|^[/\\]{1,4}\.\.0x|^[/\\]?(?:0x2e){2}|0x5c0x2e|^\.\.\\|^[/\\](?:\.{1,2}[/\\]{1,4}){3}/,
    {
      score: 5,
      atStart: true,
      chars: CHAR.dots | CHAR.slash,
      places: ['query', 'body', 'header', 'cookie', 'file-name'],
      attacks: ['..\\x', '/../{file}', '////../../x', '/..../..../x', '/..0x5c..0x5cx', '/./../../x'],
      benign: ['/a/b', '../x', '... and so on'],
    },
  ),
  {
    id: 'traversal/sensitive-file',
    family: 'traversal',
    score: 5,
    quotable: true,
    chars: CHAR.slash | CHAR.backslash,
    words: WORD.file,
    find: findSensitiveFile,
    attacks: [
      '/etc/passwd',
      'c:\\windows\\win.ini',
      'file:///proc/self/environ',
      '/web-inf/web.xml',
      'op=../../../../../boot.ini',
      '/var/www/html/index.php',
      '/run/secrets/db_password',
      '~/.aws/credentials',
      '/etc/kubernetes/admin.conf',
    ],
    benign: [
      'etc. and so on',
      'a/etc',
      'http://example.com/windows/downloads',
      'process/self',
      'On Linux the file /etc/hosts maps names to addresses.',
      '/etc/group\n4\nGroup account information',
      '/etc/passwd - kullanıcı hesabı bilgileri',
    ],
  },
  pattern(
    'traversal/mention',
    /\b(?:etc\/(?:passwd|shadow)|boot\.ini|inetpub[/\\]|win\.ini|web\.xml|\.htpasswd)\b/,
    {
      score: 4,
      quotable: true,
      chars: CHAR.slash | CHAR.dots | CHAR.space,
      words: WORD.file,
      attacks: ['x/etc/passwd'],
      benign: ['passwd', 'etc'],
    },
  ),
  pattern(
    'traversal/wrapper',
    /(?:^|["'=\s(,;])(?:data:\/\/|php:\/\/(?:filter|input|stdin|stdout|stderr|memory|temp|output|fd)|(?:phar|zip|rar|zlib|bzip2|glob|expect|ogg|compress\.(?:zlib|bzip2)|ssh2\.(?:shell|exec|tunnel|sftp|scp)|ssh2):\/\/|file:\/{2,3}[a-z./])/,
    {
      score: 5,
      quotable: true,
      spoken: true,
      chars: CHAR.scheme,
      attacks: [
        'php://filter/convert.base64-encode/resource=index',
        'phar://x.phar/a',
        'file:///etc/x',
        'zip://archive.zip',
      ],
      benign: ['https://example.com', 'git+file', 'profile://x'],
    },
  ),
  pattern('traversal/stream', /::\$(?:data|index_allocation)\b/, {
    score: 5,
    chars: CHAR.dollar,
    attacks: ['index.asp::$DATA'],
    benign: ['Foo::$data2', 'a::$b'],
  }),
  pattern('traversal/network-share', /^\s{0,4}\\\\[\w.:[\]-]{1,80}\\[\w$ .-]{1,80}(?:\\|$)/, {
    score: 5,
    atStart: true,
    chars: CHAR.backslash,
    places: ['query', 'body', 'header', 'cookie'],
    attacks: ['\\\\::1\\c$\\users\\default\\ntuser.dat'],
    benign: ['a\\b', '\\\\'],
  }),
  pattern('traversal/null-byte', /\.\w{1,5}\u0000|\u0000\.\w{1,5}|%00|[\\/]\u0000/, {
    score: 5,
    chars: CHAR.control | CHAR.percent,
    places: ['path', 'query', 'header', 'cookie', 'file-name'],
    attacks: ['shell.php\u0000.jpg', 'anything%00'],
    benign: ['100%', 'a.b'],
  }),
]
