import { useEffect, useRef } from 'react'

/** Keys to what they do: `p`, `Escape`, or two after each other: `g l`. */
export type KeyMap = Readonly<Record<string, () => void>>

const SECOND_KEY_MS = 1_200

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName))
  )
}

/** Answers keys that are pressed anywhere but in a field, as long as the component is shown. */
export function useKeys(map: KeyMap): void {
  const latest = useRef(map)
  latest.current = map
  useEffect(() => {
    let first = ''
    let at = 0
    const press = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
      const pair = `${first} ${event.key}`
      const isSecond =
        first !== '' && event.timeStamp - at < SECOND_KEY_MS && latest.current[pair] !== undefined
      const action = isSecond ? latest.current[pair] : latest.current[event.key]
      first = isSecond ? '' : event.key
      at = event.timeStamp
      if (action === undefined) return
      event.preventDefault()
      action()
    }
    addEventListener('keydown', press)
    return () => removeEventListener('keydown', press)
  }, [])
}
