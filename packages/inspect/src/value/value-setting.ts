import type { ParameterType } from './parameter-type.ts'
import type { Place, Reading } from './reading.ts'
import { MORE_THAN_ONE } from './statement.ts'
import { THRESHOLDS } from './thresholds.ts'
import type { Locator } from './value-visitor.ts'

/**
 * How the hits in a value are weighed. It rests on the parameter's type and place alone, never on what the
 * text says of itself: whoever sends
 * an attack also writes the sentence, the fence or the code around it.
 *
 * - `plain`: every hit counts
 * - `data`: a short value of a JSON body or the like, where paths, queries and code are data; what is the
 * whole value and breaks out of nothing loses a point, unless it runs something
 * - `quotation`: as `data`, in a field whose name says that it holds a text, a piece of code or a query, or
 * in a list; what runs something loses a point too
 * - `program`: as `quotation`, in a field whose name says that its value is evaluated or run; what starts a
 * program, or reaches the server, counts in full there
 * - `prose`: a short value of a field whose name says that people write in it; as `data`, and what would have
 * to be the whole of a path or an address is a mention
 * - `document`: a long text of many lines at a body parameter about which nothing is known, or a field
 * that holds a part of a file; `quotable` rules lose points
 * - `text`: a parameter known to hold text; only rules that are not quotable, and what acts by itself, count
 * - `markup`: only active markup counts
 * - `url`: only what no address has for an honest reason counts
 * - `report`: a field of an error or policy report that quotes code; only active markup counts
 * - `sample`: what a policy report quotes of a page; only what harms whoever merely reads it counts
 * - `secret`: the name says it is a secret; only an unmistakable attack counts
 */
export type ValueSetting =
  | 'plain'
  | 'data'
  | 'quotation'
  | 'program'
  | 'prose'
  | 'document'
  | 'text'
  | 'markup'
  | 'url'
  | 'report'
  | 'sample'
  | 'secret'

/** Parts of names under which secrets are sent. */
const SECRET_NAME =
  /(?:^|[._-])(?:pass(?:word|wd|phrase|code)?|pwd|secret|token|otp|pin|credentials?)(?:$|[._-])|passw(?:or)?d|passphrase|secret|token$|apikey$|(?:^|[._-]|new|old|user|wp)pass(?:\d|chk)$|(?:new|old)pass$|^(?:wp)?retype$/

/** Where a secret is kept or handed out, and no secret itself: `token_url`, `token.endpoint.url`. */
const ADDRESS_OF_SECRET = /(?:^|[a-z._-])(?:ur[il]|endpoint|path)$/

/** Whether a parameter's name says that its value is a secret that goes into no query, page or command. */
function isSecretParameter(name: string): boolean {
  return name.length <= 64 && SECRET_NAME.test(name) && !ADDRESS_OF_SECRET.test(name)
}

/**
 * Fields of documents that hold commands: scripts of a package, arguments, entry points and health checks of
 * a container, steps of a pipeline. Who sends such a document is to say which command is run. And what a
 * language model asked its tools for, as a conversation tells it later.
 */
const COMMAND_FIELD =
  /\.(?:(?:npm)?scripts\.[\w:.-]{1,64}|(?:command|args|entrypoint|cmd|script|commands|run|healthcheck\.test)\.\d{1,4}|steps\.\d{1,4}\.(?:run|script)|(?:properties|(?:protectedS|s)ettings)\.commandToExecute|jobs\.[\w-]{1,64}\.[\w.-]{0,64}(?:run|script)(?:\.\d{1,4})?|(?:messages\.\d{1,4}\.(?:tool_calls\.\d{1,4}\.function\.arguments|content\.\d{1,4}\.input)|input\.\d{1,4}\.arguments)(?:\.[\w.-]{1,64})?)$/i

