import { charsetOf } from '../canonicalise/charset.ts'
import { decodeBytes, decodeLongBytes, decodeLongText, isBinary } from '../canonicalise/text.ts'
import { isSerialisedObject } from '../lex/serialised-object.ts'
import type { Steps } from '../value/steps.ts'
import { at, type ValueVisitor } from '../value/value-visitor.ts'
import { archiveEscape } from './archive-names.ts'
import { mayHoldDocuments, visitArchived, visitDocument } from './archived-documents.ts'
import { visitStrings } from './binary-strings.ts'
import { startOf } from './fetched-by-file.ts'
import { visitForm } from './form.ts'
import { isGraphql, MANY_ATTEMPTS, visitGraphql } from './graphql.ts'
import { withoutIncludedBeside } from './included-beside.ts'
import { visitJson } from './json.ts'
import { leadingValues } from './leading-values.ts'
import { logsInOften } from './many-calls.ts'
import { messagesIn } from './messages.ts'
import { namesParts, visitParts, visitPossibleParts } from './multipart.ts'
import { pairsBehind } from './pairs-behind.ts'
import { visitQuotedStrings } from './quoted-strings.ts'
import { recoveredXml } from './recovered-xml.ts'
import { unreadableCharset } from './unreadable-charset.ts'
import { isArchive, mayBeDocument, OBJECT, scriptIn } from './upload.ts'
import { visitXml } from './xml.ts'
import { quotedReadings } from './yaml-strings.ts'

