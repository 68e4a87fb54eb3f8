import { OF_EVERY_QUERY } from '../lex/sql-injection.ts'
import type { Hit } from '../matching/rule-set.ts'
import { thresholdOf } from '../rule/family.ts'
import type { Finding } from '../rule/match.ts'
import type { Rule } from '../rule/rule.ts'
import type { InspectorOptions } from '../settings/inspector-options.ts'
import { isBehindScript } from '../value/behind-script.ts'
import { pageSetting } from '../value/edited-page.ts'
import { isLogLine, isReported } from '../value/handed-over.ts'
import { isProductText } from '../value/product-texts.ts'
import type { Reading } from '../value/reading.ts'
import { isBody } from '../value/reading.ts'
import { isAthenaQuery, isConsoleStatement, isStatementField } from '../value/statement.ts'
import { THRESHOLDS } from '../value/thresholds.ts'
import { isToldToModel } from '../value/told-to-models.ts'
import {
  isBuildStep,
  isCommandField,
  isFileField,
  isFileText,
  isSettingOfPlace,
  isTitleField,
  isWholeQuery,
  SHELL_PROGRAM,
  type ValueSetting,
} from '../value/value-setting.ts'
import { isAgentItem } from './agent-item.ts'
import { isDatabaseServer, isStatementThere } from './database-page.ts'
import { isKeptFile, isWrittenFile } from './kept-file.ts'
import { isMeasureQuery } from './measure-query.ts'
import { isProgramSetting } from './program-setting.ts'
import { isRevisionQuery } from './revision-query.ts'
import { isSearchedFunction } from './searched-function.ts'
import { isTicketSearch } from './ticket-search.ts'
import { isToldFile } from './told-file.ts'
import { isTopic } from './topic.ts'
import { weigh } from './weigh.ts'

const LOOPBACK_URL = /^https?:\/\/(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\]):(\d{1,5})(?:\/|$)/

