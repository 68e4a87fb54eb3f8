// The Node-RED editor (REST, static files and a WebSocket) in headless Chromium
// through the gateway with its defaults.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { launchChromium } from '../test/chromium.ts'
import { answering, freePort, type Protected, protect, type Running, root, run } from './protected.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-node-red-'))
let nodeRed: Running
let gateway: Protected
let browser: Browser

before(async () => {
  const port = await freePort()
  writeFileSync(
    join(folder, 'settings.js'),
    'module.exports = { flowFile: "flows.json", telemetry: { enabled: false }, tours: false }\n',
  )
  nodeRed = run(
    process.execPath,
    [
      join(root, 'e2e/node_modules/node-red/red.js'),
      '--port',
      String(port),
      '--userDir',
      folder,
      '--settings',
      join(folder, 'settings.js'),
    ],
    { cwd: folder },
  )
  await answering(`http://127.0.0.1:${port}/settings`)
  gateway = await protect(`http://127.0.0.1:${port}`)
  browser = await launchChromium()
})

after(async () => {
  await browser?.close()
  await gateway?.stop()
  await nodeRed?.stop()
  rmSync(folder, { recursive: true })
})

test('a flow is built, deployed and run in the editor, its messages arriving over the WebSocket', async () => {
  const page = await browser.newPage()
  const failed: string[] = []
  const frames: string[] = []
  page.on('response', response => {
    if (response.status() >= 400 && response.headers()['x-request-id'] !== undefined)
      failed.push(`${response.status()} ${response.url()}`)
  })
  page.on('websocket', socket => socket.on('framereceived', frame => frames.push(String(frame.payload))))
  await page.goto(gateway.url)
  await page.waitForSelector('#red-ui-palette', { timeout: 60_000 })
  const flow = [
    { id: 'f1', type: 'tab', label: 'Flow 1' },
    {
      id: 'i1',
      type: 'inject',
      z: 'f1',
      name: 'go',
      props: [{ p: 'payload' }],
      once: false,
      payload: 'hello',
      payloadType: 'str',
      x: 120,
      y: 80,
      wires: [['n1']],
    },
    {
      id: 'n1',
      type: 'function',
      z: 'f1',
      name: 'code',
      func: "const q = \"SELECT * FROM users WHERE name = '\" + msg.payload + \"'\";\nif (msg.payload.length > 1 && true || false) { msg.payload = '<b>' + q + '</b>'; }\nreturn msg;",
      outputs: 1,
      x: 300,
      y: 80,
      wires: [['d1']],
    },
    {
      id: 'd1',
      type: 'debug',
      z: 'f1',
      active: true,
      tosidebar: true,
      complete: 'payload',
      x: 480,
      y: 80,
      wires: [],
    },
  ]
  const deployed = await page.evaluate(async body => {
    const answer = await fetch('flows', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'node-red-deployment-type': 'full' },
      body,
    })
    return answer.status
  }, JSON.stringify(flow))
  assert.equal(deployed, 204)
  const injected = await page.evaluate(async () => (await fetch('inject/i1', { method: 'POST' })).status)
  assert.equal(injected, 200)
  const deadline = Date.now() + 30_000
  while (!frames.some(frame => frame.includes('SELECT * FROM users')) && Date.now() < deadline)
    await page.waitForTimeout(50)
  assert.ok(
    frames.some(frame => frame.includes('SELECT * FROM users')),
    'the debug message came over the WebSocket',
  )
  assert.deepEqual(failed, [])
  assert.deepEqual(gateway.refusals(), [])
})
