import { gzipSync } from 'node:zlib'
import type { BenchRequest } from './detect-requests.ts'

/** A way in which an attacker can send a text. */
export interface WorstCaseShape {
  readonly name: string
  /** Longest text that a server takes so, in bytes; more is cut. */
  readonly most: number
  /** @param length bytes of the request that carry the text */
  readonly request: (text: string, length: number) => BenchRequest
}

const BODY = Number.POSITIVE_INFINITY
/** As long as Node takes the head of a request. */
const HEAD = 16_000
const BOUNDARY = 'postern-bench'
/** Levels of a nested document. */
const DEPTH = 100
/** Characters of one cookie, one field, one part of a document ... */
const PART = 200
/** ... and where as many as possible are sent. */
const SHORT_PART = 8

function body(name: string, type: string, make: (text: string, length: number) => string): WorstCaseShape {
  return {
    name,
    most: BODY,
    request: (text, length) => ({
      method: 'POST',
      target: '/',
      headers: ['content-type', type],
      body: Buffer.from(make(text, length)).subarray(0, length),
    }),
  }
}

function parts(text: string, size: number = PART): readonly string[] {
  return Array.from({ length: Math.ceil(text.length / size) }, (_, i) => text.slice(i * size, (i + 1) * size))
}

/** Short parts, each under a name of its own. */
function named(text: string): readonly [string, string][] {
  return parts(text, SHORT_PART).map((value, i) => [i.toString(36), value])
}

function pairs(text: string, joint: string): string {
  return named(text)
    .map(pair => pair.join('='))
    .join(joint)
}

function field(value: string, index: number): string {
  return `--${BOUNDARY}\r\nContent-Disposition: form-data; name="f${index}"\r\n\r\n${value}\r\n`
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

/** Every way in which inspection reads a text that somebody sends. */
export const WORST_CASE_SHAPES: readonly WorstCaseShape[] = [
  body('JSON', 'application/json', text => JSON.stringify({ text })),
  body('text', 'text/plain', text => text),
  body('XML', 'application/xml', text => `<?xml version="1.0"?><a>${text}`),
  body('form', 'application/x-www-form-urlencoded', text => `a=${encodeURIComponent(text)}`),
  body('form of many pairs', 'application/x-www-form-urlencoded', text => text),
  body('form of many short values', 'application/x-www-form-urlencoded', text =>
    pairs(text.replaceAll('&', '+'), '&'),
  ),
  body('form of many short escaped values', 'application/x-www-form-urlencoded', text =>
    named(text)
      .map(([name, value]) => `${name}=${encodeURIComponent(value.toWellFormed())}`)
      .join('&'),
  ),
  body('JSON, many short values', 'application/json', text => JSON.stringify(parts(text, SHORT_PART))),
  body('JSON, many short names', 'application/json', text =>
    JSON.stringify(Object.fromEntries(named(text).map(([name, value]) => [value + name, 1]))),
  ),
  body(
    'JSON, many short documents',
    'application/json',
    text => `[${named(text).map(([name, value]) => JSON.stringify({ [name]: { a: value } }))}]`,
  ),
  body('JSON in JSON, many short values', 'application/json', text =>
    JSON.stringify(JSON.stringify(parts(text, SHORT_PART))),
  ),
  body(
    'XML of many short elements',
    'application/xml',
    text =>
      `<?xml version="1.0"?><a>${parts(text.replaceAll('<', '(').replaceAll(']', ')'), SHORT_PART)
        .map(part => `<b>${part}</b>`)
        .join('')}`,
  ),
  body(
    'XML of many short attributes',
    'application/xml',
    text =>
      `<?xml version="1.0"?><a>${parts(text.replaceAll('"', "'"), SHORT_PART)
        .map(part => `<b c="${part}"/>`)
        .join('')}`,
  ),
  body(
    'GraphQL of many short strings',
    'application/graphql',
    text => `query {${parts(text, SHORT_PART).map(part => ` a(b:${JSON.stringify(part)})`)}}`,
  ),
  body('multipart of many short parts', `multipart/form-data; boundary=${BOUNDARY}`, text =>
    parts(text, SHORT_PART).map(field).join(''),
  ),
  body('multipart', `multipart/form-data; boundary=${BOUNDARY}`, text => parts(text).map(field).join('')),
  body('GraphQL', 'application/graphql', text => `query { a(b: ${JSON.stringify(text)}) { id } }`),
  body(
    'JSON, every character escaped',
    'application/json',
    (text, length) =>
      `{"text":"${[...text.slice(0, length / 6)].map(c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"}`,
  ),
  body('JSON, many fields', 'application/json', text => JSON.stringify(parts(text))),
  body('JSON, deep', 'application/json', text => `${'{"a":['.repeat(DEPTH)}${JSON.stringify(text)}`),
  body('base64 in base64', 'application/json', (text, length) =>
    JSON.stringify({ text: base64(base64(text.slice(0, length * 0.56))) }),
  ),
  {
    name: 'text in gzip',
    most: BODY,
    request: text => ({
      method: 'POST',
      target: '/',
      headers: ['content-type', 'text/plain', 'content-encoding', 'gzip'],
      body: gzipSync(text),
    }),
  },
  {
    name: 'cookies',
    most: HEAD,
    request: (text, length) => ({
      method: 'GET',
      target: '/',
      headers: [
        'cookie',
        parts(text.slice(0, length).replace(/[^ -~]|;/g, ' '))
          .map((value, i) => `c${i}=${value}`)
          .join('; '),
      ],
    }),
  },
  {
    name: 'short cookies',
    most: HEAD,
    request: (text, length) => ({
      method: 'GET',
      target: '/',
      headers: ['cookie', pairs(text.replace(/[^ -~]|;/g, ' '), '; ').slice(0, length)],
    }),
  },
  {
    name: 'query of many pairs',
    most: HEAD,
    request: (text, length) => ({
      method: 'GET',
      target: `/?${text.slice(0, length).replace(/[^!-~]|#/g, encodeURIComponent)}`.slice(0, length),
      headers: [],
    }),
  },
  {
    name: 'query of many short values',
    most: HEAD,
    request: (text, length) => ({
      method: 'GET',
      target: `/?${pairs(text.replace(/[^!-~]|[#&]/g, '+'), '&')}`.slice(0, length),
      headers: ['referer', 'https://shop.example/'],
    }),
  },
  {
    name: 'path',
    most: HEAD,
    request: (text, length) => ({
      method: 'GET',
      target: `/${text.slice(0, length).replace(/[^!-~]|[?#]/g, encodeURIComponent)}`.slice(0, length),
      headers: [],
    }),
  },
]
