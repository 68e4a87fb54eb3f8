import type { InspectedRequest } from '../src/request/inspected-request.ts'

/** One request for each place in which a value can stand, by the name of the place. */
export function inEachPlace(value: string): Readonly<Record<string, InspectedRequest>> {
  const encoded = encodeURIComponent(value)
  const post = (type: string, body: string): InspectedRequest => ({
    method: 'POST',
    target: '/items',
    headers: ['content-type', type],
    body: Buffer.from(body),
  })
  return {
    query: { method: 'GET', target: `/items?id=${encoded}`, headers: [] },
    cookie: { method: 'GET', target: '/items', headers: ['cookie', `id=${encoded}`] },
    form: post('application/x-www-form-urlencoded', `id=${encoded}`),
    json: post('application/json', JSON.stringify({ id: value })),
  }
}