/** Of an image of a container, how one of its layers was built. */
const BUILD_STEP = /\.history\.\d{1,4}\.created_by$/
const BUILT =
  /^(?:\/bin\/(?:ba|da)?sh -c |(?:RUN|COPY(?! ?\(| .{0,80} (?:[Ff][Rr][Oo][Mm]|[Tt][Oo]) )|ADD|CMD|ENTRYPOINT|ENV|ARG|EXPOSE|HEALTHCHECK|LABEL|SHELL|USER|VOLUME|WORKDIR) )/

/** Whether a text says how a layer of an image was built, where an image does. */
export function isBuildStep({ text, fromStart, isPiece }: Reading, location: string): boolean {
  return fromStart && !isPiece && BUILD_STEP.test(location) && BUILT.test(text)
}

/** Whether a place in a body is one where a document holds a command. */
export function isCommandField(location: string): boolean {
  return COMMAND_FIELD.test(location)
}

/**
 * Fields of documents that name files, and open none: what a push changed (GitHub, GitLab, Gitea), what is
 * mounted into a container (Kubernetes, Compose, Docker), where a finding of an analysis is (SARIF), what is
 * left out (`ignore` of Syncthing and of linters).
 */
const FILE_FIELD =
  /\.(?:ignore\.\d{1,4}|(?:commits\.\d{1,4}|head_commit)\.(?:added|modified|removed)\.\d{1,5}|volumeMounts\.\d{1,4}\.(?:mountPath|subPath)|hostPath\.path|services\.[\w-]{1,64}\.volumes\.\d{1,4}(?:\.(?:source|target))?|HostConfig\.Binds\.\d{1,4}|Mounts\.\d{1,4}\.(?:Source|Target)|artifactLocation\.uri)$/

/** Whether a place in a body is one where a document names a file. */
export function isFileField(location: string): boolean {
  return FILE_FIELD.test(location)
}

/** How an item of a list is named that a shell gets for a program: by the option before it. */
export const SHELL_PROGRAM = '-c'
/** The same of the shell of Windows. */
export const WINDOWS_PROGRAM = '/c'
/** What is fetched by a program that such a list names. */
export const FETCHED = 'wget'

/** Whether the name is that of an item of a list. */
function isItem(name: string): boolean {
  return name === '' || name === SHELL_PROGRAM || name === WINDOWS_PROGRAM || name === FETCHED
}

/** Names of fields in which people write what they like; Roundcube sets a line before all of its own. */
const FREE_TEXT =
  /^(?:raw|_?(?:[\w:-]{1,24}[._-])?(?:comments?|message|description|review|feedback|remarks?|bio|notes?|body|content|text|details?|questions?|answers?|enquiry|inquiry|complaint|summary|reason|transcript|excerpt|wiki_?text|article_?text)|comment_content|post_content|wptextbox1|wpsummary|(?:body|stripped)-(?:plain|text|html))$/

/**
 * The source of a page where wikis edit it (MediaWiki, DokuWiki, MoinMoin), under names that nobody else has:
 * it is kept, and shown as the wiki reads it.
 */
const WIKI_SOURCE = /^(?:wptextbox[12]|wpinput|wiki_?text|savetext)$/
/** A mail that is written in Roundcube: of more than one line, it is kept as it is. */
const MAIL = '_message'

/**
 * The whole name of a field inside an object of a form, as Rails, PHP and others read it (`issue[notes]`,
 * `body[0][value]`, `description[en]`): they read another one into what is not closed or goes on behind it.
 */
const FORM_OBJECT = /^[\w:.-]{1,40}(?:\[[\w:-]{0,40}\]){1,7}$/
/** No field itself: a number, a language, or the one value of it. */
const BEHIND_NAME = /(?:\[(?:\d{0,5}|[a-z]{2}(?:[-_][a-z]{2,4})?|und|value)\]){1,3}$/
const CLOSING_BRACKET = 93

/** Whether a parameter's name says that people write in it. */
export function isFreeText(name: string): boolean {
  if (name.length > 64) return false
  if (name.charCodeAt(name.length - 1) !== CLOSING_BRACKET) return FREE_TEXT.test(name)
  if (!FORM_OBJECT.test(name)) return false
  const field = name.replace(BEHIND_NAME, '')
  return FREE_TEXT.test(field.endsWith(']') ? field.slice(field.lastIndexOf('[') + 1, -1) : field)
}

/** Names under which documents send a piece of code. */
const CODE = /^(?:code|snippet|source_?code)$/

/**
 * Names that say that the value is of a language of queries: quotes, operators and conditions are what it is
 * made of.
 */
const QUERY_LANGUAGE =
  /^(?:[\w-]{1,24}[._-])?(?:jql|cql(?:_?filter)?|soql|sosl|nrql|kql|esql|logql|traceql|promql|sparql|xpath|jsonpath|jmespath|jq|rsql|fiql|aql|flux|cypher|xquery)$/
/** The same of fields of a document. */
const EXPRESSION = /^(?:[\w-]{1,24}[._-])?(?:expr(?:ession)?|formula|selector|template)$/

/** Whether a parameter's name says that its value is of a language of queries. */
export function isQueryLanguage(name: string, place: Place): boolean {
  return name.length <= 64 && (QUERY_LANGUAGE.test(name) || (place === 'body' && EXPRESSION.test(name)))
}

/**
 * Addresses at which interfaces take whole queries: Salesforce, InfluxDB, Elasticsearch, SPARQL, TAP, Azure
 * DevOps, Couchbase. None that a file of a server could answer, whatever stands behind its name
 * (`/index.php/query`).
 */
const QUERY_ADDRESS =
  /^[A-Z]{1,16} (?:\/(?:[\w*:-]{1,64}|v\d{1,3}\.\d{1,3})){0,8}\/(?:query(?:all|_range|explain|\/service)?|_?sql|sparql|tap\/a?sync|_apis\/wit\/wiql)\/?$/i
/** One query. */
const WHOLE_QUERY = /^\s{0,8}select\s/
/** Languages of queries with the words of SQL that only one product has, where the name says so. */
const OWN_LANGUAGE = /^(?:nrql|soql|sosl|n1ql|sqlpp)$/
/** What the query is called there. */
const QUERY_NAME = /^(?:q|query|sql|stmt|statement)$/

/**
 * Whether a value is a whole query where an interface takes one: who asks it may ask whatever is allowed to
 * him, and it breaks out of nothing.
 */
export function isWholeQuery(route: string, name: string, lower: string): boolean {
  const isNamed = OWN_LANGUAGE.test(name) || (QUERY_NAME.test(name) && QUERY_ADDRESS.test(route))
  return isNamed && WHOLE_QUERY.test(lower) && !MORE_THAN_ONE.test(lower)
}

/** Names of fields that hold a text, a piece of code, a query or what a program printed. */
const QUOTATION =
  /^(?:[\w-]{1,24}[._-])?(?:text|title|subject|summary|headline|caption|label|answer|question|prompt|reply|quote|markdown|md|html|snippet|code|source_?(?:code)?|src|script|program|expr(?:ession)?|formula|function|(?:raw_?)?(?:sql|query)|query_?text|statement|output|result|stdout|stderr|log|lines?|string_?value|template|pattern|regexp?|examples?|samples?|test|definition|docs?|documentation|readme|changelog|excerpt|error|warning|run|steps?|cell|default(?:_?value)?|signature)$|(?:text|code|script|sql|expression|markdown|html)$/

/** Those of what is evaluated, or run as it stands. */
const EVALUATED = /^(?:[\w-]{1,24}[._-])?(?:expr(?:ession)?|formula|script|program|function)$/

/**
 * Names of fields that hold one name, number or address: a path, a query or a call is not data there,
 * whatever kind of body they stand in.
 */
const OPERAND =
  /(?:^|[._-])(?:id|uid|uuid|ids|ip|ip_?addr(?:ess)?|host_?name|ping_?(?:addr|host|ip)?|ifname|iface|ssid|mac_?addr(?:ess)?|user_?name|e_?mail|page|limit|offset|per_?page|page_?size|sort_?by|order_?by|lang|locale|country|zip_?code|phone|(?<!calendar-)timezone|ntp_?server\w{0,8})$|ipaddr(?:ess)?$|hostname$/

/** Names of fields of forms that take the heading of a text. */
const TITLE = /(?:^|[[._-])(?:subject|title|headline|short_?desc)\]?$/

/** Whether a field of a form takes a heading, in which people name files. */
export function isTitleField({ place, name }: Reading): boolean {
  return place === 'form' && name.length <= 64 && TITLE.test(name)
}

/** A folder or a file, as a page of settings names it: `config[savedir]`, `path_cactilog`. */
const SETTING_OF_PLACE =
  /^(?:(?:conf(?:ig)?|settings?|options?|prefs?|preferences|repository)(?:\[[\w-]{1,40}\]){0,3}\[\w{0,40}(?:dir(?:ectory)?|path|folder|root|location|log|socket|url)\]|path_\w{0,24}log)$/
/** The absolute path of one that is not hidden. */
const PLAIN_PLACE =
  /^\/(?:var\/(?:www|lib|log|spool|mail|run|backups)|usr\/local\/[\w-]{1,24}|opt)(?:\/\w[\w-]{0,60}(?:\.[\w-]{1,24}){0,3}){0,10}\/?$/

/** Whether a page of settings says where something lies. */
export function isSettingOfPlace({ place, name, lower }: Reading): boolean {
  return place === 'form' && name.length <= 64 && SETTING_OF_PLACE.test(name) && PLAIN_PLACE.test(lower)
}

/** Whether a parameter's name says that it holds one name, number or address. */
export function isOperandParameter(name: string): boolean {
  return name.length <= 64 && OPERAND.test(name)
}

/**
 * Fields in which error reports (Sentry), policy reports (CSP, Reporting API) and traces (OpenTelemetry)
 * quote code and queries.
 */
const REPORT_FIELD =
  /^(?:context_line|(?:pre|post)_context|script-?sample|sample|stack_?trace|stack|db\.(?:statement|query\.text)|blocked-?uri(?:l)?|blockedurl|document-?ur[il]|componentstack)$/

/**
 * Fields in which interfaces for reviews, packages and logs (GELF) send parts of files, fields named as a
 * file of text is (`data` of a ConfigMap), and scripts that a new machine runs when it starts.
 */
const FILE_PART =
  /^(?:diff_?hunk|diff|patch|(?:short|full)_message|[\w.-]{1,64}\.(?:sh|bash|conf|cfg|ini|ya?ml|py|[cm]?[jt]s|sql|xml|properties|toml|lua|rb|pl|ps1|bat|tf|tpl|md)|(?:docker|container|make|jenkins|vagrant|caddy)file|(?:startup|shutdown)-?script|user-data|cloud-init)$/

/**
 * Where conversations with language models and agents (A2A), their instructions and descriptions of tools,
 * texts that they pass to tools that keep files and notes (MCP), cells of notebooks, functions, queries and
 * pages of flows (Node-RED, n8n), what is searched for in logs (Elasticsearch), messages of commits and lines
 * of logs (Loki) stand.
 */
const QUOTING =
  /^body\.(?:prompt|system|instructions)$|\.system\.\d{1,3}\.text$|\.(?:message|new_?[mM]essage|messages\.\d{1,4}|system_?[iI]nstruction)\.parts\.\d{1,4}\.text$|\.(?:tools|functions)\.\d{1,4}\.(?:[\w.-]{1,256}\.)?description$|\.params\.arguments\.(?:edits\.\d{1,4}\.)?(?:contents?|text|code|body|notes?|thought|markdown|file_text|(?:new|old)_?(?:str|string|[tT]ext))$|^body\.result\.content(?:\.\d{1,3})?\.text$|\.params\.arguments\.(?:entities|observations)\.\d{1,4}\.(?:observations|contents)\.\d{1,4}$|\.metadata\.items\.\d{1,3}\.value$|\.streams\.\d{1,4}\.values\.\d{1,5}\.\d$|\.(?:messages|input)\.(?:\d{1,4}|[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})\.(?:textMessage\.)?content(?:\.\d{1,3}(?:\.content\.\d{1,3})?\.text)?$|\.contents\.\d{1,4}\.parts\.\d{1,4}\.text$|^body\.(?:flows|nodes)\.\d{1,4}\.(?:func|initialize|finalize|template|format|info)$|^body\.nodes\.\d{1,4}\.parameters\.(?:query|jsCode|pythonCode|functionCode)$|\.(?:(?:simple_)?query_string|multi_match)\.query$|^body\.(?:dataset_query\.)?native\.query$|\.(?:commits\.\d{1,4}|head_commit|last_commit)\.message$|\.(?:security|repository)_advisory\.(?:description|summary)$|\.(?:Content\.Raw|RawMessage)\.Data$|\.cells\.\d{1,4}\.(?:source|outputs\.\d{1,4}\.data\.text\/html)(?:\.\d{1,5})?$/
/** What a browser reports of a page (CSP level 3 section 5.3, Reporting API). */
const SAMPLE = /(?:csp-report|\.\d{1,4}\.body)\.(?:script-)?sample$/
/**
 * What happened before an error and the script it was in (Sentry, Bugsnag), logs and traces (OpenTelemetry):
 * they quote requests, queries and code.
 */
const REPORTED =
  /^body\.resource(?:Logs|Spans|Metrics)\.|(?:^|\.)breadcrumbs\.(?:values\.)?\d{1,4}\.(?:data\.)?(?:url|to|from)$|\.metaData\.script\.content$|\.db\.statement$/
/** What a cell of a notebook printed or raised: pages that it fetched too, and nothing shows it as markup. */
const PRINTED =
  /\.cells\.\d{1,4}\.outputs\.\d{1,4}\.(?:text|evalue|traceback|data\.text\/(?:plain|markdown|latex))(?:\.\d{1,5})?$/
/** A page of Confluence, in its own markup. */
const PAGE = /^body\.(?:\w{1,40}\.){0,4}body\.(?:storage|view|editor|export_view)\.value$/
/**
 * What Django tells the next page, with links to what was changed and its title: it signs the cookie, and
 * reads none that it did not sign.
 */
const SHOWN_ONCE = /^cookie\.messages\.\d{1,3}\.\d$/
/** The names of these fields; an element of a list has none. */
const IN_DOCUMENTS: ReadonlySet<string> = new Set([
  '',
  SHELL_PROGRAM,
  'value',
  'content',
  'text',
  'source',
  'prompt',
  'system',
  'instructions',
  'description',
  'contents',
  'code',
  'file_text',
  'new_str',
  'old_str',
  'new_string',
  'old_string',
  'newtext',
  'oldtext',
  'new_text',
  'old_text',
  'body',
  'note',
  'notes',
  'thought',
  'markdown',
  'sample',
  'script-sample',
  'statement',
  'stringvalue',
  'url',
  'message',
  // Of a flow, or of what is searched for.
  'query',
  'jscode',
  'pythoncode',
  'functioncode',
  'func',
  'initialize',
  'finalize',
  'template',
  'format',
  'info',
  // Of an advisory, and a whole mail (Amazon SES).
  'summary',
  'data',
  // What a cell of a notebook printed or raised.
  'evalue',
  'text/plain',
  'text/html',
  'text/markdown',
  'text/latex',
])

/** What a webhook that is sent as a form (GitHub) quotes in the one field it has. */
const PAYLOAD =
  /^body\.payload\.(?:(?:commits\.\d{1,4}|head_commit)\.message|(?:alert\.)?(?:security|repository)_advisory\.(?:description|summary))$/
/** The names of these fields. */
const HANDED_OVER: ReadonlySet<string> = new Set(['message', 'description', 'summary'])

/**
 * The setting of a field of a document that is known by all the names above it.
 * @param locator asked when the name of the field may be one of these
 */
export function documentFieldSetting(place: Place, name: string, locator: Locator): ValueSetting | undefined {
  if (place === 'cookie') return name === '' && SHOWN_ONCE.test(locator.location()) ? 'text' : undefined
  if (place === 'form')
    return HANDED_OVER.has(name) && PAYLOAD.test(locator.location()) ? 'document' : undefined
  if (place !== 'body' || !IN_DOCUMENTS.has(name)) return undefined
  const whole = locator.location()
  if (PAGE.test(whole)) return 'markup'
  if (QUOTING.test(whole) || PRINTED.test(whole)) return 'document'
  if (REPORTED.test(whole)) return 'report'
  return SAMPLE.test(whole) ? 'sample' : undefined
}

/** The setting of a value. */
export function settingOf(
  text: string,
  place: Place,
  name: string,
  type: ParameterType | undefined,
): ValueSetting {
  if (type === 'text' || type === 'markup' || type === 'url') return type
  if (place === 'name' || place === 'file-name' || place === 'path' || place === 'header') return 'plain'
  if (isSecretParameter(name)) return 'secret'
  if (place === 'body' && REPORT_FIELD.test(name)) return 'report'
  if (place === 'form') return formSetting(text, name)
  if (place !== 'body' || isOperandParameter(name)) return 'plain'
  if (isDocument(text) || FILE_PART.test(name)) return 'document'
  if (isFreeText(name) || CODE.test(name)) return 'prose'
  if (isItem(name)) return 'quotation'
  if (!isQuotation(name)) return 'data'
  return EVALUATED.test(name) ? 'program' : 'quotation'
}

function formSetting(text: string, name: string): ValueSetting {
  if (WIKI_SOURCE.test(name) && isDocument(text)) return 'document'
  if (name === MAIL && text.includes('\n')) return 'document'
  return isFreeText(name) ? 'prose' : 'plain'
}

function isQuotation(name: string): boolean {
  return name.length <= 64 && QUOTATION.test(name)
}

/** Whether a text is long and of many lines. Stops at the first line end that settles it. */
export function isDocument(text: string): boolean {
  if (text.length < THRESHOLDS.documentLength) return false
  let lines = 1
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) {
    if (++lines === THRESHOLDS.documentLines) return true
  }
  return false
}

/**
 * Where a Jupyter server keeps the files that people edit in it, and forges (GitLab, GitHub) those of a
 * commit and of a pipeline that is checked, whole in one field.
 */
const FILE_ADDRESS =
  /^(?:PUT|POST|PATCH) (?:\/[^/\s]{1,100}){0,8}\/(?:api\/contents(?:\/|$)|api\/v4\/(?:ci\/lint$|projects\/(?:[^/\s]{1,100}\/){1,8}(?:ci\/lint$|repository\/(?:commits$|files\/)))|repos\/[^/\s]{1,100}\/[^/\s]{1,100}\/git\/(?:trees|blobs)$)/i

/** Whether a field holds the whole text of a file that is kept as it is. */
export function isFileText(route: string, { place, name }: Reading): boolean {
  return place === 'body' && name === 'content' && FILE_ADDRESS.test(route)
}
