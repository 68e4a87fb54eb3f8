import { type ReactNode, useState } from 'react'

const KEY = 'postern-console-theme'
const THEMES = ['system', 'light', 'dark'] as const
type Theme = (typeof THEMES)[number]
const NAMES: Readonly<Record<Theme, string>> = { system: 'Auto', light: 'Light', dark: 'Dark' }

function stored(): Theme {
  const value = localStorage.getItem(KEY)
  return THEMES.find(theme => theme === value) ?? 'system'
}

/** Puts the chosen theme into force; without a choice the system's counts. */
export function restoreTheme(): void {
  const theme = stored()
  if (theme === 'system') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = theme
}

export function ThemeButton(): ReactNode {
  const [theme, setTheme] = useState(stored)
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'system'
  return (
    <button
      type="button"
      className="button quiet small"
      title={`Theme: ${NAMES[theme]}. Change to ${NAMES[next]}.`}
      onClick={() => {
        localStorage.setItem(KEY, next)
        restoreTheme()
        setTheme(next)
      }}
    >
      <span className="visually-hidden">Theme: </span>
      {NAMES[theme]}
    </button>
  )
}
