import { useSyncExternalStore } from 'react'

const DARK = '(prefers-color-scheme: dark)'
/** Paper is light: `print.css`. */
const PAPER = 'print'

function subscribe(call: () => void): () => void {
  const media = [DARK, PAPER].map(query => matchMedia(query))
  const observer = new MutationObserver(call)
  observer.observe(document.documentElement, { attributeFilter: ['data-theme'] })
  for (const each of media) each.addEventListener('change', call)
  return () => {
    observer.disconnect()
    for (const each of media) each.removeEventListener('change', call)
  }
}

/** The theme in force. What is drawn in a canvas is drawn again when it changes. */
export function useTheme(): 'light' | 'dark' {
  return useSyncExternalStore(subscribe, () => {
    if (matchMedia(PAPER).matches) return 'light'
    const chosen = document.documentElement.dataset['theme']
    if (chosen === 'light' || chosen === 'dark') return chosen
    return matchMedia(DARK).matches ? 'dark' : 'light'
  })
}
