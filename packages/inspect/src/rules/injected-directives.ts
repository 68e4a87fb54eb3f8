import { pattern, type Rule, type Span } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import type { Reading } from '../value/reading.ts'
import { WORD } from '../value/words.ts'

/** Programs and scripts that a directive names, and folders in which anybody may leave one. */
const PROGRAM =
  '["\'|]{0,2}\\s{0,2}(?:\\/|\\||`|\\$\\(|(?:ba|da)?sh\\s|(?:curl|wget|nc|python\\d?|perl|php)\\s)'
/**
 * Directives behind which a program, a library or a folder of the sender's stands: of nginx(8), httpd(8),
 * ssh_config(5), sshd_config(5), php.ini, git-config(1), npmrc(5), my.cnf, systemd.service(5), smb.conf(5),
 * dnsmasq(8), rsyncd.conf(5), snmpd.conf(5), redis.conf, sudoers(5), passwd(5), user.js of Firefox,
 * rrdtool(1).
 */
const DIRECTIVES: readonly string[] = [
  `(?:ssl_engine|perl_modules|perl_require|js_import)\\s{1,4}["']?\\/`,
  `(?:alias|root)\\s{1,4}\\/\\s{0,2};`,
  `(?:(?:content|access|rewrite|init)_by_lua(?:_block|_file)?|perl_set|perl)\\s{1,4}["'{/]`,
  `(?:sethandler|addhandler|addtype)\\s{1,4}["']?(?:application\\/x-httpd-|php|cgi-script|server-parsed)`,
  `php_(?:admin_)?(?:value|flag)\\s{1,4}\\w`,
  `(?:scriptalias|action|loadfile)\\s{1,4}["']?[\\w/-]{1,60}["']?\\s{1,4}["']?\\/`,
  `(?:custom|error|transfer)log\\s{1,4}["']?\\|`,
  `authorizedkeys(?:command|file)\\s{1,4}["']?[\\w/%~.]`,
  `(?:permitlocalcommand|permituserenvironment|permitrootlogin|permitemptypasswords)\\s{1,4}yes\\b`,
  `(?:forcecommand|proxycommand|localcommand|knownhostscommand)[\\s=]{1,4}\\S`,
  `(?:sshcommand|gitproxy|fsmonitor|hookspath|askpass|sequence\\.editor)\\s{0,4}=\\s{0,4}["']?(?!true|false)[\\w./~!|$]`,
  `\\[(?:core|alias|filter\\s[^\\]\\n]{1,40}|credential)\\]\\s{0,4}[\\r\\n]`,
  `(?:script-shell|node-options|git|shell)\\s{0,2}=\\s{0,2}["']?(?:\\/(?:tmp|dev\\/shm|var\\/tmp|bin)\\/|--require|--import)`,
  `(?:init[_-]connect|init[_-]file|plugin[_-](?:load|dir)|general[_-]log[_-]file|slow[_-]query[_-]log[_-]file)\\s{0,4}=\\s{0,4}\\S`,
  `exec(?:start|stop|reload|condition)(?:pre|post)?\\s{0,2}=\\s{0,2}[-@:+!|]{0,3}\\S`,
  `(?:(?:root\\s{1,2})?(?:pre|post)exec|magic\\sscript|(?:print|queue|lpq)\\scommand|(?:pre|post)-xfer\\sexec)\\s{0,2}=\\s{0,2}\\S`,
  `(?:dhcp-script|dhcp-luascript|lua-script)\\s{0,2}=\\s{0,2}\\S`,
  `(?:extend|pass|pass_persist|exec)\\s{1,4}[\\w.-]{1,60}\\s{1,4}\\/(?:usr\\/)?s?bin\\/`,
  `(?:loadmodule|slaveof|replicaof)\\s{1,4}[\\w./]{1,80}(?:\\s|$)`,
  `[\\w%-]{1,32}\\s{1,8}all\\s{0,2}=\\s{0,2}\\(all(?::all)?\\)\\s{0,2}(?:nopasswd:\\s{0,2})?all\\b`,
  `[a-z_][\\w-]{0,31}:[^:\\n]{0,120}:0{1,4}:0{0,4}:[^:\\n]{0,60}:[\\w/]{1,60}:\\/[\\w/]{1,40}`,
  `(?:user|lock|sticky|default)?_?pref\\s{0,2}\\(\\s{0,2}["']`,
  `(?:auto_prepend_file|auto_append_file|allow_url_include|disable_functions|sendmail_path|mail\\.log|error_log)\\s{0,4}=`,
  `(?:graph|graphv|create|dump|restore)\\s{1,4}[\\w./-]{1,120}\\.(?:php\\d?|phtml|rrd)\\s`,
  `[a-z_]{2,40}\\s{0,2}=\\s{0,2}["']?(?:\`|\\$\\()\\s{0,2}[a-z/]`,
  `on-[a-z-]{4,40}\\s{0,2}=\\s{0,2}${PROGRAM}`,
]
/** Behind one line, which is what the value was to be, one that is a directive. */
const DIRECTIVE_BEHIND = new RegExp(
  `^[^\\r\\n]{0,200}[\\r\\n]{1,4}(?:[^\\r\\n]{0,200}[\\r\\n]{1,4}){0,2}[ \\t]{0,8}(?:${DIRECTIVES.join('|')})`,
)
/** Names of fields that take settings, files or texts of many lines. */
const TAKES_LINES =
  /conf|text|content|body|comment|message|desc|note|snippet|script|code|file|data|ya?ml|\bini\b|unit|custom|extra|advanced|directive|options?$|template|log|error|output|std(?:out|err)|stack|trace|question|answer|patch|diff|prompt|vhost|ignore|hook|html|markdown|summary|instruction|input|query|sql|source|lines?$|^q$|excerpt|definition|manifest|example|help|info|detail|reason|env/

