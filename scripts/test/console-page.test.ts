import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkConfig, configOfText } from '@postern/config'
import { root } from '../workspace.ts'
import { besideBackend } from './support/backend.ts'
import { blocksOf, readPage } from './support/page.ts'

const page = readPage('docs/console.md')
const RUN = [
  'Open it',
  'Give people accounts',
  'Ask at the command line',
  'In your own process, and with forward-auth',
]

test('every command of the page on the console prints what the page shows', { timeout: 180_000 }, async t => {
  const project = await besideBackend(t)
  await project.run([
    { heading: '', language: 'sh', file: undefined, text: 'npm install postern' },
    ...blocksOf(page).filter(({ heading }) => RUN.includes(heading)),
  ])
})

test('every configuration of the page is one', () => {
  const blocks = blocksOf(page).filter(({ language }) => language === 'yaml')
  assert.equal(blocks.length, 3)
  for (const { text } of blocks) {
    const { config } = checkConfig(configOfText('/shop/postern.config.yaml', text), {
      DATABASE_URL: 'postgres://postern@127.0.0.1/postern',
    })
    assert.notEqual(config.console, false, text)
  }
})

test('every picture of the page exists', () => {
  const pictures = [...page.matchAll(/(?:src|srcset)="(images\/[^"]+)"/g)].map(([, path = '']) => path)
  assert.equal(pictures.length >= 8, true)
  for (const path of pictures) assert.equal(existsSync(join(root, 'docs', path)), true, path)
})
