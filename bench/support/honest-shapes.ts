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
  return shapes
}
