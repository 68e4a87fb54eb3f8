import type { Rule, Span } from '../rule/rule.ts'
import { PartSearch, type Parts } from '../rule/searched-parts.ts'
import { CHAR } from '../value/features.ts'
import type { Reading } from '../value/reading.ts'
import { WORD } from '../value/words.ts'

/** Files that nothing but the system and an intruder opens. */
const SECRET_FILE =
  /(?:^|[\s"'=:(,;|>/\\`[{<&])(?:[/\\]{1,4}|[a-z]:[/\\]{1,4}|\.{1,2}[/\\])?(?:etc[/\\]{1,4}(?:\.?[/\\]){0,4}(?:passwd|shadow|sudoers|master\.passwd|security[/\\]|ssh[/\\]ssh_host|\*|(?:pass|shad)\w{0,2}[?*[]|[a-z]{1,4}\?{2,6})|proc[/\\]{1,4}(?:self[/\\]|sched_debug|kcore|\d{1,6}[/\\](?:environ|cmdline|maps|fd|mem))|(?:windows|winnt)[/\\]{1,4}(?:win\.ini|system\.ini|repair[/\\]|system32[/\\]{1,4}(?:drivers[/\\]{1,4}etc|config[/\\]|inetsrv|cmd\.exe|logfiles))|boot\.ini|web-inf[/\\]|root[/\\]\.(?:bash_history|mysql_history)|~[/\\]\.(?:bash_history|zsh_history|aws[/\\]|kube[/\\]config|netrc|pgpass)|home[/\\][\w.-]{1,24}[/\\]\.(?:bash_history|netrc))/
/** Files that settings name too: an attack where a query or a form names them, data in a document. */
const SYSTEM_FILE =
  /(?:^|[\s"'=:(,;|>/\\`[{<&])(?:[/\\]{1,4}|[a-z]:[/\\]{1,4}|\.{1,2}[/\\])?(?:etc[/\\]{1,4}(?:\.?[/\\]){0,4}(?:group|hosts|issue|motd|crontab|fstab|ssh[/\\]|apache2[/\\]|nginx[/\\]|mysql[/\\]|letsencrypt[/\\]|resolv\.conf|environment|profile|php|httpd|my\.cnf|os-release|init\.d[/\\]|kubernetes[/\\]|redis[/\\]|postgresql[/\\]|cron\.|sysconfig[/\\]|hostname$|services$|networks$|protocols$|shells$|mtab$|timezone$|lsb-release|debian_version|redhat-release|sysctl\.conf|ld\.so|pam\.d|vsftpd|proftpd|samba[/\\]|exports$|nsswitch|r?syslog|logrotate|gshadow|securetty|aliases$|openvpn|wpa_supplicant|network[/\\]interfaces|supervisor|tomcat|grafana[/\\]|[a-z]{0,6}\?)|proc[/\\]{1,4}(?:self|version|\d{1,6}|cpuinfo|mounts|net|cmdline|environ|interrupts|meminfo|modules|partitions|filesystems|kallsyms)|var[/\\]{1,4}(?:www[/\\]|backups[/\\]|log[/\\]|lib[/\\]|spool|mail[/\\]|run[/\\])|(?:windows|winnt)[/\\]{1,4}(?:system32|repair|php\.ini)|boot[/\\]grub|meta-inf[/\\]|run[/\\]secrets[/\\]|usr[/\\]local[/\\](?:apache2?|nginx|etc|tomcat\d{0,2})[/\\]|[\w.-]{0,32}[/\\]conf[/\\](?:tomcat-users|server)\.xml|opt[/\\]\w{1,24}[/\\]conf[/\\]|xampp[/\\]|inetpub[/\\]|\.ssh[/\\]|sys[/\\](?:class|kernel|devices)|root[/\\]\.|home[/\\][\w.-]{1,24}[/\\]\.)/

/** Keys and accounts, as the whole value: settings name such files too, under names that say so. */
const KEY_FILE =
  /^\s{0,2}(?:[a-z]:)?(?:[/\\~][\w. -]{0,40}){1,10}[/\\](?:\.(?:bashrc|bash_profile|zshrc|profile)|\.ssh[/\\](?:id_\w{2,10}|authorized_keys)|\.aws[/\\]credentials|\.kube[/\\]config|\.docker[/\\]config\.json|\.git-credentials|\.config[/\\]gcloud[/\\][\w.-]{1,60}|\.(?:netrc|pgpass|htpasswd|my\.cnf|env)|tomcat-users\.xml|wp-config\.php|kubernetes\.io[/\\]serviceaccount[/\\]token)\s{0,2}$/
const NAMES_KEY_FILE = /key|identit|cred|cert|auth|secret|mount|volume|conf|env|docker|kube|source|target/

function isKeyFile(reading: Reading): boolean {
  return reading.fromStart && KEY_FILE.test(reading.lower) && !NAMES_KEY_FILE.test(reading.name)
}

const secretFiles = new PartSearch(SECRET_FILE)
const systemFiles = new PartSearch(SYSTEM_FILE)

function findSensitiveFile(reading: Reading, parts?: Readonly<Parts>): Span | undefined {
  const secret = secretFiles.first(reading.lower, parts)
  const found = secret ?? systemFiles.first(reading.lower, parts)
  if (found === null) return undefined
  const bare = secret === null && !isKeyFile(reading)
  // Documents about containers name what is mounted by its path.
  const isMount = secret === null && isNameInBody(reading)
  return { start: found.index, end: found.index + found[0].length, bare, ...(isMount && { score: 4 }) }
}

/** Whether a reading is the name of a field of a document. */
export function isNameInBody(reading: Reading): boolean {
  return reading.place === 'name' && /^body(?:\.|$)/.test(reading.name)
}

/** A file that only the system, a program of its own or an intruder asks for, by its path. */
export const sensitiveFile: Rule = {
  id: 'traversal/sensitive-file',
  family: 'traversal',
  score: 5,
  quotable: true,
  chars: CHAR.slash | CHAR.backslash,
  words: WORD.file,
  needs: [SECRET_FILE, SYSTEM_FILE],
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
  benign: ['etc. and so on', 'a/etc', 'http://example.com/windows/downloads', 'process/self'],
}
