import './styles/tokens.css'
import './styles/base.css'
import './styles/layout.css'
import './styles/parts.css'
import './styles/chart.css'
import './styles/events.css'
import './styles/overview.css'
import './styles/why.css'
import './styles/actor.css'
import './styles/findings.css'
import './styles/bans.css'
import './styles/audit.css'
import './styles/settings.css'
import './styles/access.css'
import './styles/activity.css'
import './styles/print.css'
import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import { restoreTheme } from './parts/theme-button.tsx'

restoreTheme()
const root = document.getElementById('root')
if (root !== null) createRoot(root).render(<App />)
