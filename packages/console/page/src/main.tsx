import './styles/tokens.css'
import './styles/base.css'
import './styles/layout.css'
import './styles/screens.css'
import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import { restoreTheme } from './parts/theme-button.tsx'

restoreTheme()
const root = document.getElementById('root')
if (root !== null) createRoot(root).render(<App />)
