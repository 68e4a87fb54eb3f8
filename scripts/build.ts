// Emits what is published: types, ES modules and source maps, into every package's dist.
import { globSync, rmSync } from 'node:fs'
import { runSteps } from './run-steps.ts'

for (const dist of globSync('packages/*/dist')) rmSync(dist, { recursive: true })
process.exit(runSteps([{ name: 'build', command: ['node_modules/.bin/tsc', '-b', 'tsconfig.build.json'] }]))
