import { type ApiCall, ApiProblem } from './api-route.ts'

/** Characters of a text where nothing else is said. */
const MOST = 1_024
/** Characters of the id of a principal: whoever issues tokens chooses it. */
export const MOST_OF_ID = 8_192

/** A text of the query; undefined when it is absent or empty. @throws ApiProblem when it is too long */
export function queryText({ query }: ApiCall, name: string, most: number = MOST): string | undefined {
  const value = query.get(name) ?? ''
  if (value.length > most) throw new ApiProblem(400, `${name}: must be at most ${most} characters`)
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
export function bodyText({ body }: ApiCall, name: string, fallback?: string, most: number = MOST): string {
  const value = body[name] ?? fallback
  if (typeof value !== 'string' || value.length > most)
    throw new ApiProblem(400, `${name}: must be text of at most ${most} characters`)
  return value
}

/** A list of texts of the body; empty when it is absent. @throws ApiProblem for anything else, or too many */
export function bodyTexts({ body }: ApiCall, name: string): readonly string[] {
  const value = body[name] ?? []
  if (!Array.isArray(value) || value.length > 100 || !value.every(isShortText))
    throw new ApiProblem(400, `${name}: must be a list of at most 100 texts`)
  return value
}

function isShortText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= 1_024
}

/**
 * A variable of the path.
 * @throws ApiProblem 404 when it is not of this form
 */
export function pathText({ path }: ApiCall, name: string, form: RegExp): string {
  const value = path[name] ?? ''
  if (!form.test(value)) throw new ApiProblem(404, `there is no such ${name}`)
  return value
}
