import { test } from 'node:test'
import { blocksOf, readPage } from './support/page.ts'
import { Project } from './support/project.ts'

test('the README protects an Express application, and the first refusal looks as printed', {
  timeout: 180_000,
}, async t => {
  const project = await Project.open()
  t.after(() => project.close())
  await project.run(
    blocksOf(readPage('README.md')).filter(({ heading }) => heading === 'Protect an Express application'),
  )
})
