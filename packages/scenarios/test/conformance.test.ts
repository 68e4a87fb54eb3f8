import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { logEvent, parseAccessLog } from '@postern/access-log'
import { ConfigError, type Finding } from '@postern/core'
import { conformance } from '../../../test/conformance.ts'
import { scenarioDetector } from '../src/scenario-detector.ts'
import { loadScenarios } from '../src/scenario-files.ts'
import { ScenarioSet } from '../src/scenario-set.ts'

/** Calls back with the folder, or skips its tests and says that it is absent. */
function withFolder(set: string, work: (folder: string) => void): void {
  const { path, skip } = conformance(set)
  if (skip === false) work(path)
  else test(`${set} is there`, context => context.skip(skip))
}

function findingsIn(path: string): readonly Finding[] {
  const detector = scenarioDetector({ scenarios: loadScenarios() })
  return readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((line, index) => {
      const record = parseAccessLog(line)
      return record === undefined ? [] : [logEvent(record, String(index))]
    })
    .sort((a, b) => a.time - b.time)
    .flatMap(event => detector.observe(event) ?? [])
}

/** What CrowdSec calls a scenario, in our names. */
const OURS: Readonly<Record<string, string>> = {
  'http-crawl-non_statics': 'http-crawl',
  'http-dos-swithcing-ua': 'http-dos-switching-ua',
  'http-path-traversal-probing': 'http-path-traversal',
  'http-sqli-probbing-detection': 'http-sqli-probing',
  'http-generic-401-bf': 'http-generic-bf',
}

withFolder('logs/crowdsec-hub', folder => {
  describe('logs of the CrowdSec hub', () => {
    for (const name of readdirSync(folder).filter(file => file.endsWith('.assert'))) {
      const text = readFileSync(join(folder, name), 'utf8')
      const sources = [...text.matchAll(/"([^"]+)" in results\[(\d+)\]/g)]
      for (const [, source = '', index = ''] of sources) {
        const scenario =
          new RegExp(`results\\[${index}\\]\\.Overflow\\.Alert\\.GetScenario\\(\\) == "[^/]+/([^"]+)"`).exec(
            text,
          )?.[1] ?? ''
        test(`${name}: finds ${source} by the same idea`, () => {
          const found = findingsIn(join(folder, name.replace('.assert', '.log')))
          assert.ok(
            found.some(one => one.actor.value === source && one.scenario === (OURS[scenario] ?? scenario)),
            JSON.stringify(found.map(one => [one.scenario, one.actor.value])),
          )
          const others = found.filter(one => !text.includes(`"${one.actor.value}"`))
          assert.deepEqual(
            others.filter(one => one.scenario === (OURS[scenario] ?? scenario)),
            [],
          )
        })
      }
    }
  })
})

withFolder('logs', folder => {
  test('four days of a real web site: nobody is held back who was ever served a page', () => {
    const path = join(folder, 'elastic-apache_logs.log')
    const held = new Set(
      findingsIn(path)
        .filter(one => one.respond !== undefined)
        .map(one => one.actor.value),
    )
    const served = readFileSync(path, 'utf8')
      .split('\n')
      .map(parseAccessLog)
      .filter(record => record !== undefined && record.status < 400)
      .map(record => record?.address)
    assert.deepEqual(
      served.filter(address => address !== undefined && held.has(address)),
      [],
    )
    assert.ok(held.size >= 4, 'those who looked for login pages were found')
  })
})

withFolder('audit/sigma-spec/tests/schema', folder => {
  describe('examples of the Sigma specification', () => {
    for (const kind of ['rules', 'correlation', 'filter']) {
      for (const name of readdirSync(join(folder, kind))) {
        test(`${kind}/${name}: every construct is understood, or refused by name`, () => {
          const text = readFileSync(join(folder, kind, name), 'utf8')
          try {
            ScenarioSet.parse([{ place: name, text }])
          } catch (error) {
            assert.ok(error instanceof ConfigError)
            for (const issue of error.issues)
              assert.match(
                issue.problem,
                /not a field of Postern|sees no events of|no (?:rule|detection) is named|percentiles|is not understood|gte, gt and eq/,
              )
          }
        })
      }
    }
  })
})
