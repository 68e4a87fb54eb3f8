import { accessMatrix, diffPolicies, type PolicySet, questionsAbout } from '@postern/access'
import { type ApiCall, ApiProblem, type ApiRoute } from './api-route.ts'
import type { PolicyDesk } from './console-parts.ts'

/** Who can do what: what `postern policy matrix` and `postern policy diff` print. */
export const policyRoutes: readonly ApiRoute[] = [
  {
    method: 'GET',
    path: '/policies',
    role: 'viewer',
    summary: 'Who can do what: kinds of callers against acts, and what routes ask for.',
    answer:
      '`acts`, the columns; `callers`, the rows, each with an answer for every act; `routes` that ask for something. `engine` is `none` without policies, `other` for those that cannot be looked into.',
    shape: {
      engine: 'postern|other|none',
      acts: [{ action: 'string', type: 'string', needs: ['string'], unless: ['string'] }],
      callers: [{ caller: 'string', answers: ['always|sometimes|never'] }],
      routes: [{ route: 'string', needs: ['string'] }],
    },
    handle: ({ parts }) => {
      const routes = parts.guardedRoutes()
      const { policies } = parts
      if (policies?.inForce === undefined)
        return { engine: policies === undefined ? 'none' : 'other', acts: [], callers: [], routes }
      return { engine: 'postern', ...accessMatrix(policies.inForce).data, routes }
    },
  },
  {
    method: 'GET',
    path: '/policies/diff',
    role: 'operator',
    summary:
      'Who gains and who loses when the file of the policies, as it is now, takes the place of those in force.',
    answer:
      '`added`, `removed` and `changed` policies by name; `access`: who gains or loses what; `asked` questions.',
    shape: {
      added: ['string'],
      removed: ['string'],
      changed: ['string'],
      access: [{ question: 'string', change: 'gains|loses', before: 'string', after: 'string' }],
      asked: 'integer',
    },
    handle: async call => {
      const desk = deskOf(call)
      const before = lookedInto(desk.inForce)
      const after = lookedInto(await desk.onDisk())
      return diffPolicies(before, after, questionsAbout(before, after)).data
    },
  },
]

function deskOf({ parts }: ApiCall): PolicyDesk {
  if (parts.policies !== undefined) return parts.policies
  throw new ApiProblem(404, 'the configuration names no policies')
}

function lookedInto(policies: PolicySet | undefined): PolicySet {
  if (policies !== undefined) return policies
  throw new ApiProblem(409, 'these are not policies in TypeScript, so they cannot be examined')
}
