import { useSyncExternalStore } from 'react'

/** A place in the console: `#/why/ID` is `['why', 'ID']`. */
export type Route = readonly string[]

function parse(): Route {
  const parts = location.hash.replace(/^#\/?/, '').split('/')
  return parts
    .filter(part => part !== '')
    .map(part => {
      try {
        return decodeURIComponent(part)
      } catch {
        return part
      }
    })
}

/** Module state: a page has one address. Kept, because React compares what it is given with what it had. */
let current = parse()

function subscribe(call: () => void): () => void {
  const update = (): void => {
    current = parse()
    call()
  }
  addEventListener('hashchange', update)
  return () => removeEventListener('hashchange', update)
}

export function useRoute(): Route {
  return useSyncExternalStore(subscribe, () => current)
}

/** Text as a part of an address. What clients sent may hold half a surrogate pair, which has no encoding. */
export function encoded(text: string | number): string {
  return encodeURIComponent(String(text).toWellFormed())
}

/** The address of a place. */
export function to(...parts: readonly (string | number)[]): string {
  return `#/${parts.map(encoded).join('/')}`
}

export function go(...parts: readonly (string | number)[]): void {
  location.hash = to(...parts)
}
