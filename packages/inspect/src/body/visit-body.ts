import { visitForm } from './form.ts'
import { isGraphql, visitGraphql } from './graphql.ts'
import { visitJson } from './json.ts'
import { boundaryOf, visitMultipart } from './multipart.ts'
import { decodeBytes, decodeText, isBinary } from './text.ts'
import { isExecutableUpload } from './upload.ts'
import { at, type ValueVisitor } from './value-visitor.ts'
import { visitXml } from './xml.ts'

const JSON_LIKE = /^\s{0,64}[[{]\s{0,64}["[{\]}]/
const XML_LIKE = /^\ufeff?\s{0,64}<(?:\?xml|!doctype|[\w:]+[\s>/])/i
const FORM_LIKE = /^[^\s=&{}<>"]{1,128}=/
const BINARY_TYPE =
  /^(?:image|audio|video|font)\/|^application\/(?:octet-stream|zip|gzip|pdf|wasm|x-protobuf|grpc|protobuf|msgpack|cbor)/i

/** Whether a body starts like a JSON or XML document, whatever it says it is. */
export function isDocument(bytes: Buffer): boolean {
  const start = decodeBytes(bytes.subarray(0, 512))
  return JSON_LIKE.test(start) || XML_LIKE.test(start)
}

/**
 * Walks the values of a body by what it is, not only by what it says it is: a JSON document sent as text is read as JSON too, since a lenient backend would. The whole of an XML document is told
 * to `whole`, for the rules about its declarations.
 */
export function visitBody(
  bytes: Buffer,
  contentType: string,
  depth: number,
  visitor: ValueVisitor,
  whole: (text: string) => void,
): void {
  if (bytes.length === 0) return
  const type = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (type.startsWith('multipart/')) {
    const boundary = boundaryOf(contentType)
    if (boundary !== undefined && bytes.includes(`--${boundary}`)) {
      visitMultipart(bytes, boundary, visitor)
      return
    }
  }
  if (BINARY_TYPE.test(type) || (type === '' && isBinary(bytes))) {
    if (isExecutableUpload(bytes))
      visitor.value(bytes.subarray(0, 256).toString('latin1'), 'body', at('body'))
    if (isBinary(bytes)) {
      if (bytes.length >= 4 && bytes.readUInt32BE(0) === 0xaced0005)
        visitor.value('\u00ac\u00ed\u0000\u0005', 'body', at('body'))
      return
    }
  }
  const text = decodeText(bytes, contentType)
  if (JSON_LIKE.test(text) || /[/+]json$/.test(type)) {
    // What is no JSON, whatever it is called, is text to a backend that reads it leniently.
    if (visitJson(text, 'body', depth, visitor) === 'broken' && !isGraphql(text)) {
      if (visitor.value(text, 'form', at('body')) && FORM_LIKE.test(text)) visitForm(text, 'body', 'form', visitor)
    }
  }
  else if (XML_LIKE.test(text) || /[/+]xml$/.test(type)) {
    whole(text)
    visitXml(text, depth, visitor)
  } else if (type === 'application/graphql' || isGraphql(text)) visitGraphql(text, 'body', visitor)
  else if (type === 'application/x-www-form-urlencoded') visitForm(text, 'body', 'form', visitor)
  else {
    if (!visitor.value(text, 'body', at('body'))) return
    if (FORM_LIKE.test(text)) visitForm(text, 'body', 'form', visitor)
  }
}
