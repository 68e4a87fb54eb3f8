// The page of the console in Chromium: what the first load weighs, how far apart frames are while 100,000
// events scroll, and how long an interaction on the overview takes while 1,000 requests a second arrive at a
// running gateway. Beside each time stands the floor of this machine: the same done to a page that does
// nothing, in the same browser, in turn.
import { globSync, readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Page } from 'playwright-core'
import { root } from '../scripts/workspace.ts'
import { ConsoleInBrowser } from '../test/console-in-browser.ts'
import {
  interactionTimes,
  type JumpCost,
  jumpCost,
  type ScrolledFrames,
  scrollFrames,
  watchInteractions,
} from '../test/page-speed.ts'
import { isQuick, median, report } from './support/harness.ts'

const ROUNDS = isQuick ? 2 : 6
const FRAMES = isQuick ? 150 : 300
const JUMPS = isQuick ? 20 : 40
const ROW = 34
const MANY = 100_000
const RATE = 1_000
const TICK_MS = 20
const ATTACK = `/search?q=${encodeURIComponent("' UNION SELECT password FROM users--")}`

/** Events as the API gives them. */
function manyRows(): readonly object[] {
  return Array.from({ length: MANY }, (_, i) => ({
    id: MANY - i,
    time: 1_795_000_000_000 - i,
    type: 'http',
    verdict: i % 7 === 0 ? 'deny' : 'allow',
    request: `x${String(i).padStart(19, '0')}`,
    method: 'GET',
    path: `/products/${i}`,
    query: i % 3 === 0 ? 'page=2&sort=price' : '',
    status: i % 7 === 0 ? 403 : 200,
    ...(i % 7 === 0 && { rule: 'inspect/sqli/union' }),
    address: `192.0.2.${i % 250}`,
    layer: 0.2,
    weight: 1,
  }))
}

/** A page that scrolls as far and draws nothing. */
const BARE_LIST = `<!doctype html><title>floor</title>
<div class="events" style="height:700px;overflow-y:auto"><div style="height:${MANY * ROW}px"></div></div>`

/** A page whose buttons change one word. */
const BARE_BUTTONS = `<!doctype html><title>floor</title>
<main><button>6 hours</button><button>24 hours</button><button>7 days</button><button>Last hour</button></main>
<p>-</p><script>
for (const button of document.querySelectorAll('button'))
  button.onclick = () => { document.querySelector('p').textContent = button.textContent }
</script>`

interface Interactions {
  readonly made: number
  readonly times: readonly number[]
}

/** Presses the four spans of the overview. */
async function interact(page: Page): Promise<Interactions> {
  await watchInteractions(page)
  let made = 0
  for (const name of ['6 hours', '24 hours', '7 days', 'Last hour']) {
    await page.getByRole('button', { name }).click()
    made++
    await page.waitForTimeout(150)
  }
  return { made, times: await interactionTimes(page) }
}

/** Besides the spans: help opened and closed, the search entered, another screen and back. */
async function interactWithOverview(page: Page): Promise<Interactions> {
  const spans = await interact(page)
  const keys = ['?', 'Escape', '/', 'a', 'Escape', 'g', 'l', 'g', 'o']
  for (const key of keys) {
    await page.keyboard.press(key)
    await page.waitForTimeout(150)
  }
  await page.getByRole('heading', { name: 'Overview' }).waitFor()
  return { made: spans.made + keys.length, times: await interactionTimes(page) }
}

/** Sends 1,000 requests a second, one of twenty an attack, until the returned function is called. */
function startLoad(gateway: string): () => number {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 })
  let sent = 0
  let answered = 0
  let open = 0
  const timer = setInterval(() => {
    for (let i = 0; i < (RATE * TICK_MS) / 1_000 && open < 400; i++) {
      const client = sent++
      open++
      request(
        `${gateway}${client % 20 === 0 ? ATTACK : `/products/${client % 1_000}`}`,
        {
          agent,
          headers: { 'X-Forwarded-For': `10.${(client >> 16) & 255}.${(client >> 8) & 255}.${client & 255}` },
        },
        response => {
          open--
          answered++
          response.resume()
        },
      )
        .on('error', () => {
          open--
        })
        .end()
    }
  }, TICK_MS)
  const started = performance.now()
  return () => {
    clearInterval(timer)
    agent.destroy()
    return Math.round(answered / ((performance.now() - started) / 1_000))
  }
}

function summary(all: readonly Interactions[]): { readonly made: number; readonly longest: number } {
  return {
    made: all.reduce((sum, { made }) => sum + made, 0),
    longest: Math.max(16, ...all.flatMap(({ times }) => times)),
  }
}

