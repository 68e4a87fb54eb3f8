import type { LearnedRoute } from './learned-route.ts'
import { type LearnedType, learnedType } from './parameter-evidence.ts'

/** The types of a route's parameters that are certain, by place: `{ 'query.id': 'number' }`. */
export function learnedTypes(route: LearnedRoute): Readonly<Record<string, LearnedType>> {
  const types: Record<string, LearnedType> = Object.create(null) as Record<string, LearnedType>
  for (const part of ['query', 'body'] as const) {
    for (const [name, { evidence }] of route[part]) {
      const type = learnedType(evidence)
      // A name with a dot or a space is not a place that can be distinguished from another.
      if (type !== undefined && /^[^.\s*]{1,128}$/.test(name)) types[`${part}.${name}`] = type
    }
  }
  return types
}
