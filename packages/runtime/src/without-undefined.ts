/** The same options with every `undefined` left out, at every depth: packages tell absent from undefined. */
export type WithoutUndefined<T> = T extends (...input: never[]) => unknown
  ? T
  : T extends readonly (infer Item)[]
    ? readonly WithoutUndefined<Item>[]
    : T extends object
      ? { [Key in keyof T]: WithoutUndefined<Exclude<T[Key], undefined>> }
      : T

/** Leaves every `undefined` out, at every depth; functions and class instances stay as they are. */
export function withoutUndefined<T>(value: T): WithoutUndefined<T> {
  return strip(value) as WithoutUndefined<T>
}

function strip(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(strip)
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .map(([key, item]) => [key, strip(item)]),
  )
}
