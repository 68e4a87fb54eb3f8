import type { Node } from 'acorn'

/** A part of a program, with whatever its kind has besides. */
export type Tree = Node & Readonly<Record<string, unknown>>

/** Whether a value is a part of a program. */
export function isNode(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value
}

/** A part of a program and all parts of it, in the order in which they begin. */
export function* nodesIn(node: Tree): Generator<Tree> {
  yield node
  for (const child of Object.values(node).flat()) if (isNode(child)) yield* nodesIn(child)
}