/** A line that a value adds to a file of settings which a program writes it into. */
function findDirectiveBehind(reading: Reading): Span | undefined {
  if (!reading.fromStart || reading.isPiece) return undefined
  const found = DIRECTIVE_BEHIND.exec(reading.lower)
  if (found === null || reading.place === 'file-name' || TAKES_LINES.test(reading.name)) return undefined
  return { start: 0, end: found[0].length }
}

/** Settings of PHP that load a file or an address into every page. */
const LOADING_SETTING =
  /^\s{0,2}(?:php_(?:admin_)?value\s{1,2})?(?:auto_prepend_file|auto_append_file|allow_url_include)\s{0,2}$/
/** Settings of git that name a program, which it runs (git-config(1)). */
const RUNNING_SETTING =
  /^\s{0,2}(?:core\.(?:sshcommand|gitproxy)|diff\.external|protocol\.ext\.allow|uploadpack\.packobjectshook|(?:remote\.[\w-]{1,40}|url\.[^\s]{1,80})\.(?:uploadpack|receivepack|vcs)|filter\.[\w-]{1,40}\.(?:clean|smudge|process)|alias\.[\w-]{1,40}=!.{0,200})\s{0,2}$/
const NAMES_SETTING =
  /^(?:name|key|setting|option|directive|param(?:eter)?|property|variable|ini(?:_\w{1,16})?|)$/

/** The name of such a setting as the value of a field for names, or as an argument of a program. */
function findLoadingSetting(reading: Reading): Span | undefined {
  const { lower } = reading
  const isLoading = LOADING_SETTING.test(lower)
  const isRunning = RUNNING_SETTING.test(lower)
  if (!isLoading && !isRunning) return undefined
  const { name } = reading
  if (!NAMES_SETTING.test(name) || !(isRunning || name !== '')) return undefined
  return { start: 0, end: lower.length }
}

/** What a value adds to the settings of a program, or switches on in them. */
export const injectedDirectiveRules: readonly Rule[] = [
  {
    id: 'rce/injected-directive',
    family: 'rce',
    score: 5,
    quotable: true,
    atStart: true,
    chars: CHAR.newline,
    words: 0,
    places: ['query', 'body', 'cookie', 'header', 'path'],
    needs: [DIRECTIVE_BEHIND],
    find: findDirectiveBehind,
    // By the name of the parameter as well: the cases are in `test/injected-directives.test.ts`.
    attacks: [
      '127.0.0.1\nExecStartPre=/bin/sh -c id',
      'x\nuser_pref("a","b");',
      'x\nSetHandler application/x-httpd-php',
    ],
    benign: ['a\nb', 'Main Street 5\nroot beer', 'x\nalias Ann', 'first\ngraph of sales', 'a\ncreate table'],
  },
  {
    id: 'rce/loading-setting',
    family: 'rce',
    score: 5,
    quotable: false,
    atStart: true,
    chars: 0,
    words: WORD.php | WORD.process,
    places: ['query', 'body', 'cookie'],
    needs: [LOADING_SETTING, RUNNING_SETTING],
    find: findLoadingSetting,
    // By the name of the parameter: the cases are in `test/injected-directives.test.ts`.
    attacks: [],
    benign: ['auto_prepend_file=/x', 'memory_limit', 'core.editor'],
  },
  // Orders to a cache, behind the line that was to be its key (memcached, protocol.txt).
  pattern(
    'crlf/cache-order',
    /[\r\n]{1,2}(?:(?:set|add|replace|append|prepend)\s\S{1,250}\s\d{1,10}\s\d{1,10}\s\d{1,8}(?:\snoreply)?[\r\n]|flush_all(?:\s\d{1,9})?[\r\n]|(?:config\sset|slaveof|replicaof|module\sload|eval)\s{1,2}["']?\S)/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.newline,
      attacks: ['x\r\nset a 0 60 3\r\nabc\r\n', 'x\nconfig set dir /tmp', 'a\r\nflush_all\r\n'],
      benign: ['a\nset b to 5', 'x\nadd one egg 2 3', 'a\nflush_all', 'slaveof no'],
    },
  ),
]
