import { parseRequestPath, type RequestPath } from '@postern/core'

const COMMA = /,|%2c/i

/**
 * The operations that one path names, each as a path: `/trpc/login` and `/logout` for
 * `/trpc/login,logout?batch=1`. tRPC does all of them, in one request. Empty where a path names one; without
 * a query nothing is a batch.
 */
export function batchedNames({ raw, query }: RequestPath): readonly string[] {
  if (query === '' || !COMMA.test(raw)) return []
  const names = raw.split(COMMA).map((name, at) => (at === 0 ? name : `/${name}`))
  return names.filter(name => name !== '/').map(name => parseRequestPath(name).canonical)
}
