// What the form parsers of npm read of a request, all of them on the same bytes. Usage: node read.mjs PORT
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { Readable, Writable } from 'node:stream'
import fastifyBusboy from '@fastify/busboy'
import busboy from 'busboy'
import { parse as parseCookies } from 'cookie'
import { XMLParser } from 'fast-xml-parser'
import formidable from 'formidable'
import multiparty from 'multiparty'
import qs from 'qs'

const WAIT_MS = 2_000
const require = createRequire(import.meta.url)
const bodyParser = require('body-parser')

/** @param {unknown} value @param {string[]} found */
function texts(value, found) {
  if (typeof value === 'string') found.push(value)
  else if (Array.isArray(value)) for (const inner of value) texts(inner, found)
  else if (typeof value === 'object' && value !== null)
    for (const [name, inner] of Object.entries(value)) {
      found.push(name)
      texts(inner, found)
    }
}

/** The request again, as a stream that a parser may read. */
function again(request, body) {
  return Object.assign(Readable.from([body]), {
    headers: request.headers,
    method: request.method,
    url: request.url,
  })
}

function byBusboy(make) {
  return (request, body, found) =>
    new Promise(resolve => {
      const parser = make({ headers: request.headers })
      parser.on('field', (name, value) => found.push(name ?? '', value ?? ''))
      parser.on('file', (name, stream, ...info) => {
        found.push(name ?? '')
        texts(info, found)
        stream.resume()
        stream.on('error', () => {})
      })
      for (const end of ['close', 'finish', 'error']) parser.on(end, resolve)
      parser.end(body)
    })
}

const readers = [
  byBusboy(busboy),
  byBusboy(options => new fastifyBusboy.Busboy(options)),
  async (request, body, found) => {
    const form = formidable({
      allowEmptyFiles: true,
      minFileSize: 0,
      fileWriteStreamHandler: () => new Sink(),
    })
    form.on('field', (name, value) => found.push(name ?? '', value ?? ''))
    form.on('fileBegin', (name, file) => found.push(name ?? '', file.originalFilename ?? ''))
    await form.parse(again(request, body))
  },
  (request, body, found) =>
    new Promise(resolve => {
      const form = new multiparty.Form()
      form.on('field', (name, value) => found.push(name ?? '', value ?? ''))
      form.on('part', part => {
        found.push(part.name ?? '', part.filename ?? '')
        part.on('error', () => {})
        part.resume()
      })
      form.on('error', resolve)
      form.on('close', resolve)
      form.parse(again(request, body))
    }),
  ...[
    bodyParser.urlencoded({ extended: true }),
    bodyParser.urlencoded({ extended: false }),
    bodyParser.json({ strict: false }),
  ].map(
    parser => (request, body, found) =>
      new Promise(resolve => {
        const copy = again(request, body)
        parser(copy, {}, () => {
          texts(copy.body, found)
          resolve()
        })
      }),
  ),
  (request, body, found) => {
    if (/xml/i.test(request.headers['content-type'] ?? ''))
      texts(new XMLParser({ ignoreAttributes: false }).parse(body.toString()), found)
  },
  (request, _body, found) => {
    const query = /\?(.*)$/s.exec(request.url)?.[1] ?? ''
    texts(qs.parse(query), found)
    for (const [name, value] of new URLSearchParams(query)) found.push(name, value)
    texts({ ...parseCookies(request.headers.cookie ?? '') }, found)
  },
]

class Sink extends Writable {
  _write(_chunk, _encoding, done) {
    done()
  }
}

createServer((request, response) => {
  const chunks = []
  request.on('data', chunk => chunks.push(chunk))
  request.on('end', async () => {
    const body = Buffer.concat(chunks)
    const found = []
    for (const read of readers) {
      try {
        await Promise.race([
          read(request, body, found),
          new Promise(resolve => setTimeout(resolve, WAIT_MS).unref()),
        ])
      } catch {
        // A parser that refuses the body has read nothing more of it.
      }
    }
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(found))
  })
}).listen(Number(process.argv[2]), '127.0.0.1')

process.on('uncaughtException', () => {})
