import type { HonestDocument } from './honest-documents.ts'

/** A text in one of the shapes in which people send it. */
export interface Shape {
  readonly name: string
  readonly method: string
  readonly path: string
  readonly type: string
  readonly body: string
}

const JSON_TYPE = 'application/json'
const FORM = 'application/x-www-form-urlencoded'
const BOUNDARY = '----postern-bench'
/** Paragraphs of a document that are sent as comments, of so many characters. */
const PARAGRAPHS = 12
const SHORTEST = 20
/** Of a readme: blocks of code and lines that are sent. */
const FENCES = 12
const LINES = 20
const LONGEST = 1_500

function post(name: string, path: string, type: string, body: string): Shape {
  return { name, method: 'POST', path, type, body }
}

function form(fields: Readonly<Record<string, string>>): string {
  return new URLSearchParams(fields).toString()
}

/** The shapes of one document: pasted into a field, as a body, as an upload, its paragraphs as comments. */
export function shapesOf({ kind, text }: HonestDocument): readonly Shape[] {
  if (kind === 'json') {
    return [
      { name: 'as a JSON body', method: 'PUT', path: '/api/documents/1', type: JSON_TYPE, body: text },
      post('as JSON in a string', '/api/documents', JSON_TYPE, JSON.stringify({ data: text })),
      post('as JSON in a form', '/hook', FORM, form({ payload: text })),
    ]
  }
  const upload = [
    `--${BOUNDARY}`,
    'Content-Disposition: form-data; name="file"; filename="notes.txt"',
    'Content-Type: text/plain',
    '',
    text,
    `--${BOUNDARY}--`,
    '',
  ].join('\r\n')
  const shapes = [
    post('pasted into a JSON field', '/posts', JSON_TYPE, JSON.stringify({ title: 'A note', text })),
    post('as a text body', '/paste', 'text/plain', text),
    post('as an upload', '/upload', `multipart/form-data; boundary=${BOUNDARY}`, upload),
  ]
  const isComment = (part: string): boolean => part.length > SHORTEST && part.length < LONGEST
  for (const part of text
    .split(/\n\s*\n/)
    .filter(isComment)
    .slice(0, PARAGRAPHS)) {
    const comment = part.trim()
    shapes.push(post('paragraph as JSON', '/comments', JSON_TYPE, JSON.stringify({ comment })))
    shapes.push(post('paragraph in a form', '/comments', FORM, form({ comment, post: '12' })))
  }
  return kind === 'readme' ? [...shapes, ...shapesOfReadme(text)] : shapes
}

/** What people do with a readme besides: publish it, quote its code in a chat, search for a line of it. */
function shapesOfReadme(text: string): readonly Shape[] {
  const version = { name: 'left-door', version: '1.0.0', scripts: { test: 'node --test' }, readme: text }
  const document = { _id: 'left-door', name: 'left-door', versions: { '1.0.0': version }, readme: text }
  const shapes = [post('sent by npm publish', '/left-door', JSON_TYPE, JSON.stringify(document))]
  for (const [, code = ''] of [...text.matchAll(/```\w{0,16}\n([\s\S]{20,2000}?)```/g)].slice(0, FENCES)) {
    const content = `Try this:\n\`\`\`\n${code.trim()}\n\`\`\``
    shapes.push(post('code quoted in a chat', '/messages', JSON_TYPE, JSON.stringify({ content })))
  }
  for (const line of text.split('\n').filter(isProse).slice(0, LINES)) {
    const path = `/search?${new URLSearchParams({ q: line.trim(), page: '1' })}`
    shapes.push({ name: 'line as a search', method: 'GET', path, type: JSON_TYPE, body: '' })
  }
  return shapes
}

/** A line of words, as people search for one: no markup, no code. */
function isProse(line: string): boolean {
  return /^[A-Z][^`<>{}$()=;[\]|]{14,200}$/.test(line)
}
