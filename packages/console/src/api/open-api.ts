import type { ApiField, ApiRoute } from './api-route.ts'
import { schemaOfShape } from './api-shape.ts'
import type { OpenOperation } from './sign-in-operations.ts'

type Schema = Readonly<Record<string, unknown>>

/** The API described in OpenAPI 3.1, made from the table that answers it. */
export function openApiDocument(routes: readonly ApiRoute[], open: readonly OpenOperation[] = []): Schema {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const route of routes) {
    const operations = paths[route.path] ?? {}
    operations[route.method.toLowerCase()] = operation(route)
    paths[route.path] = operations
  }
  for (const route of open) {
    const operations = paths[route.path] ?? {}
    operations[route.method.toLowerCase()] = { ...operation({ ...route, role: 'viewer' }), security: [] }
    paths[route.path] = operations
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Postern console',
      version: '1',
      description:
        'Every operation needs a session: the cookie that signing in set, and its token in `Console-Token`. ' +
        'Operations that change something are entered into the audit log before they run.',
    },
    servers: [{ url: './' }],
    security: [{ cookie: [], token: [] }],
    paths,
    components: {
      securitySchemes: {
        cookie: { type: 'apiKey', in: 'cookie', name: 'postern-console' },
        token: { type: 'apiKey', in: 'header', name: 'Console-Token' },
      },
      schemas: {
        Problem: { type: 'object', required: ['error'], properties: { error: { type: 'string' } } },
      },
    },
  }
}

function operation(route: Omit<ApiRoute, 'handle'>): Schema {
  const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
  const inQuery = Object.entries(route.query ?? {}).map(([name, field]) => ({
    name,
    in: 'query',
    description: field.description,
    ...(field.required && { required: true }),
    schema: schemaOf(field),
  }))
  const problem = { content: { 'application/json': { schema: { $ref: '#/components/schemas/Problem' } } } }
  return {
    operationId: `${route.method.toLowerCase()}${route.path.replaceAll(/[^\w]+(\w?)/g, (_, letter: string) => letter.toUpperCase())}`,
    summary: route.summary,
    'x-role': route.role,
    ...(inPath.length + inQuery.length > 0 && { parameters: [...inPath, ...inQuery] }),
    ...(route.body !== undefined && { requestBody: bodyOf(route.body) }),
    responses: {
      200: {
        description: route.answer,
        content: { 'application/json': { schema: schemaOfShape(route.shape) } },
      },
      401: { description: 'Nobody is signed in.', ...problem },
      403: {
        description: `The role ${route.role} is needed, or the request came from elsewhere.`,
        ...problem,
      },
      default: { description: 'What is wrong, in a sentence.', ...problem },
    },
  }
}

function bodyOf(fields: Readonly<Record<string, ApiField>>): Schema {
  const required = Object.entries(fields).flatMap(([name, field]) => (field.required ? [name] : []))
  const properties = Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [
      name,
      { ...schemaOf(field), description: field.description },
    ]),
  )
  const schema = { type: 'object', properties, ...(required.length > 0 && { required }) }
  return { required: true, content: { 'application/json': { schema } } }
}

function schemaOf({ type, values }: ApiField): Schema {
  if (type === 'strings') return { type: 'array', items: { type: 'string' } }
  return { type, ...(values !== undefined && { enum: values }) }
}