const JSON_LIKE = /^\ufeff?\s{0,64}[[{]\s{0,64}(?:["[{\]}]|-?\d|(?:true|false|null)\b)/
const XML_LIKE = /^\ufeff?\s{0,64}<(?:\?[\w:.-]|!doctype|!--|[\w:.-]{1,256}[\s>/])/i
/** A short document behind a few characters, which REXML, xmldom and fast-xml-parser pass over. */
const XML_BEHIND = /^[^<\s]{1,8}<(?:[?!]|[\w:.-]{1,64}[\s>/])[\s\S]{0,8192}>\s{0,64}$/
/** What parts or stands for the characters of a document. */
const XML_DISGUISE = /<!\[CDATA\[|<!--|<\?|&#/
const MARKUP_LIKE = /^\ufeff?\s{0,64}</
/** A string alone is a document too (RFC 8259 section 2), and JSON5 has other quotes and comments. */
const STRING_LIKE =
  /^\ufeff?\s{0,64}(?:(["'])[\s\S]{0,8192}\1|[[{]\s{0,64}(?:["']|\/[/*])[\s\S]{0,8192}[\]}])\s{0,64}$/
const FORM_LIKE = /^[^\s=&{}<>"]{1,128}=/
/** What a browser takes for a page or a picture that may run code. */
const PAGE =
  /^\ufeff?\s{0,64}(?:<(?:\?xml[^>]{0,200}|!doctype[^>]{0,200}|!--[^>]{0,400})>\s{0,64}){0,4}<(?:svg|html|script|img|iframe|body|math|embed|object|video|audio|details|form|input|a)\b/i
/** A program for a server, whatever its type says: no document begins so (XML 1.0, production 22). */
const PROGRAM = /^\ufeff?\s{0,64}(?:<\?xml[^>]{0,200}>\s{0,64})?<(?:%|\?(?:php\b|=)|jsp:)/i
/** What only a browser reads. */
const HTML_PAGE = /^\ufeff?\s{0,64}(?:<!--[^>]{0,400}-->\s{0,64}){0,4}<(?:!doctype\s{1,8}html|html)\b/i
/** Files by name that hold text which no server runs and no page shows as its own. */
const TEXT_FILE =
  /\/[^/]{0,200}\.(?:txt|md|markdown|rst|log|csv|tsv|sql|zip|tar|patch|diff|tex|adoc|ics|ifb|vcf|vcard)$/i
/** Sources of programs, which no server runs as they are: only what opens a door by itself is looked for. */
const SOURCE_FILE =
  /\/[^/]{0,200}\.(?:sh|bash|c|h|cc|cpp|hpp|cs|go|rs|java|kt|swift|scala|ts|tsx|vue|svelte|ipynb)$|\/(?:docker|container|make|jenkins|vagrant)file$/i

const PART_TYPES: ReadonlySet<string> = new Set([
  'application/offset+octet-stream',
  'application/partial-upload',
])

/** What a body came with. */
export interface BodyHead {
  readonly method: string
  /** Path as sent, without the query. */
  readonly path: string
  /** Empty when there is none. */
  readonly contentType: string
}

/** Also what PHP and Werkzeug take for it: something behind the type, and an older name. */
const FORM_TYPE = /^application\/x-(?:www-form-urlencoded|url-encoded)(?![\w.+-])/

/** Formidable looks for it anywhere in a content type, and `Request.formData` at the end of a list. */
const NAMES_FORM = /urlencoded/i

/** Whether a content type is that of a form. */
export function isFormType(contentType: string): boolean {
  return FORM_TYPE.test(typeOf(contentType)) || NAMES_FORM.test(contentType)
}

/** Whether a content type is one of several parts. */
export function isMultipartType(contentType: string): boolean {
  return typeOf(contentType).startsWith('multipart/')
}

/** Whether a body is read as JSON: by its start, or by what it says it is. */
export function isJsonBody(text: string, contentType: string): boolean {
  return JSON_LIKE.test(text) || typeOf(contentType).includes('json')
}

/** Keeps the last type: of one body it is asked for several times, and most bodies are alike. */
class MediaTypes {
  #contentType = ''
  #type = ''

  of(contentType: string): string {
    if (contentType !== this.#contentType) {
      const semicolon = contentType.indexOf(';')
      const type = semicolon < 0 ? contentType : contentType.slice(0, semicolon)
      this.#contentType = contentType
      this.#type = type.trim().toLowerCase()
    }
    return this.#type
  }
}

const mediaTypes = new MediaTypes()

function typeOf(contentType: string): string {
  return mediaTypes.of(contentType)
}

/** Whether a body starts like a JSON or XML document, whatever it says it is. */
export function isDocument(bytes: Buffer): boolean {
  const start = decodeBytes(bytes.subarray(0, 512))
  return JSON_LIKE.test(start) || XML_LIKE.test(start)
}

/** Whether bytes that are not text begin with a sign that documents begin with. */
export function mayBeginDocument(bytes: Buffer): boolean {
  const start = decodeBytes(bytes.subarray(0, 512))
  return JSON_LIKE.test(start) || MARKUP_LIKE.test(start)
}

/**
 * Walks the values of a body by its bytes: text, JSON, XML, form, multipart or binary. What its type says
 * only adds to that (a backend may believe it); bytes that are not text are read as text under the name of a
 * form alone. The whole of an XML document is passed to `whole`, for the rules about its declarations.
 */
export function* visitBody(
  bytes: Buffer,
  head: BodyHead,
  depth: number,
  visitor: ValueVisitor,
  whole: (text: string) => void,
): Steps {
  if (bytes.length === 0) return
  const type = typeOf(head.contentType)
  // Django and others decode every field from the charset of the whole body.
  if (isMultipartType(type) && !isCharsetRead(head.contentType, visitor)) return
  if (isMultipartType(type)) {
    if (yield* visitParts(bytes, head.contentType, visitor)) return
  } else if (namesParts(head.contentType)) yield* visitPossibleParts(bytes, head.contentType, visitor)
  // An archive that stores a long text looks like one.
  if (mayHoldDocuments(bytes) && !(yield* visitArchived(bytes, 'body', visitor))) return
  visitMessages(bytes, type, visitor)
  const isForm = isFormType(head.contentType)
  if (!isForm && isBinary(bytes, head.contentType)) {
    yield* visitBinary(bytes, head, depth, visitor, whole)
    return
  }
  if (!isCharsetRead(head.contentType, visitor)) return
  const text = yield* decodeLongText(bytes, head.contentType, visitor)
  // Decoding a long body takes a part of a slice.
  visitor.work(text.length >> 4)
  if (visitor.isPaused) yield
  const seen = yield* visitText(text, bytes, head, depth, visitor, whole)
  if (charsetOf(bytes, head.contentType) !== undefined) yield* visitBytes(bytes, head, depth, visitor, whole)
  // A form to whoever goes by the label, whatever its first field looks like.
  else if (isForm && seen !== 'form') yield* visitForm(pairsBehind(text, seen), 'body', 'form', visitor)
}

/** @returns what the text was read as where no other reading holds more: JSON to its end, or a form */
function* visitText(
  text: string,
  bytes: Buffer,
  head: BodyHead,
  depth: number,
  visitor: ValueVisitor,
  whole: (text: string) => void,
): Steps<'json' | 'form' | 'other'> {
  const type = typeOf(head.contentType)
  if (isJsonBody(text, head.contentType)) {
    // What is not JSON, whatever it is called, is text to a backend that reads it leniently.
    if ((yield* visitJson(text, 'body', depth, visitor)) !== 'broken') return 'json'
    yield* isGraphql(text) ? visitQuery(text, visitor) : visitNearlyJson(text, visitor)
  } else if (XML_LIKE.test(text) || /[/+]xml$/.test(type)) {
    whole(withoutIncludedBeside(text))
    const declaration = /^[^>]{0,256}/.exec(text)?.[0] ?? ''
    const isRead = charsetOf(bytes, head.contentType)?.name === 'ebcdic' && EBCDIC.test(declaration)
    if (!isRead) isCharsetRead(declaration, visitor)
    yield* visitMarkup(text, type, depth, visitor)
  } else if (type === 'application/graphql' || isGraphql(text)) yield* visitQuery(text, visitor)
  else if (isFormType(head.contentType)) {
    yield* visitForm(text, 'body', 'form', visitor)
    return 'form'
  } else if (isPartOfFile(text, type, head.method) || isSourceFile(text, head))
    yield* visitScript(bytes, head, visitor)
  else if (head.method !== 'PUT' || !TEXT_FILE.test(head.path)) yield* visitUnlabelled(text, depth, visitor)
  return 'other'
}

/** Text as such, and as the document that it may be to a lenient parser. */
function* visitUnlabelled(text: string, depth: number, visitor: ValueVisitor): Steps {
  yield* visitRaw(text, visitor)
  if (XML_BEHIND.test(text) && XML_DISGUISE.test(text)) yield* visitXml(text, depth, visitor, 'page')
}

/** @returns false for a charset that a backend may decode and that cannot be read here */
function isCharsetRead(labels: string, visitor: ValueVisitor): boolean {
  const charset = unreadableCharset(labels)
  if (charset !== undefined) visitor.tooBig('bounds/charset', 'body', charset)
  return charset === undefined
}

/** Code pages that agree about what is read here. */
const EBCDIC = /["'](?:ebcdic-cp-(?:us|ca|nl|wt)|(?:ibm|cp)-?0?(?:37|500|1047|1140))["']/i
const CHARSET = /;\s{0,64}charset\s{0,8}=[^;]{0,64}/gi

/** The bytes as most backends read them, for which ASCII is ASCII whatever the charset is said to be. */
function* visitBytes(
  bytes: Buffer,
  head: BodyHead,
  depth: number,
  visitor: ValueVisitor,
  whole: (text: string) => void,
): Steps {
  const contentType = head.contentType.replace(CHARSET, '')
  if (isFormType(contentType))
    yield* visitForm(yield* decodeLongBytes(bytes, visitor), 'body', 'form', visitor)
  else if (charsetOf(bytes, contentType) === undefined)
    yield* visitBody(bytes, { ...head, contentType }, depth, visitor, whole)
  // A file that begins like a text in a wide encoding.
  else yield* visitBinary(bytes, head, depth, visitor, whole)
}

/**
 * Whether a text is a file, or a part of one, that a protocol of uploads stores: by the types that tus and
 * resumable uploads (draft-ietf-httpbis-resumable-upload) fix, or as bytes without a type that replace or
 * extend a resource. Documents and forms are never taken for one: a careless backend reads those.
 */
function isPartOfFile(text: string, type: string, method: string): boolean {
  return !FORM_LIKE.test(text) && isStored(type, method)
}

/** Whether a text replaces the source of a program, as WebDAV and stores of objects take one by its name. */
function isSourceFile(text: string, { method, path }: BodyHead): boolean {
  return method === 'PUT' && !FORM_LIKE.test(text) && SOURCE_FILE.test(path)
}

function isStored(type: string, method: string): boolean {
  if (PART_TYPES.has(type)) return true
  return type === 'application/octet-stream' && (method === 'PUT' || method === 'PATCH')
}

function* visitMarkup(text: string, type: string, depth: number, visitor: ValueVisitor): Steps {
  const isXml = /[/+]xml$/.test(type)
  // A page is a document of its own: what it shows is quoted, and nothing reads it as XML.
  if (!isXml && HTML_PAGE.test(text)) {
    visitor.value(text, 'body', at('body'))
    return
  }
  if (!(yield* visitDocument(startOf(text), 'body', visitor))) return
  if (logsInOften(text) && !visitor.value(MANY_ATTEMPTS, 'body', at('body'))) return
  yield* visitXml(text, depth, visitor, isXml ? 'xml' : 'page')
  // A long page under another name is hardly given to a parser that recovers.
  const recovered = isXml || text.length < 8_192 ? yield* recoveredXml(text, visitor) : text
  if (recovered !== text) yield* visitXml(recovered, depth, visitor, 'page')
  // Markup under another name, or in a picture: what shows it runs it.
  if (!isXml || PAGE.test(text) || PROGRAM.test(text)) visitor.value(text, 'body', at('body'))
}

/** A GraphQL document, or what only begins like one. */
function* visitQuery(text: string, visitor: ValueVisitor): Steps {
  if ((yield* visitGraphql(text, 'body', visitor)) === 'broken') yield* visitNearlyJson(text, visitor)
}

/** What is not JSON to a strict parser: text to some backends, and JSON to lenient ones. */
function* visitNearlyJson(text: string, visitor: ValueVisitor): Steps {
  yield* visitRaw(text, visitor)
  yield* visitQuotedStrings(text, visitor)
}

/** Text as such, and as the form that it may be. */
function* visitRaw(text: string, visitor: ValueVisitor): Steps {
  if (!visitor.value(text, 'body', at('body'))) return
  if (visitor.isPaused) yield
  for (const reading of quotedReadings(text)) {
    if (!visitor.value(reading, 'body', at('body'))) return
    if (visitor.isPaused) yield
  }
  if (FORM_LIKE.test(text)) yield* visitForm(text, 'body', 'form', visitor)
  if (STRING_LIKE.test(text)) yield* visitQuotedStrings(text, visitor)
}

/** A message of a binary protocol rather than a file. */
const SMALL = 2_048

/**
 * The message that gRPC-Web sends as base64, in pieces that are padded each (gRPC-Web, "Protocol
 * differences vs gRPC over HTTP2"). Of a longer one, as much as is read of a message.
 */
function messageIn(bytes: Buffer): Buffer {
  const coded = bytes.toString('latin1', 0, SMALL * 2)
  const pieces = coded.match(/[\w+/-]{2,4096}={0,2}/g) ?? []
  return Buffer.concat(pieces.map(piece => Buffer.from(piece, 'base64')))
}

/** What stands in the messages of a body that is neither its bytes nor its text. */
function visitMessages(bytes: Buffer, type: string, visitor: ValueVisitor): void {
  if (!type.startsWith('application/')) return
  const isCoded = type.startsWith('application/grpc-web-text')
  const message = isCoded ? messageIn(bytes) : bytes
  if (isCoded) visitStrings(message, visitor)
  if (message.length > SMALL) return
  for (const inner of messagesIn(message, type)) {
    visitor.work(inner.length)
    visitStrings(inner, visitor)
  }
}

/**
 * Whether bytes are changes to sources as Mercurial (`hg help internals.bundles`) or Subversion (svndiff,
 * below `!svn`) hands them over.
 */
function isBundle(bytes: Buffer, { path, contentType }: BodyHead): boolean {
  const type = typeOf(contentType)
  const start = bytes.toString('latin1', 0, 4)
  return BUNDLES.some(bundle => bundle.type.test(type) && bundle.start.test(start) && bundle.path.test(path))
}

const BUNDLES: readonly { readonly type: RegExp; readonly start: RegExp; readonly path: RegExp }[] = [
  { type: /^application\/mercurial-0\.[12]$/, start: /^HG(?:10|20)$/, path: /^/ },
  {
    type: /^application\/vnd\.svn-svndiff$/,
    start: /^SVN[\u0000-\u0002]$/,
    path: /\/!svn\/(?:txr|wrk)\//,
  },
]

/**
 * Of bytes that are not text: whether a server would run them, whether they are an object that reading them
 * builds, and what document or text they begin with.
 */
function* visitBinary(
  bytes: Buffer,
  head: BodyHead,
  depth: number,
  visitor: ValueVisitor,
  whole: (text: string) => void,
): Steps {
  const entry = yield* archiveEscape(bytes, visitor)
  if (entry !== undefined && !visitor.value(entry, 'file-name', at('body#entry'))) return
  const type = typeOf(head.contentType)
  const isChange = isBundle(bytes, head)
  if (!isChange && !(yield* visitScript(bytes, head, visitor))) return
  const isFile = isArchive(bytes) || isStored(type, head.method) || isChange
  if (bytes.length <= SMALL && !isFile) visitStrings(bytes, visitor)
  if (startsObject(bytes, isFile)) visitor.value(OBJECT, 'form', at('body'))
  const start = decodeBytes(bytes.subarray(0, 512))
  if (isJsonBody(start, head.contentType)) {
    visitor.work(bytes.length >> 4)
    const values = yield* leadingValues(yield* decodeLongBytes(bytes, visitor), visitor)
    if ((yield* visitJson(values, 'body', depth, visitor)) === 'broken')
      yield* visitNearlyJson(values, visitor)
  } else if (MARKUP_LIKE.test(start) || /[/+]xml$/.test(type)) {
    const text = yield* decodeLongBytes(bytes, visitor)
    whole(text)
    yield* visitMarkup(text, type, depth, visitor)
  } else if (type.startsWith('text/')) {
    const text = yield* decodeLongBytes(bytes, visitor)
    yield* visitRaw(/^[^\0-\u0008\u000e-\u001f]*/.exec(text)?.[0] ?? '', visitor)
  }
}

/** What an object of Java begins with, and with what in it. */
const JAVA_STREAM = Buffer.from([0xac, 0xed, 0, 5])
const JAVA_CONTENT: ReadonlySet<number> = new Set([...'qrstuvwxyz{|}~'].map(sign => sign.charCodeAt(0)))
/** Bytes of a protocol before it: lengths, a version, a kind of call. */
const BEFORE_OBJECT = 64
const OBJECT_WITHIN = 4_096

/** Whether bytes are an object that a backend builds while it reads them; in a message, behind its head. */
function startsObject(bytes: Buffer, isFile: boolean): boolean {
  const start = bytes.subarray(0, BEFORE_OBJECT + JAVA_STREAM.length).indexOf(JAVA_STREAM)
  if (start === 0) return true
  if (isFile) return false
  const content = bytes[start + JAVA_STREAM.length] ?? 0
  if (start > 0 && JAVA_CONTENT.has(content)) return true
  return isSerialisedObject(bytes.toString('latin1', 0, OBJECT_WITHIN))
}

/** What a server would run of a file, or what a parser of it would fetch. @returns whether to go on */
function* visitScript(bytes: Buffer, head: BodyHead, visitor: ValueVisitor): Steps<boolean> {
  const name = head.path.slice(head.path.lastIndexOf('/') + 1)
  if (mayBeDocument(name) && !(yield* visitDocument(bytes, 'body', visitor))) return false
  const script = scriptIn(bytes, name)
  return script === undefined || visitor.value(script, 'form', at('body'))
}
