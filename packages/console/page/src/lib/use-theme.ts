import { useSyncExternalStore } from 'react'

const DARK = '(prefers-color-scheme: dark)'

function subscribe(call: () => void): () => void {
  const media = matchMedia(DARK)
  const observer = new MutationObserver(call)
  observer.observe(document.documentElement, { attributeFilter: ['data-theme'] })
  media.addEventListener('change', call)
  return () => {
    observer.disconnect()
    media.removeEventListener('change', call)
  }
}

/** The theme in force. What is drawn in a canvas is drawn again when it changes. */
export function useTheme(): 'light' | 'dark' {
  return useSyncExternalStore(subscribe, () => {
    const chosen = document.documentElement.dataset['theme']
    if (chosen === 'light' || chosen === 'dark') return chosen
    return matchMedia(DARK).matches ? 'dark' : 'light'
  })
}