function worst(all: readonly ScrolledFrames[]): { readonly longest: number; readonly slow: string } {
  const slow = all.reduce((sum, own) => sum + own.slow, 0)
  const frames = all.reduce((sum, own) => sum + own.frames, 0)
  return { longest: Math.max(...all.map(({ longest }) => longest)), slow: `${slow} of ${frames}` }
}

/** Processor time: what a busy machine changes least. */
function cpuText(costs: readonly JumpCost[]): string {
  const middle = median(costs.map(cost => cost.median))
  const most = Math.max(...costs.map(cost => cost.most))
  return `${middle.toFixed(1)} ms of CPU, ${most.toFixed(1)} at most`
}

const opened = await ConsoleInBrowser.open()
const { page } = opened
const floorContext = await opened.newContext({ viewport: { width: 1_280, height: 860 } })
const floor = await floorContext.newPage()
const list: ScrolledFrames[] = []
const bareList: ScrolledFrames[] = []
const jumps: JumpCost[] = []
const bareJumps: JumpCost[] = []
const idle: Interactions[] = []
const busy: Interactions[] = []
const bare: Interactions[] = []
const rates: number[] = []
try {
  const rows = manyRows()
  for (let round = 0; round < ROUNDS; round++) {
    await page.bringToFront()
    await page.route('**/api/events?*', route => route.fulfill({ json: { events: rows } }))
    // A screen that is shown already would not ask again.
    await opened.show('overview')
    await opened.show('live')
    await page.locator('.event', { hasText: '/products/0' }).first().waitFor()
    list.push(await scrollFrames(page, '.events', FRAMES))
    jumps.push(await jumpCost(page, '.events', JUMPS))
    await page.unroute('**/api/events?*')
    await floor.bringToFront()
    await floor.setContent(BARE_LIST)
    bareList.push(await scrollFrames(floor, '.events', FRAMES))
    bareJumps.push(await jumpCost(floor, '.events', JUMPS))
  }
  for (let round = 0; round < ROUNDS; round++) {
    await page.bringToFront()
    await opened.show('overview')
    await page.locator('.figures').waitFor()
    idle.push(await interactWithOverview(page))
    const stop = startLoad(opened.served.url)
    await page.waitForTimeout(2_000)
    busy.push(await interactWithOverview(page))
    await floor.bringToFront()
    await floor.setContent(BARE_BUTTONS)
    bare.push(await interact(floor))
    rates.push(stop())
  }
} finally {
  await opened.close()
}
const assets = globSync('packages/console/dist/page/assets/*.js', { cwd: root })
const gzip = assets.reduce((sum, file) => sum + gzipSync(readFileSync(join(root, file))).length, 0)
const scrolled = worst(list)
const scrolledFloor = worst(bareList)
const quiet = summary(idle)
const loaded = summary(busy)
const least = summary(bare)
report({
  bench: 'console-page',
  ratios: {
    'longest frame, 100,000 events / floor': scrolled.longest / scrolledFloor.longest,
    'longest interaction, 1,000 requests a second / floor': loaded.longest / least.longest,
  },
  figures: {
    'JavaScript, gzip': `${(gzip / 1_024).toFixed(1)} KiB (limit 150)`,
    'frames over 50 ms, 100,000 events': scrolled.slow,
    'frames over 50 ms, floor': scrolledFloor.slow,
    'longest frame, 100,000 events': `${scrolled.longest.toFixed(0)} ms (limit 50)`,
    'longest frame, floor': `${scrolledFloor.longest.toFixed(0)} ms`,
    'longest work of a frame, 100,000 events': `${Math.max(...list.map(own => own.longestWork)).toFixed(0)} ms (0: none over 50)`,
    'main thread of a far jump, 100,000 events': cpuText(jumps),
    'main thread of a far jump, floor': cpuText(bareJumps),
    'median frame, 100,000 events': `${median(list.map(own => own.median)).toFixed(1)} ms`,
    'most elements in the list': Math.max(...list.map(own => own.elements)),
    'requests a second that were answered': median(rates),
    'longest of interactions, idle': `${quiet.longest} ms of ${quiet.made}`,
    'longest of interactions, 1,000 requests a second': `${loaded.longest} ms of ${loaded.made} (limit 100)`,
    'longest of interactions, floor': `${least.longest} ms of ${least.made}`,
  },
  unequal: [
    'The floor is a page with the same height to scroll and nothing in it, and one with four buttons; no API, no chart, no list.',
    'Gateway, load and browser share the cores of one machine; browsers report interactions in steps of 8 ms and none under 16.',
  ],
})
process.exit(0)
