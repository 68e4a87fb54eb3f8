import type { Exchange } from '@postern/core'
import type { NodeRequest, RequestExtras } from './node-message.ts'

type Changes = NonNullable<Exchange['requestChanges']>

/**
 * Shows the handler the request headers as guards changed them: `headers`, `headersDistinct` and
 * `rawHeaders`. The list that arrived is replaced, not edited: the exchange still reads it for its event.
 */
export function changeNodeRequest(request: NodeRequest & RequestExtras, changes: Changes): void {
  const { headers, headersDistinct } = request
  const rawHeaders = changedList(request.rawHeaders, changes)
  for (const [name, value] of changes) {
    put(headers, name, value)
    put(headersDistinct, name, value === undefined ? undefined : [value])
  }
  // `defineProperty`, because on HTTP/2 it is a getter without a setter.
  Object.defineProperty(request, 'rawHeaders', { value: rawHeaders, configurable: true, writable: true })
}

function put<Value>(record: Record<string, Value> | undefined, name: string, value: Value | undefined): void {
  if (record === undefined) return
  if (value === undefined) delete record[name]
  else record[name] = value
}

/** A flat list of headers with the changes made: changed names once, at the end. */
function changedList(headers: readonly string[], changes: Changes): string[] {
  const list: string[] = []
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as string
    if (!changes.has(name.toLowerCase())) list.push(name, headers[i + 1] as string)
  }
  for (const [name, value] of changes) if (value !== undefined) list.push(name, value)
  return list
}

/** Makes the changes on fetch Headers, in place. */
export function changeHeaders(headers: Headers, changes: Changes): void {
  for (const [name, value] of changes) {
    if (value === undefined) headers.delete(name)
    else headers.set(name, value)
  }
}
