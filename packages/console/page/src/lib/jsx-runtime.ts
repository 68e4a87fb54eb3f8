import type { ElementType, Key, ReactElement, ReactNode } from 'react'
import { jsx as element, jsxs as elements, Fragment } from 'react/jsx-runtime'
import { visible } from './format.ts'

export type { JSX } from 'react/jsx-runtime'
export { Fragment }

type Props = Readonly<Record<string, unknown>>

/** Attributes that people read, or have read out to them. */
const TEXTS = ['title', 'aria-label', 'placeholder', 'alt'] as const

/**
 * What JSX of this page compiles to: React's own, with the texts of every element made `visible`. What clients
 * sent is on every screen; here no screen can forget it. What an input holds stays as it is.
 */
export function jsx(type: ElementType, props: Props, key?: Key): ReactElement {
  return element(type, withVisibleTexts(type, props), key)
}

/** The same for elements whose children are written out one by one. */
export function jsxs(type: ElementType, props: Props, key?: Key): ReactElement {
  return elements(type, withVisibleTexts(type, props), key)
}

/** @returns the same object where nothing is hidden in it */
function withVisibleTexts(type: ElementType | typeof Fragment, props: Props): Props {
  // Components pass on what they are given, to elements in the end.
  if (typeof type !== 'string' && type !== Fragment) return props
  let changed: Record<string, unknown> | undefined
  const change = (name: string, from: unknown, to: unknown): void => {
    if (to === from) return
    changed ??= { ...props }
    changed[name] = to
  }
  for (const name of TEXTS) {
    const text = props[name]
    if (typeof text === 'string') change(name, text, visible(text))
  }
  const children = props['children'] as ReactNode
  change('children', children, withVisibleText(children))
  return changed ?? props
}

function withVisibleText(children: ReactNode): ReactNode {
  if (typeof children === 'string') return visible(children)
  if (!Array.isArray(children)) return children
  const drawn = (children as readonly ReactNode[]).map(withVisibleText)
  return drawn.some((child, i) => child !== children[i]) ? drawn : children
}
