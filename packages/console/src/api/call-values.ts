import { type ApiCall, ApiProblem } from './api-route.ts'

/** A text of the query; undefined when it is absent or empty. @throws ApiProblem when it is too long */
export function queryText({ query }: ApiCall, name: string): string | undefined {
  const value = query.get(name) ?? ''
  if (value.length > 1_024) throw new ApiProblem(400, `${name}: must be at most 1024 characters`)
  return value === '' ? undefined : value
}

/** A whole number of the query. @throws ApiProblem for anything else than one from `least` to `most` */
export function queryNumber(
  call: ApiCall,
  name: string,
  { fallback, least, most }: { readonly fallback: number; readonly least: number; readonly most: number },
): number {
  const text = queryText(call, name)
  if (text === undefined) return fallback
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < least || value > most)
    throw new ApiProblem(400, `${name}: must be a whole number from ${least} to ${most}`)
  return value
}

/** A text of the body. @throws ApiProblem when it is not text, or too long */
export function bodyText({ body }: ApiCall, name: string, fallback?: string): string {
  const value = body[name] ?? fallback
  if (typeof value !== 'string' || value.length > 1_024)
    throw new ApiProblem(400, `${name}: must be text of at most 1024 characters`)
  return value
}