/** A command of some length with an argument, or a program by its path. */
const UNMISTAKABLE = /[a-z]{3,16}\s{1,4}[\w./$-]{2}|\/bin\/|\$\{?ifs|\/etc\//

/** A line for a shell: behind a separator a program, and what it is given, or the file that it writes. */
const COMMAND_LINE =
  /[;|&`\n(]\s{0,4}(?:(?:curl|wget|nc|ncat|ping|nslookup|telnetd?|chmod|busybox|python\d?|perl|tftp|ftpget|touch|sh|bash|powershell|certutil|mkfifo)\s{1,4}(?:-\w|https?:\/\/|\d{1,3}\.\d|\/\w|[\w-]{1,40}\.[a-z]{2})|(?:echo|id|ls|whoami|uname|ifconfig|ipconfig|dir|cat)\b[^\n>]{0,200}>{1,2}\s{0,2}(?:[\w.-]{0,16}\/[\w.]{2}|[a-z]:\\))/

/** Families whose rules find in commands what is no more than a command. */
const QUOTED_BY_COMMANDS: ReadonlySet<string> = new Set(['rce', 'sqli', 'code', 'traversal', 'template'])

/** Whether a hit could count in any setting: none adds to its score. */
export function couldCount({ rule, span }: Hit, level: InspectorOptions['level']): boolean {
  return (span.score ?? rule.score) >= thresholdOf(level) - 1
}

/** What a hit comes to where it stands; undefined when that is too little to tell anybody. */
export function matchOf(
  hit: Hit,
  reading: Reading,
  named: ValueSetting,
  location: string,
  options: InspectorOptions,
): Finding | undefined {
  const { rule, span } = hit
  const { level } = options
  const id = span.id ?? rule.id
  const threshold = thresholdOf(level)
  const isEscaped = reading.isEscaped && isBody(reading.place)
  const route = options.route()
  const setting = pageSetting(named, rule.family, route, reading)
  const isQuery = rule.family === 'sqli' && isWholeQuery(route, reading.name, reading.lower)
  const weighed =
    isCertainCommand(rule, setting, reading) ||
    isCertainCondition(id, setting, reading) ||
    isOfNoDocument(id, reading, location)
      ? (span.score ?? rule.score)
      : weigh(rule, id, span, settingThere(id, setting, isQuery, route, reading, location), level, isEscaped)
  const isData = level === 1 && takesSuch(rule.family, id, span, reading, location, options)
  const score = isData ? Math.min(weighed, threshold - 1) : weighed
  if (score < threshold - 1) return undefined
  // Conditions and order are what a whole query is made of.
  if (isQuery && level === 1 && OF_EVERY_QUERY.has(id)) return undefined
  if (isOrdinary(hit, id, reading, setting, location, options)) return undefined
  const isDocument = setting === 'document'
  const passesAsText = isDocument && weigh(rule, id, span, 'text', level, isEscaped) < threshold
  const isDoubtful = passesAsText || (isDocument && score < threshold)
  return {
    rule: id,
    family: rule.family,
    location,
    score,
    span: reading.text.slice(span.start, Math.min(span.end, span.start + THRESHOLDS.span)),
    ...(isDoubtful && { isDoubtful: true as const }),
    ...(passesAsText && { type: 'text' as const }),
    ...(isDocument && score < threshold && { isDoubted: true as const }),
  }
}

/** What a product would fetch of the network it stands in: no pipeline and no template needs it. */
const METADATA = 'ssrf/metadata'
/** Where GitLab checks a pipeline, and fetches what it includes. */
const CHECKED = /\/ci\/lint\/?$/i

/**
 * The setting as the address of the request says more of it than the field: a query, a line of a log, a
 * question to a language model.
 */
function settingThere(
  id: string,
  setting: ValueSetting,
  isQuery: boolean,
  route: string,
  reading: Reading,
  location: string,
): ValueSetting {
  const isOwn = !isBehindScript(route)
  if (isOwn && isLogLine(route, reading, location)) return 'document'
  if (setting === 'plain') return isQuery ? 'quotation' : 'plain'
  if (isOwn && isReported(route, reading, location)) return 'report'
  if (isToldToModel(route, reading)) return 'document'
  const isFetched = id === METADATA
  const isKept = isFileText(route, reading) && !(isFetched && CHECKED.test(route))
  return isKept || (!isFetched && isOwn && isProductText(route, reading, location)) ? 'document' : setting
}

/** A program that the database starts does not answer a query, whoever may send queries. */
const RUNS_PROGRAM: ReadonlySet<string> = new Set(['sqli/program', 'sqli/java-routine'])
/** What reaches the files, programs and the time of the server, as hardly anybody asks in a console. */
const LEAVES_THE_DATABASE: ReadonlySet<string> = new Set([
  ...RUNS_PROGRAM,
  'sqli/outfile',
  'sqli/procedure',
  'sqli/select-time',
  'sqli/server-file',
  'sqli/time',
  'sqli/wait-commented',
])
const BACKTICK = 96
/** A file or a query where it is but named. */
const NAMED: ReadonlySet<string> = new Set(['traversal/sensitive-file', 'traversal/mention', 'sqli/query'])
/**
 * No container is started for a shell that answers to somebody else or is asked who it is, nor for a program
 * from nowhere.
 */
const OF_NO_DOCUMENT: ReadonlySet<string> = new Set([
  'rce/shell-back',
  'rce/shell-look',
  'code/look-call',
  'rce/fetched-script',
  'rce/fetched-tool',
  'rce/fetched-item',
  'rce/loading-setting',
  'rce/look-into-file',
])

/** Whether it stands where a document holds a command, and no document holds this one. */
function isOfNoDocument(id: string, reading: Reading, location: string): boolean {
  const { place, name } = reading
  if (!OF_NO_DOCUMENT.has(id) || !isBody(place)) return false
  return name === SHELL_PROGRAM || isCommandField(location) || isBuildStep(reading, location)
}

/** Whether a field of a document is there to take what a rule of a family finds: commands or SQL. */
function takesSuch(
  family: string,
  id: string,
  { start }: Hit['span'],
  reading: Reading,
  location: string,
  { asksDatabase, route }: InspectorOptions,
): boolean {
  const { place, name } = reading
  if (family === 'sqli' && (isStatementField(place, name) || isAthenaQuery(route(), location)))
    return !RUNS_PROGRAM.has(id)
  // MySQL sets names between backticks.
  const isName = family === 'rce' && reading.text.charCodeAt(start) === BACKTICK
  const mayBeStatement = isName || family === 'sqli'
  if (mayBeStatement && (isConsoleStatement(reading) || isStatementThere(reading, asksDatabase)))
    return !LEAVES_THE_DATABASE.has(id)
  if (family === 'traversal' && isBody(place) && isFileField(location)) return NAMED.has(id)
  if (OF_NO_DOCUMENT.has(id) || !QUOTED_BY_COMMANDS.has(family) || !isBody(place)) return false
  return isCommandField(location) || isBuildStep(reading, location)
}

/** The backend's own host, where something may be called. */
const OWN_HOST = 'ssrf/target'

/** Whether a file or a query is but named where it stands. */
function isNamedOnly(family: string, reading: Reading, location: string): boolean {
  if (isTitleField(reading) || isSettingOfPlace(reading)) return true
  return family === 'traversal' && isAgentItem(reading, PAGE_ADDRESS.test(location))
}

/** Whether a value is of a language of queries that one application has, or names what is looked for. */
function isOfLanguage(id: string, route: string, reading: Reading): boolean {
  const { name, lower } = reading
  return (
    isMeasureQuery(id, route, name, lower) ||
    isRevisionQuery(id, name, lower) ||
    isSearchedFunction(id, name, lower) ||
    isTicketSearch(id, route, name, lower) ||
    isTopic(id, reading)
  )
}

/** Whether honest requests have this very thing where it stands, whatever it scores. */
function isOrdinary(
  { rule: { family }, span }: Hit,
  id: string,
  reading: Reading,
  setting: ValueSetting,
  location: string,
  options: InspectorOptions,
): boolean {
  const { method, ownPort } = options
  if (isElsewhere(id, family, location) || isFolderSettings(id, method, reading.lower)) return true
  if (isFileThere(id, span, reading, method)) return true
  if (options.level === 1) {
    if (isToldFile(id, span, reading) || isOrdinaryThere(family, id, reading, location, options)) return true
  }
  if (family === 'ssrf' || family === 'rfi') return isOwnAddress(reading.text, ownPort)
  return family === 'rce' && id !== 'rce/separated-look' && setting === 'secret' && mayBeChance(reading, span)
}

/** Whether they have it where the benefit of the doubt is given. */
function isOrdinaryThere(
  family: string,
  id: string,
  reading: Reading,
  location: string,
  { route, pageRoute = route, asksDatabase }: InspectorOptions,
): boolean {
  if (isWrittenFile(id, route(), reading.name) || isProgramSetting(id, reading)) return true
  if (NAMED.has(id) && isNamedOnly(family, reading, location)) return true
  if (isOfLanguage(id, PAGE_ADDRESS.test(location) ? pageRoute() : route(), reading)) return true
  return id === OWN_HOST && isDatabaseServer(reading.name, reading.lower, asksDatabase)
}

/** Whether a file is kept where it is asked for, stored there or a script that runs. */
function isFileThere(id: string, { start, end }: Hit['span'], { lower }: Reading, method: string): boolean {
  if (isKeptFile(id, method, lower, lower.slice(start, end))) return true
  return isStored(id, method, lower) || isRunningScript(id, method, lower)
}

/** Whether a secret is a line for a shell, of which a rule may have found but the last word (`|sh`). */
function isCertainCommand({ family }: Rule, setting: ValueSetting, { lower }: Reading): boolean {
  return family === 'rce' && setting === 'secret' && COMMAND_LINE.test(lower)
}

/**
 * A condition behind a quote that holds for every row, in words, and ends as the query needs it: with a
 * quote that is still to come, or with a comment. What it compares are the groups.
 */
const CONDITION =
  /["'`][\s)]{0,8}(?:(?:or|and|xor)\b[\s(]{0,8}|(?:\|\||&&)\s{0,4})(?:["'](\w{0,12})["']\s{0,4}(?:=|like\b)\s{0,4}["'](\w{0,12})|(?:(\w{1,12})\s{0,4}(?:=|like\b)\s{0,4}(\w{1,12})|true|\d{1,4})[\s)]{0,8}(?:--|#|\/\*))/

/** Whether a secret is a condition that always holds, shorter than what else counts there: `' or 1=1--`. */
function isCertainCondition(id: string, setting: ValueSetting, { lower }: Reading): boolean {
  if (setting !== 'secret' || id !== 'sqli/tautology') return false
  const found = CONDITION.exec(lower)
  if (found === null) return false
  const [, quoted, other, bare, same] = found
  return quoted === other && bare === same
}

/** Chance makes short commands and separators out of the signs of a password. */
function mayBeChance(reading: Reading, { start, end }: Hit['span']): boolean {
  return !UNMISTAKABLE.test(reading.lower.slice(start, end)) && !COMMAND_LINE.test(reading.lower)
}

const PAGE_ADDRESS = /^header\.(?:referer|hx-current-url)(?:\.|$)/

/**
 * Whether what was found acts only in another place: a body that is one text goes into no head of a mail,
 * and the address of a page may be about a scanner, or about nuclei.
 */
function isElsewhere(id: string, family: string, location: string): boolean {
  if (id === 'scanner/user-agent') return PAGE_ADDRESS.test(location)
  return family === 'mail' && location === 'body'
}

/** Methods that show nobody what a file holds. */
const KEEPING: ReadonlySet<string> = new Set(['PUT', 'DELETE', 'MOVE'])
/** What looks like a file of the server itself, and is read by nothing where it is put. */
const INERT = /\/(?:[\w-]{1,60}\.log|nginx\.conf)$/

/** Whether a file is stored or removed by who keeps it: a store of objects has dumps and logs of others. */
function isStored(id: string, method: string, lower: string): boolean {
  return KEEPING.has(method) && (id === 'probe/file' || (id === 'probe/path' && INERT.test(lower)))
}

const READING: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST'])

/** Whether the Finder of macOS keeps the settings of a folder there, as it does on every share (WebDAV). */
function isFolderSettings(id: string, method: string, lower: string): boolean {
  return id === 'probe/path' && !READING.has(method) && lower.endsWith('/.ds_store')
}

const PLACING: ReadonlySet<string> = new Set(['PUT', 'MOVE', 'COPY'])
const SCRIPT_ITSELF = /\.(?:php\d?|cfm)\/$/

/**
 * Whether a script is asked to run with `/` as what it routes: `/index.php/` (Symfony, WordPress, MediaWiki),
 * `/dav.php/` (SabreDAV), `/index.cfm/` (ColdBox). Only what places a file there names one.
 */
function isRunningScript(id: string, method: string, lower: string): boolean {
  return id === 'upload/put-page' && !PLACING.has(method) && SCRIPT_ITSELF.test(lower)
}

/** Whether a URL names the very port that the request came in on. */
function isOwnAddress(url: string, port: number | undefined): boolean {
  return port !== undefined && Number(LOOPBACK_URL.exec(url)?.[1]) === port
}
