import { test } from 'node:test'
import { besideBackend } from './support/backend.ts'
import { type Block, blocksOf, readPage } from './support/page.ts'

/** Sections of pages that have no test of their own, and whether their commands ask a running gateway. */
const SECTIONS: readonly (readonly [page: string, heading: string, gateway?: 'beside a gateway'])[] = [
  ['audit', 'Send entries to another system', 'beside a gateway'],
  ['bring-your-own', 'Revoke sessions and tokens before they expire', 'beside a gateway'],
  ['gateway', 'Run a worker per core'],
  ['inspection', 'Declare what a parameter contains', 'beside a gateway'],
  ['metrics', 'Metrics and alerts', 'beside a gateway'],
  ['remediations', 'Ban, slow down or challenge a client', 'beside a gateway'],
  ['scenarios', 'Write a scenario'],
  ['throttle', 'Change limits without a deployment', 'beside a gateway'],
]

const block = (language: string, text: string): Block => ({ heading: '', language, file: undefined, text })
const GATEWAY = [
  block(
    'console',
    '$ npx postern gateway --to http://127.0.0.1:3000 --listen 127.0.0.1:8080 --admin 127.0.0.1:9464\n',
  ),
  block('sh', 'until curl -fo /dev/null http://127.0.0.1:9464/readyz 2> /dev/null; do :; done\n'),
]

for (const [page, heading, gateway] of SECTIONS)
  test(`docs/${page}.md, ${heading}: every file and command works as printed`, {
    timeout: 180_000,
  }, async t => {
    const project = await besideBackend(t)
    project.write('postern.config.yaml', 'upstream: http://127.0.0.1:3000\nlisten: 8080\n')
    const blocks = blocksOf(readPage(`docs/${page}.md`)).filter(one => one.heading === heading)
    const sessions = blocks.filter(({ language }) => language === 'console')
    await project.run([
      block('sh', 'npm install postern\nnpm pkg set type=module\n'),
      ...blocks.filter(one => !sessions.includes(one)),
      ...(gateway === undefined ? [] : GATEWAY),
      ...sessions,
    ])
  })
